"""Requests that share a commit: each has its own answer, and none feels what is wrong with another."""

from datetime import UTC, datetime

import pytest

from events.errors import IdentityConflict, Invalid, VersionConflict
from services.store.database import Database
from services.store.log import Append, Companion, Log, Outcome
from tests.store.facts import count, draft, straight
from tests.store.log.gathering import in_one_group

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def companion(id: str = "q1", **wrong: object) -> Companion:
    return Companion("quarantine", {"id": id, "received_at": NOW, "event": b"{}", "problem": {}, **wrong})


def positions(answer: object) -> list[tuple[str, int | None]]:
    assert isinstance(answer, tuple)
    return [(outcome.status, outcome.position) for outcome in answer if isinstance(outcome, Outcome)]


def commits(database: Database) -> int:
    """How many transactions wrote the log: a row remembers the one that wrote it."""
    with straight(database.owner_url) as connection:
        row = connection.execute("SELECT count(DISTINCT xmin::text) FROM log_events").fetchone()
    assert row is not None
    return int(row[0])


def test_requests_that_came_together_share_a_commit_and_keep_their_order(database: Database) -> None:
    sent = [Append((draft(), draft())) for _ in range(5)]
    answers = in_one_group(database, sent)
    told = [outcome.position for answer in answers if isinstance(answer, tuple) for outcome in answer]
    assert told == list(range(2, 12))
    assert commits(database) == 2
    assert [event.id for event in Log(database).read(1, 20)] == [item.id for one in sent for item in one.drafts]


def test_a_conflict_fails_only_its_own_request(database: Database) -> None:
    stored = draft(id="one", pieces=1)
    Log(database).append(Append((stored,)))
    answers = in_one_group(
        database,
        [
            Append((draft(),)),
            Append((draft(), draft(id="one", pieces=2)), companions=(companion("of the refused"),)),
            Append((draft("proposals/p", versioned=True),), expected={"proposals/p": 7}),
            Append((draft(),), companions=(companion("of the accepted"),)),
        ],
    )
    assert positions(answers[0]) == [("accepted", 3)]
    assert isinstance(answers[1], IdentityConflict)
    assert isinstance(answers[2], VersionConflict) and answers[2].facts["actual"] == 0
    assert positions(answers[3]) == [("accepted", 4)]
    assert Log(database).head() == 4
    assert count(database, "quarantine") == 1


def test_a_later_request_of_a_group_sees_the_earlier_ones(database: Database) -> None:
    twin, other = draft(id="one", pieces=1), draft(id="one", pieces=2)
    versioned = [draft("proposals/p", versioned=True) for _ in range(3)]
    answers = in_one_group(
        database,
        [
            Append((twin, versioned[0]), {"proposals/p": 0}),
            Append((twin,)),
            Append((other,), atomic=False),
            Append((versioned[1],), {"proposals/p": 0}),
            Append((versioned[2],), {"proposals/p": 1}),
            Append((versioned[0],), {"proposals/p": 0}),
        ],
    )
    assert positions(answers[0]) == [("accepted", 2), ("accepted", 3)]
    assert positions(answers[1]) == [("duplicate", 2)]
    assert positions(answers[2]) == [("conflict", 2)]
    assert isinstance(answers[3], VersionConflict) and answers[3].facts["actual"] == 1
    assert positions(answers[4]) == [("accepted", 4)]
    assert positions(answers[5]) == [("duplicate", 3)]
    assert [event.stream_version for event in Log(database).read_stream("proposals/p")] == [1, 2]


def test_a_companion_that_cannot_be_written_fails_only_its_own_request(database: Database) -> None:
    answers = in_one_group(
        database,
        [
            Append((draft(),), companions=(companion("good"),)),
            Append((draft(),), companions=(companion("bad", received_at="no time"),)),
            Append((draft(),)),
        ],
    )
    assert positions(answers[0]) == [("accepted", 2)]
    assert isinstance(answers[1], Exception)
    assert positions(answers[2]) == [("accepted", 3)]
    assert Log(database).head() == 3
    assert count(database, "quarantine") == 1


def test_an_event_that_json_cannot_hold_fails_only_its_own_request(database: Database) -> None:
    answers = in_one_group(
        database, [Append((draft(),)), Append((draft(value=float("nan")),)), Append((draft(), draft()))]
    )
    assert positions(answers[0]) == [("accepted", 2)]
    assert isinstance(answers[1], Invalid)
    assert positions(answers[2]) == [("accepted", 3), ("accepted", 4)]


@pytest.mark.parametrize("known", [0, 1, 3])
def test_repeats_among_fresh_events_are_found_however_many_there_are(log: Log, known: int) -> None:
    sent = [draft() for _ in range(3)]
    log.append(Append(tuple(sent[:known])))
    outcomes = log.append(Append(tuple(sent), atomic=False))
    assert [outcome.status for outcome in outcomes] == ["duplicate"] * known + ["accepted"] * (3 - known)
    assert [outcome.position for outcome in outcomes] == [1, 2, 3]
