"""Commands that move data: import, export, rebuild, gather, migrate."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from events.errors import Invalid, Refused, Unavailable
from services import settings
from services.cli.opening import parts
from services.cli.printing import Json, bar, result, words

if TYPE_CHECKING:
    from services.exchange.importing import Summary
    from services.wiring import Parts

NoDecider = Annotated[bool, typer.Option("--no-decider", help="Fold, and conclude nothing.")]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("import")(import_)
    app.command()(export)
    app.command()(rebuild)
    app.command()(gather)
    app.command()(retry)
    app.command()(migrate)


def import_(
    paths: Annotated[list[Path], typer.Argument(help="Files of newline-delimited CloudEvents, or one whole export.")],
    no_decider: NoDecider = False,
    json: Json = False,
) -> None:
    """Import events; safe to repeat: what is known already is counted as a duplicate. Exit 1 when any was refused."""
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        raise typer.BadParameter(f"no such file: {', '.join(missing)}", param_hint="PATHS")
    with parts(settings.load()) as here:
        here.prepare()
        summary = _import(here, paths)
        for problem in summary.problems:
            words(problem)
        if summary.rejected > len(summary.problems):
            words(f"… and {summary.rejected - len(summary.problems)} more; all are kept in quarantine.")
        _follow(here, decide=not no_decider)
        _seal(here)
    result(summary.shown(), json)
    sys.exit(1 if summary.rejected else 0)


def _import(here: "Parts", paths: list[Path]) -> "Summary":
    from services.exchange.importing import OPERATOR, import_export, import_files, is_whole_export

    size = sum(path.stat().st_size for path in paths)
    with bar("importing", size) as progress:

        def advance(count: int) -> None:
            progress.advance(progress.task_ids[0], count)

        if len(paths) == 1 and is_whole_export(paths[0]):
            return import_export(here.log, paths[0], OPERATOR, advance)
        return import_files(here.ingest, paths, OPERATOR, advance)


def _follow(here: "Parts", *, decide: bool) -> None:
    """Let the projections catch up and, unless told otherwise, conclude; a running worker does it instead."""
    head = here.log.head()
    with bar("folding", head) as progress:
        reached = here.projector.reach_head(progress=lambda at, _: progress.update(progress.task_ids[0], completed=at))
    if here.projector.lease is None:
        if not reached:
            words("A worker is running; it folds what was imported.")
        return
    # Inference brings scipy, which takes a second to import: only what concludes pays for it.
    from services.engine.decider import Decider
    from services.store.log import wall_clock

    decider = Decider(here.database, here.log, here.projector, wall_clock, settle_s=0.0)
    while decide and decider.decide_once():
        here.projector.catch_up()


def _seal(here: "Parts") -> None:
    """Sign what was imported, without appending anything; a running worker does it instead."""
    try:
        here.sealer.seal()
    except Refused as error:
        words(f"Not sealed: {error.detail}")


def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to write; none: standard output.")] = None,
    after: Annotated[int, typer.Option(min=0, help="Only events after this position.")] = 0,
) -> None:
    """Write the log as newline-delimited events: the stored bytes, ids, times and engine events kept."""
    from services.exchange.exporting import export as exported

    with parts(settings.load()) as here:
        here.prepare()
        head, count = here.log.head(), 0
        file = sys.stdout.buffer if output is None else output.open("wb")
        with bar("exporting", max(head - after, 0)) as progress:
            for body in exported(here.log, after, head):
                file.write(body + b"\n")
                count += 1
                progress.advance(progress.task_ids[0])
        file.flush()
        if output is not None:
            file.close()
    words(f"{count} events, up to position {head}.")


def rebuild(
    name: Annotated[str | None, typer.Argument(help="A projection; none: all of them.")] = None,
    ahead: Annotated[
        bool,
        typer.Option("--ahead", help="Before this release is started: fold beside what it folds differently, no more."),
    ] = False,
    json: Json = False,
) -> None:
    """Fold projections again from the start into fresh tables beside the live ones, then swap."""
    with parts(settings.load()) as here:
        here.prepare()
        known = sorted(here.projector.projections)
        if name is not None and name not in known:
            raise Invalid(f"There is no projection '{name}'; there are {', '.join(known)}.")
        done = {}
        for each in [name] if name else known:
            if not ahead:
                done[each] = _rebuild(here, each)
            elif each in {one.name for one in here.projector.raising.shown()}:
                done[each] = _ahead(here, each)
        _tell(here)
    result({"folded ahead" if ahead else "rebuilt": done}, json)


def _rebuild(here: "Parts", name: str) -> int:
    with bar(f"rebuilding {name}", here.log.head()) as progress:
        return here.projector.rebuild(
            name, lambda at, to: progress.update(progress.task_ids[0], completed=at, total=to)
        )


def _ahead(here: "Parts", name: str) -> int:
    """Up to the head as it is now; the start of this release folds what came after, and swaps."""
    with bar(f"folding {name}", here.log.head()) as progress:
        return here.projector.raising.ahead(
            here.projector.projections[name],
            here.log.head(),
            lambda at, to: progress.update(progress.task_ids[0], completed=at, total=to),
        )


def _tell(here: "Parts") -> None:
    """Say in the log what was set aside or no longer is; where nothing may be appended, a worker does it later."""
    from services.store.sealing.ledger.parking import Parkings

    with suppress(Unavailable):
        Parkings(here.log).tell()


def gather(json: Json = False) -> None:
    """Give projections that `worker --shard` folds back to one process; what shares lack is folded from the log."""
    with parts(settings.load()) as here:
        here.prepare()
        done = {one.name: here.projector.sharing.gather(one) for one in here.projector.sharing.divided()}
    result({"gathered": done}, json)


def retry(json: Json = False) -> None:
    """Fold again the events that were set aside; exit 1 while some of them still cannot be folded, with the reasons."""
    with parts(settings.load()) as here:
        here.prepare()
        folded = here.projector.retry_parked()
        _tell(here)
        left = here.projector.parked()
    parked = [{"projection": one.projection, "position": one.position, "error": one.error} for one in left]
    if json:
        result({"folded": folded, "parked": parked}, True)
    else:
        result({"folded": folded, "still set aside": len(left)}, False)
        for one in left:
            words(f"{one.projection}, position {one.position}: {one.error}")
    sys.exit(1 if left else 0)


def migrate(json: Json = False) -> None:
    """Bring the tables up to this release, as their owner, and grant the service's role what it needs.

    Safe to repeat, and at several places at once. Without LODESTONE_DATABASE_URL `serve` and `run` do it by themselves.
    """
    found = settings.load()
    if found.database_url is None:
        with parts(found) as here:
            done = here.database.migrate()
    else:
        from services.wiring import connected

        done = connected(found, found.database_url, found.database_owner_url).migrate()
    words(done.sentence)
    if json:
        result({"from": done.before, "to": done.after, "role": done.role, "granted": done.granted}, True)
