"""Import: newline-delimited CloudEvents through the same checks as the door, or a whole export byte for byte."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from events.errors import DomainError, Forbidden, Invalid, NotFound
from events.rules.access import Principal
from services.exchange.ingest import CHUNK, Answer, Ingest
from services.store.log import Log

Advance = Callable[[int], None]
"""Called with the number of bytes read since the last call."""
SHOWN_PROBLEMS = 20
OPERATOR = Principal(name="operator", role="admin")
"""Whoever can run commands on the machine that holds the database."""


@dataclass(slots=True)
class Summary:
    """What became of an import; `problems` holds the first refused lines, each with its file and line number."""

    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    waiting: int = 0
    seconds: float = 0.0
    position: int | None = None
    problems: list[str] = field(default_factory=list)

    def shown(self) -> dict[str, Any]:
        """The summary of the outside contract."""
        counts = {name: getattr(self, name) for name in ("accepted", "duplicate", "rejected", "waiting")}
        return {**counts, "seconds": round(self.seconds, 3)}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file: where it stands, its length, and the event or what is wrong with it."""

    place: str
    length: int
    event: object


def read_lines(paths: Iterable[Path]) -> Iterator[Line]:
    """The lines of these files; blank ones are passed over. Raises NotFound for a file that cannot be read."""
    for path in paths:
        try:
            with path.open("rb") as file:
                for number, raw in enumerate(file, 1):
                    if raw.strip():
                        yield Line(f"{path.name} line {number}", len(raw), _parsed(raw))
        except OSError as error:
            raise NotFound(f"{path} cannot be read: {error.strerror}.") from error


def _parsed(raw: bytes) -> object:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        end = "" if raw.endswith(b"\n") else " The file ends in the middle of it: was the export cut off?"
        return Invalid(f"The line is not a JSON object ({error}).{end}")


def import_files(ingest: Ingest, paths: list[Path], principal: Principal, advance: Advance) -> Summary:
    """Import events as they stand; each line counts by itself and may be sent again. Raises NotFound."""
    started, summary = time.monotonic(), Summary()
    batch: list[Line] = []
    for line in read_lines(paths):
        batch.append(line)
        if len(batch) == CHUNK:
            _take(ingest, batch, principal, summary, advance)
            batch = []
    _take(ingest, batch, principal, summary, advance)
    summary.seconds = time.monotonic() - started
    return summary


def _take(ingest: Ingest, batch: list[Line], principal: Principal, summary: Summary, advance: Advance) -> None:
    if not batch:
        return
    answer: Answer = ingest([line.event for line in batch], principal)
    summary.accepted += answer.count("accepted")
    summary.duplicate += answer.count("duplicate")
    summary.rejected += answer.count("rejected")
    summary.waiting += answer.waiting
    summary.position = max(summary.position or 0, answer.position or 0) or None
    for line, item in zip(batch, answer.items, strict=True):
        if item.problem is not None and len(summary.problems) < SHOWN_PROBLEMS:
            summary.problems.append(f"{line.place}: {item.problem['detail']}")
    advance(sum(line.length for line in batch))


def is_whole_export(path: Path) -> bool:
    """Whether the file holds stored events, as `lodestone export` writes them."""
    for line in read_lines([path]):
        return isinstance(line.event, dict) and "recordedtime" in line.event and "stream" in line.event
    return False


def import_export(log: Log, path: Path, principal: Principal, advance: Advance) -> Summary:
    """Import a whole export into an empty log, or go on where an earlier try was interrupted: same bytes, same order.

    Raises Forbidden for others than admins, Invalid when the log holds something else or a line is broken.
    """
    if principal.role != "admin":
        raise Forbidden("Only an administrator imports a whole export.")
    started, summary = time.monotonic(), Summary()
    head = log.head()
    batch: list[bytes] = []
    position = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            body = raw.rstrip(b"\n")
            if not body.strip():
                continue
            if isinstance(parsed := _parsed(raw), DomainError):
                raise Invalid(f"{path.name} line {number}: {parsed.detail} {position} events were imported.")
            position += 1
            advance(len(raw))
            if position <= head:
                _same(log, position, body, path)
                summary.duplicate += 1
                continue
            batch.append(body)
            if len(batch) == CHUNK:
                summary.position = log.append_stored(batch)
                summary.accepted += len(batch)
                batch = []
    if batch:
        summary.position = log.append_stored(batch)
        summary.accepted += len(batch)
    if head > position:
        raise Invalid(f"The log is longer than {path.name}: a whole export goes into an empty log.")
    summary.seconds = time.monotonic() - started
    return summary


def _same(log: Log, position: int, body: bytes, path: Path) -> None:
    if log.body(position) != body:
        raise Invalid(
            f"The log is not empty, and its position {position} differs from {path.name}: a whole export goes into an "
            "empty log. Use another LODESTONE_DATA_DIR, or import facts without `recordedtime`."
        )
