"""Readiness by part: what makes the service not ready, what only degrades it, and the words for both.

Not ready (503): this process cannot do its work, and another may, or the caller had better wait: no database, tables of
another release, a log that takes nothing in, projections that are not made or stand before a newer release's event, and
a process that is stopping. Degraded (200): it does its work, but something behind it is late or missing, which taking
this process out of the balance would not mend.
"""

from collections.abc import Callable
from typing import Any

from events.errors import DomainError
from services.doors.operations import processes
from services.doors.operations.status import progress, relayed, sealed
from services.runtime import Runtime
from services.store.reports import reports

LATE_S = 60.0
"""Older than this, and what waits to be folded, sealed or published is late."""
Part = dict[str, Any]


def readiness(runtime: Runtime) -> tuple[bool, dict[str, Any]]:
    """Whether the service is ready, and the whole answer: status, the parts, and the sentences of degraded ones."""
    found = _parts(runtime)
    ready = all(part["ready"] for part in found.values())
    degraded = {name: part["detail"] for name, part in found.items() if part["ready"] and part.get("degraded")}
    status = "degraded" if degraded else "ready"
    if not ready:
        status = "stopping" if runtime.stopping.is_set() else "not ready"
    return ready, {"status": status, "degraded": degraded, "parts": found}


def _parts(runtime: Runtime) -> dict[str, Part]:
    if runtime.stopping.is_set():
        words = "This process is stopping: it answers what it has begun and takes nothing more."
        return {"service": {"ready": False, "detail": words}}
    database = _asked(_database, runtime)
    found = {"database": database}
    if not database["ready"]:
        return found
    for name, ask in (("migrations", _migrations), ("log", _log), ("projections", _projections), ("seals", _seals)):
        found[name] = _asked(ask, runtime)
    return found | (_processes(runtime) if found["migrations"]["ready"] else {})


def _asked(ask: Callable[[Runtime], Part], runtime: Runtime) -> Part:
    try:
        return ask(runtime)
    except DomainError as error:
        return {"ready": False, "detail": error.detail}


def _degraded(part: Part, detail: str | None) -> Part:
    return {"ready": True, "degraded": True, "detail": detail, **part} if detail else {"ready": True, **part}


def _database(runtime: Runtime) -> Part:
    standing = runtime.database.standing()
    words = "The database takes no writes: pages stay readable, events are refused with 503 until it does."
    note = {"note": standing.weak} if standing.weak else {}
    return _degraded(note, words if standing.read_only else None)


def _migrations(runtime: Runtime) -> Part:
    if runtime.database.migrated():
        return {"ready": True}
    return {"ready": False, "detail": "The tables are of another release; run `lodestone migrate`."}


def _log(runtime: Runtime) -> Part:
    """Whether the log continues what was signed, so that it takes more in."""
    if runtime.guard is not None:
        runtime.guard()
    return {"ready": True, "position": runtime.log.head()}


def _projections(runtime: Runtime) -> Part:
    missing = sorted(set(runtime.projector.projections) - set(runtime.projector.positions()))
    if missing:
        return {"ready": False, "detail": f"Not made yet: {', '.join(missing)}; `lodestone worker` makes them."}
    stopped = runtime.projector.stopped()
    if stopped is not None:
        return {"ready": False, "detail": stopped}
    raised = runtime.projector.raising.shown()
    unreadable = [one.sentence for one in raised if not one.readable]
    if unreadable:
        return {"ready": False, "detail": " ".join(unreadable)}
    found = progress(runtime, runtime.log.head())
    late = {name: one for name, one in found["projections"].items() if one["lag_s"] > LATE_S}
    words = f"Late by more than {LATE_S:g} s: {', '.join(late)}. Readers see an earlier position; see the worker."
    told = [*(one.sentence for one in raised), *([words] if late else [])]
    return _degraded(found, " ".join(told) or None)


def _seals(runtime: Runtime) -> Part:
    found = sealed(runtime, runtime.log.head())
    words = f"Nothing was sealed for {found['lag_s']:.0f} s; receipts wait. See the worker's log: it says why."
    return _degraded(found, words if found["lag_s"] > LATE_S else None)


def _processes(runtime: Runtime) -> dict[str, Part]:
    """What reports through the database; only what is configured."""
    told = reports(runtime.database)
    begun = processes.begun(runtime.database, kafka=runtime.kafka)
    wanted = processes.expected(told, begun, kafka=runtime.kafka)
    found = {name: processes.part(told, name, absent) for name, absent in wanted.items()}
    if "relay" in found:
        at = relayed(runtime, told, runtime.log.head())
        late = at["lag_s"] is not None and at["lag_s"] > LATE_S
        words = f"The relay is {at['lag']} events and {at['lag_s']} s behind; see its log." if late else None
        found["relay"] = {"detail": words, **at, **found["relay"]}
    return {name: _degraded(part, part.pop("detail", None)) for name, part in found.items()}
