"""Cursors of numbered lists, the log and the feeds: a number, and from the second epoch on `E-N` with its epoch.

A log that was restored goes on as another history. A reader that is beyond the fork has read what is there no more:
it is told so (410) and from which cursor to go on, instead of skipping what took the same numbers since.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from events.errors import Gone, Unavailable
from services.doors.paging import wrong_cursor
from services.store.sealing.epochs import Opening, openings
from services.store.tables import log_streams

_CURSOR = re.compile(r"(?:([1-9][0-9]{0,8})-)?([0-9]{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fork:
    """Where an epoch began: its last number, and its last position in the log, that the history before has too."""

    epoch: int
    number: int
    position: int


@dataclass(frozen=True, slots=True)
class Cursors:
    """Reads and writes the cursors of one numbered list."""

    forks: tuple[Fork, ...] = ()

    @property
    def epoch(self) -> int:
        return max((fork.epoch for fork in self.forks), default=1)

    def write(self, number: int) -> str:
        """The cursor after this number."""
        return str(number) if self.epoch == 1 else f"{self.epoch}-{number}"

    def read(self, cursor: str | None) -> int:
        """The number that a cursor stands for; 0 without one.

        Raises Invalid for what is no cursor, Gone for one beyond a fork, Unavailable for one of an epoch to come: then
        the log was restored, and nobody has opened the next epoch yet.
        """
        if not cursor:
            return 0
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise wrong_cursor()
        epoch, number = int(match[1] or 1), int(match[2])
        if epoch > self.epoch:
            raise Unavailable(
                f"Your cursor is of epoch {epoch}, and this log is in epoch {self.epoch}: it was restored from an "
                "older state. Keep your cursor and try again when the operator has recovered the log.",
                retry_after_s=60,
            )
        crossed = [fork for fork in self.forks if fork.epoch > epoch and number > fork.number]
        if crossed:
            raise self._gone(min(crossed, key=lambda fork: fork.number))
        return number

    def _gone(self, fork: Fork) -> Gone:
        cursor = self.write(fork.number)
        return Gone(
            f"The log was restored to position {fork.position} and went on as epoch {self.epoch}: what you read beyond "
            f"number {fork.number} is there no more. Forget what came after it, and go on from the cursor {cursor}.",
            fork_position=fork.position,
            fork_number=fork.number,
            epoch=self.epoch,
            cursor=cursor,
        )


def log_cursors(connection: Connection) -> Cursors:
    """The cursors of the log; its numbers are positions."""
    return Cursors(tuple(Fork(opening.epoch, opening.fork, opening.fork) for opening in openings(connection)))


def stream_cursors(connection: Connection, stream: str) -> Cursors:
    """The cursors of a numbered stream of the log."""

    def fork(opening: Opening) -> Fork:
        query = select(func.coalesce(func.max(log_streams.c.version), 0))
        query = query.where(log_streams.c.stream == stream, log_streams.c.position <= opening.fork)
        return Fork(opening.epoch, int(connection.execute(query).scalar_one()), opening.fork)

    return Cursors(tuple(fork(opening) for opening in openings(connection)))
