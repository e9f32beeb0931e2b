"""Cursors move with the append: what comes a second time, or beside another, is refused before any of it is planned."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.errors import Unavailable
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Advance, Append, Companion, Conflicts, CursorMoved, Log, wall_clock
from services.store.log.appending import Plan
from tests.store.facts import count, draft, straight
from tests.store.log.gathering import in_one_group
from tests.store.test_lost_answers import fragile_log


def cursors(database: Database) -> dict[str, int]:
    with straight(database.owner_url) as connection:
        return dict(connection.execute("SELECT name, next FROM log_cursors").fetchall())


def quarantined(id: str) -> Companion:
    return Companion("quarantine", {"id": id, "received_at": wall_clock(), "event": b"{}", "problem": {}})


def test_a_cursor_moves_with_what_was_brought_and_a_second_try_is_refused(log: Log, database: Database) -> None:
    log.append(Append((draft(),), advances=(Advance("t/0", None, 1), Advance("t/1", None, 7))))
    with pytest.raises(CursorMoved) as refused:
        log.append(Append((draft(),), companions=(quarantined("q"),), advances=(Advance("t/0", None, 1),)))
    assert refused.value.facts["actual"] == 1
    log.append(Append((draft(),), advances=(Advance("t/0", 1, 2),)))
    assert (log.head(), count(database, "quarantine"), cursors(database)) == (2, 0, {"t/0": 2, "t/1": 7})


def test_one_stale_cursor_refuses_the_whole_of_its_request_and_nothing_of_another(database: Database) -> None:
    answers = in_one_group(
        database,
        [
            Append((draft(),), advances=(Advance("t/0", None, 5), Advance("t/1", None, 5))),
            Append((draft(),), advances=(Advance("t/0", 5, 9), Advance("t/1", 4, 9))),
            Append((draft(),)),
            Append((draft(),), advances=(Advance("t/0", 5, 6),)),
        ],
    )
    assert [isinstance(answer, CursorMoved) for answer in answers] == [False, True, False, False]
    assert Log(database).head() == 4
    assert cursors(database) == {"t/0": 6, "t/1": 5}


def test_an_append_without_events_moves_its_cursor_and_keeps_its_companions(log: Log, database: Database) -> None:
    assert log.append(Append((), companions=(quarantined("q"),), advances=(Advance("t/0", None, 3),))) == ()
    again = draft()
    log.append(Append((again,)))
    (outcome,) = log.append(Append((again,), advances=(Advance("t/0", 3, 4),)))
    assert (outcome.status, cursors(database), count(database, "quarantine")) == ("duplicate", {"t/0": 4}, 1)


def test_a_cursor_goes_back_where_the_topic_was_made_anew(log: Log, database: Database) -> None:
    log.append(Append((), advances=(Advance("t/0", None, 900),)))
    log.append(Append((), advances=(Advance("t/0", 900, 2),)))
    assert cursors(database) == {"t/0": 2}


def test_conflicts_are_told_all_at_once_and_neither_cursor_nor_companion_is_written(log: Log, database: Database):
    log.append(Append((draft(id="one", pieces=1), draft(id="two", pieces=1))))
    sent = (draft(id="one", pieces=2), draft(), draft(id="two", pieces=1), draft(id="two", pieces=2))
    with pytest.raises(Conflicts) as refused:
        log.append(Append(sent, companions=(quarantined("q"),), advances=(Advance("t/0", None, 4),)))
    told = [outcome.status for outcome in refused.value.outcomes]
    assert told == ["conflict", "accepted", "duplicate", "conflict"]
    assert (log.head(), cursors(database), count(database, "quarantine")) == (2, {}, 0)


@pytest.mark.parametrize("drafts", [(), (draft(),)], ids=["no event", "an event"])
def test_a_lost_answer_is_decided_by_the_cursor(database: Database, postgres: EmbeddedPostgres, drafts) -> None:
    request = Append(drafts, companions=(quarantined("q"),), advances=(Advance("t/0", None, 3),))
    with fragile_log(database, postgres, after_commit=True) as (fragile, cut):
        outcomes = fragile.append(request)
    assert cut.cuts == 1
    assert len(outcomes) == len(drafts)
    assert (cursors(database), count(database, "quarantine")) == ({"t/0": 3}, 1)


def test_a_commit_that_never_arrived_moved_nothing(database: Database, postgres: EmbeddedPostgres) -> None:
    with fragile_log(database, postgres, after_commit=False) as (fragile, cut):
        request = Append((draft(),), advances=(Advance("t/0", None, 3),))
        with pytest.raises(Unavailable):
            fragile.append(request)
        assert (cut.cuts, cursors(database)) == (1, {})
        assert fragile.append(request)[0].status == "accepted"


Move = tuple[int, int, bool]
"""Which member, how many messages it takes, and whether it looks where the cursor is before it does."""


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.booleans()), max_size=40))
@settings(deadline=None, max_examples=60)
def test_whoever_reads_and_however_often_each_message_of_a_topic_counts_once(moves: Sequence[Move]) -> None:
    plan = Plan(0, "2026-03-01T09:00:00.000000Z", {}, {})
    places: list[int | None] = [None, None, None]
    counted: list[int] = []
    for member, size, looks in moves:
        was = plan.cursors.get("t/0") if looks else places[member]
        first = was or 0
        messages = list(range(first, first + size))
        # Every delivery has an identity of its own here: nothing but the cursor can keep it from counting twice.
        request = Append(tuple(draft(offset=at) for at in messages), advances=(Advance("t/0", was, first + size),))
        try:
            plan.take(request)
        except CursorMoved as moved:
            places[member] = moved.facts["actual"]
        else:
            places[member] = first + size
            counted += messages
    assert counted == list(range(len(counted)))
    assert [one.event["data"]["offset"] for one in plan.drafts] == counted
