"""Commands that look: status, digest, verify, schema, config."""

import json as json_module
import sys
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from services import settings
from services.cli.opening import parts
from services.cli.printing import Json, bar, print_line, result, words

if TYPE_CHECKING:
    from services.store.projecting.projector import Projector

PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}
"""The verifier reads its own arguments, so that it is the same inside and outside of this command."""


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command()(status)
    app.command()(health)
    app.command()(digest)
    app.command()(verify)
    app.command("verify-receipt", context_settings=PASSED_ON)(verify_receipt)
    app.command()(schema)
    app.command()(config)


def status(json: Json = False) -> None:
    """How far the log and each projection are, and what waits."""
    from services.doors.operations.status import status as status_of

    with parts(settings.load()) as here:
        here.prepare()
        found = status_of(here.runtime())
    result(found, json)


def health(
    roles: Annotated[list[str], typer.Argument(metavar="ROLE…", help="worker, ingress, relay or shard.")],
) -> None:
    """Whether these roles do well on this machine, for a container's health check; exit 1 with a sentence if not."""
    from services.cli.health import here

    wrong = here(roles)
    if wrong is not None:
        words(wrong)
        sys.exit(1)


def digest(
    json: Json = False,
    record: Annotated[
        bool, typer.Option("--record", help="Append the digests; `verify` checks them from then on.")
    ] = False,
) -> None:
    """The digest of every projection's state, after catching up."""
    from services.store.sealing.ledger.digests import record_digests

    with parts(settings.load()) as here:
        here.prepare()
        here.projector.reach_head()
        position, found = here.projector.digests()
        if record:
            record_digests(here.log, position, _versions(here.projector), found)
    result({"position": position, "digests": found}, json)


def _versions(projector: "Projector") -> dict[str, int]:
    """The version of every projection's fold."""
    return {name: projection.version for name, projection in projector.projections.items()}


def verify(
    json: Json = False,
    checkpoint: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint of the log, or of a feed, that somebody kept; repeatable.")
    ] = None,
) -> None:
    """Recompute the whole log, its seals and every projection; exit 1 names the first wrong position."""
    from services.store.log import LogHole
    from services.store.verifying import verify as verified

    saved = [_note(path) for path in checkpoint or ()]
    with parts(settings.load()) as here:
        here.prepare()
        with suppress(LogHole):  # which the verification finds, and says more about
            here.projector.reach_head()
        with bar("verifying", 2 * here.log.head()) as progress:
            found = verified(
                here.log,
                here.projector,
                lambda at: progress.update(progress.task_ids[0], completed=at),
                data_dir=here.settings.data_dir,
                saved=saved,
            )
    result(found.shown(), json)
    if found.problems:
        for problem in found.problems:
            words(problem)
        sys.exit(1)


def _note(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} cannot be read: {error}", param_hint="--checkpoint") from error


def verify_receipt(arguments: Annotated[list[str] | None, typer.Argument(metavar="FILE --key KEY")] = None) -> None:
    """Verify a receipt, or all pages of a feed, offline: with the log's public key and nothing else."""
    from services import verifier

    sys.exit(verifier.main(arguments or []))


def schema(
    type: Annotated[str | None, typer.Argument(help="A full event type; none: list them.")] = None,
    example: Annotated[bool, typer.Option("--example", help="Print a complete example event instead.")] = False,
    asyncapi: Annotated[bool, typer.Option("--asyncapi", help="Print the AsyncAPI 3 document of Kafka.")] = False,
) -> None:
    """The JSON Schema (2020-12) of an event type, or its example; or what goes over Kafka."""
    from events import catalogue
    from events.schema import json_schema

    if asyncapi:
        from importlib.metadata import version

        from services.transports.kafka.asyncapi import document

        print_line(json_module.dumps(document(version("lodestone")), indent=2, ensure_ascii=False))
        return
    if type is None:
        for name in sorted(catalogue.CATALOGUE):
            print_line(name)
        return
    line = catalogue.find(type)
    if example:
        print_line(files("events").joinpath("golden", f"{line.type}.json").read_text(encoding="utf-8").strip())
        return
    print_line(json_module.dumps(json_schema(line.type), indent=2, ensure_ascii=False))


def config(json: Json = False) -> None:
    """Every setting: its value, where that came from, what it does."""
    rows = settings.explain(settings.load())
    if json:
        shown: dict[str, Any] = {
            row.name: {
                "value": row.value,
                "origin": row.origin,
                "description": row.description,
                **({"note": row.note} if row.note else {}),
            }
            for row in rows
        }
        result(shown, True)
        return
    table = Table(Column("Setting", no_wrap=True), Column("Value", overflow="fold"), "From", "What it does", box=None)
    for row in rows:
        table.add_row(row.name, row.value or "—", row.origin, row.description)
    Console(soft_wrap=True).print(table)
    for row in rows:
        if row.note:
            words(f"{row.name}: {row.note}")
