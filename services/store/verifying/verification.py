"""The whole verification in one pass over the log, in memory that does not grow with it, and what was found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.store.log import Log
from services.store.projecting.projector import Projector
from services.store.sealing.ledger import log_id
from services.store.verifying.feeds import check_feeds, is_of_a_feed
from services.store.verifying.seals import Contradiction, Seals
from services.store.verifying.state import check_state
from services.store.verifying.stored import Reader, Stored

Advance = Callable[[int], None]
"""Called with the events done so far; each is done twice: read, then folded."""


@dataclass(slots=True)
class Verification:
    """What was found: how far the log was read and a checkpoint confirms it, each projection's digest, what is wrong.

    `wrong_positions` is (first, last): the first wrong event lies between them, as near as the evidence allows.
    """

    position: int = 0
    sealed: int = 0
    digests_checked: int = 0
    wrong_positions: tuple[int, int] | None = None
    projections: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def first_wrong_position(self) -> int | None:
        return None if self.wrong_positions is None else self.wrong_positions[0]

    def shown(self) -> dict[str, Any]:
        return {
            "verified": not self.problems,
            "position": self.position,
            "sealed": self.sealed,
            "digests_checked": self.digests_checked,
            "first_wrong_position": self.first_wrong_position,
            "wrong_positions": self.wrong_positions,
            "projections": self.projections,
            "problems": self.problems,
        }

    def contradicted(self, found: Contradiction) -> None:
        """Keep what is wrong, with the positions between which it lies."""
        where = f"Position {found.first}" if found.first == found.last else f"Positions {found.first} to {found.last}"
        self.problems.append(f"{where}: {found.sentence}")
        self.wrong_positions = self.wrong_positions or (found.first, found.last)


def verify(
    log: Log, projector: Projector, advance: Advance, *, data_dir: Path | None = None, saved: Sequence[str] = ()
) -> Verification:
    """Everything that can be checked. Stops reading at the first wrong position.

    Density, hashes, identities and versions of the stored events; the tree over their bytes against all that was
    sealed, signatures and their keys included; projections and recorded digests against the log folded again.
    `saved` are checkpoints of the log, or of feeds, that somebody kept.
    """
    found = Verification()
    seals = Seals(log.database, data_dir, tuple(note for note in saved if not is_of_a_feed(note)))
    if wrong := seals.begin():
        found.contradicted(wrong)
        return found
    for page in Reader(log.database).pages(log.head()):
        sound = [stored for stored in page if stored.wrong is None]
        wrong = seals.take(stored.leaf for stored in sound) or _by_itself(page)
        if wrong:
            found.contradicted(wrong)
            break
        found.position = page[-1].position
        advance(found.position)
    else:
        if wrong := seals.end(log.head()) or _feeds(log, seals, saved):
            found.contradicted(wrong)
    found.sealed = seals.sealed
    if not found.problems:
        state = check_state(projector, lambda position: advance(found.position + position))
        found.projections, found.problems, found.digests_checked = state.live, state.problems, state.checked
    return found


def _feeds(log: Log, seals: Seals, saved: Sequence[str]) -> Contradiction | None:
    """What is wrong with the signed heads of feeds, those among `saved` included."""
    with log.database.connect() as connection:
        heads = [note for note in saved if is_of_a_feed(note)]
        return check_feeds(connection, log_id(connection), seals.ledgers, seals.trusted, heads)


def _by_itself(page: Sequence[Stored]) -> Contradiction | None:
    """What is wrong with the last event of a page, whatever was sealed."""
    last = page[-1]
    return None if last.wrong is None else Contradiction(last.position, last.position, last.wrong)
