"""Commands for access: tokens for programs, one-time sign-in links for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from services import settings
from services.cli.opening import parts
from services.cli.printing import Json, print_line, result, words

if TYPE_CHECKING:
    from services.access.sessions import Sessions

ROLES = ("bench", "manufacturing", "engineer", "approver", "auditor", "admin")
Role = Annotated[str, typer.Option(help="bench, manufacturing, engineer, approver, supplier, auditor or admin.")]
Party = Annotated[str | None, typer.Option(help="issuer:id of the party; a supplier needs one.")]

tokens = typer.Typer(help="Tokens for programs: bearer secrets, kept as hashes only.", no_args_is_help=True)
links = typer.Typer(help="One-time sign-in links for people.", no_args_is_help=True)


def sign_in_links(sessions: "Sessions", url: str) -> Iterator[tuple[str, str]]:
    """A new one-time link for each role, and for each supplier of the worked example: who, and the link."""
    from examples.prius.story import seats

    for role in ROLES:
        code = sessions.link(role, f"{role.title()} (sign-in link)")
        yield role, f"{url}/sign-in?code={code}"
    for seat in seats():
        if seat.role == "supplier":
            code = sessions.link("supplier", seat.name, seat.party)
            yield f"supplier {seat.name}", f"{url}/sign-in?code={code}"


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.add_typer(tokens, name="token")
    app.add_typer(links, name="link")


@tokens.command("create")
def create_token(
    role: Role,
    name: Annotated[str, typer.Option(help="Who uses it.")],
    party: Party = None,
    source: Annotated[str | None, typer.Option(help="Prefix of the event sources it may speak for.")] = None,
) -> None:
    """Print a new token and nothing else on standard output; it is shown this once."""
    with parts(settings.load()) as here:
        here.prepare()
        print_line(here.tokens.issue(role, name, party, source))


@tokens.command("list")
def list_tokens(json: Json = False) -> None:
    """The tokens: id, name, role, party, source prefix, when issued and revoked."""
    with parts(settings.load()) as here:
        here.prepare()
        found = here.tokens.list()
    result({"items": found}, json)


@tokens.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(help="The token's id, as `token list` shows it.")],
    reason: Annotated[str, typer.Option(help="Why.")],
) -> None:
    """Refuse a token from now on."""
    with parts(settings.load()) as here:
        here.prepare()
        here.tokens.revoke(token, reason)
    words("Revoked.")


@links.command("create")
def create_link(
    role: Role, name: Annotated[str, typer.Option(help="Who signs in with it.")], party: Party = None
) -> None:
    """Print a one-time sign-in link, good for a day."""
    with parts(settings.load()) as here:
        here.prepare()
        code = here.sessions.link(role, name, party)
        print_line(f"{here.settings.url}/sign-in?code={code}")
