"""One supplier's feed, read from its own stream of the log: numbered without gaps, complete, and nothing else."""

from dataclasses import dataclass

from sqlalchemy import select

from events.refs import Ref
from services.doors.context import Here
from services.doors.cursors import Cursors, stream_cursors
from services.store.sealing.feeds import last_head
from services.store.tables import log_events


def stream_of(party: Ref) -> str:
    """The stream that holds what this party was told and answered; its version is the feed's number."""
    return f"feeds/{party}"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a feed at one moment: entries as (number, stored bytes), and the signed checkpoint of the whole.

    `more` says whether entries follow. The checkpoint is of the same moment as the entries, unless nothing may be
    signed now: then it is the last one kept, and None where there is none.
    """

    entries: list[tuple[int, bytes]]
    after: int
    more: bool
    checkpoint: str | None
    cursors: Cursors


def part_of(here: Here, party: Ref, cursor: str | None, limit: int) -> Part:
    """The entries after a cursor. Raises Gone for a cursor beyond a fork, Invalid for none of this feed."""
    table, feeds = log_events, here.runtime.feeds
    signing = feeds if feeds is not None and feeds.may_sign() else None
    with here.runtime.database.snapshot() as connection:
        cursors = stream_cursors(connection, stream_of(party))
        after = cursors.read(cursor)
        query = select(table.c.stream_version, table.c.body).where(
            table.c.stream == stream_of(party), table.c.stream_version > after
        )
        rows = connection.execute(query.order_by(table.c.position).limit(limit + 1)).all()
        head = signing.head(connection, str(party)) if signing else last_head(connection, str(party))
    found = [(int(version), bytes(body)) for version, body in rows]
    return Part(found[:limit], after, len(found) > limit, head.note if head else None, cursors)
