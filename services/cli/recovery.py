"""The command after a restore: show what is lost, and open a new epoch when told so."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from events.errors import Refused
from services import settings
from services.cli.opening import parts
from services.cli.printing import Json, result, words

if TYPE_CHECKING:
    from services.store.sealing.epochs import Restored
    from services.wiring import Parts


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(recover)


def recover(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is only shown.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the log.")] = "The database was restored from an older state.",
    after: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Where no seal covers what is lost, but the relay or a reader is further than the log: the last "
            "position that both states have, where the restored log ended. A lower one is right too.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """After a database was restored from an older state: show what is lost, and with --yes go on as a new epoch."""
    with parts(settings.load()) as here:
        here.database.migrate()
        found = _found(here, after)
        if found is None:
            words(
                "The log continues what was signed: there is nothing to recover. (Where the relay or a reader is "
                "further than the log: --after POSITION, see docs/operations.md.)"
            )
            result({"recovered": False, "position": here.log.head()}, json)
            return
        _show(found)
        if not yes:
            raise Refused(f"Nothing was changed. With --yes the log goes on as epoch {found.epoch + 1}.")
        answer = _recovered(here, found, reason)
    result(answer, json)


def _found(here: "Parts", after: int | None) -> "Restored | None":
    from services.store.sealing.epochs import unsealed

    found = here.guard.look()
    if after is None:
        return found
    if found is not None:
        raise Refused(f"{found.sentence} Leave --after out: that checkpoint says where the two part.")
    with here.database.connect() as connection:
        return unsealed(connection, after)


def _show(found: "Restored") -> None:
    words(found.sentence)
    if found.said is not None:
        words("What was posted after it and is not in the log now has to be posted again.")
    elif found.head < found.signed:
        words(f"Lost: the positions {found.head + 1} to {found.signed}, and any that came after the last checkpoint.")
        words("If there is a newer dump, restore that one instead: what it holds is not lost.")
    else:
        words("Which positions the two histories share is not known: every reader will be sent back to the start.")
    words(f"Readers beyond position {found.shared} will be told (410) and go on from there; the keys stay the same.")


def _recovered(here: "Parts", found: "Restored", reason: str) -> dict[str, Any]:
    from services.store.log import wall_clock
    from services.store.sealing.recovering import open_epoch

    position = open_epoch(here.database, found, reason, wall_clock())
    here.projector.prepare()
    here.sealer.finish()
    words(f"The log goes on as epoch {found.epoch + 1} from position {position}.")
    return {"recovered": True, "epoch": found.epoch + 1, "fork_position": found.shared, "position": position}
