"""The log's guarantees: dense, once, all or nothing, versions consecutive, bytes kept."""

import hashlib
from datetime import UTC, datetime

import orjson
import pytest

from events.envelope import decode
from events.errors import IdentityConflict, VersionConflict
from services.store.database import Database
from services.store.log import Append, Companion, Log
from services.store.tables import log_events
from tests.store.facts import count, draft

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def companion(id: str = "q1") -> Companion:
    values = {"id": id, "received_at": NOW, "event": b"{}", "problem": {}}
    return Companion("quarantine", values)


def test_positions_are_dense_from_one_across_requests(log: Log) -> None:
    first = log.append(Append((draft(), draft())))
    second = log.append(Append((draft(),)))
    assert [outcome.position for outcome in (*first, *second)] == [1, 2, 3]
    assert [position for position, _ in log.read_bytes(0, 10)] == [1, 2, 3]
    assert log.head() == 3


def test_a_refused_request_leaves_no_hole(log: Log) -> None:
    log.append(Append((draft(),)))
    with pytest.raises(VersionConflict):
        log.append(Append((draft(),), expected={"proposals/p": 4}))
    assert log.append(Append((draft(),)))[0].position == 2


def test_a_duplicate_is_answered_with_its_first_position(log: Log) -> None:
    sent = draft()
    log.append(Append((draft(), sent)))
    log.append(Append((draft(),)))
    (again,) = log.append(Append((sent,)))
    assert (again.status, again.position) == ("duplicate", 2)
    assert log.head() == 3


def test_a_conflict_in_an_atomic_request_names_both_hashes_and_writes_nothing(log: Log, database: Database) -> None:
    stored, other = draft(id="one", pieces=1), draft(id="one", pieces=2)
    log.append(Append((stored,)))
    with pytest.raises(IdentityConflict) as refused:
        log.append(Append((draft(), other), companions=(companion(),)))
    assert refused.value.facts["stored_hash"] == stored.content_hash.hex()
    assert refused.value.facts["received_hash"] == other.content_hash.hex()
    assert log.head() == 1
    assert count(database, "quarantine") == 0


def test_a_conflict_in_a_batch_leaves_the_others_accepted(log: Log) -> None:
    stored = draft(id="one", pieces=1)
    log.append(Append((stored,)))
    outcomes = log.append(Append((draft(), draft(id="one", pieces=2), draft()), atomic=False))
    assert [outcome.status for outcome in outcomes] == ["accepted", "conflict", "accepted"]
    assert [outcome.position for outcome in outcomes] == [2, 1, 3]
    assert outcomes[1].stored_hash == stored.content_hash


def test_two_equal_drafts_of_one_request_are_stored_once_and_both_know_where(log: Log) -> None:
    sent = draft()
    outcomes = log.append(Append((sent, sent)))
    assert [(outcome.status, outcome.position) for outcome in outcomes] == [("accepted", 1), ("duplicate", 1)]
    assert log.head() == 1


def test_two_different_drafts_with_one_identity_conflict_within_the_request(log: Log) -> None:
    first, second = draft(id="one", pieces=1), draft(id="one", pieces=2)
    with pytest.raises(IdentityConflict):
        log.append(Append((first, second)))
    assert log.head() == 0
    outcomes = log.append(Append((first, second), atomic=False))
    assert [outcome.status for outcome in outcomes] == ["accepted", "conflict"]
    assert (outcomes[1].position, outcomes[1].stored_hash) == (1, first.content_hash)


def test_a_stale_expected_version_writes_nothing_companions_included(log: Log, database: Database) -> None:
    log.append(Append((draft("proposals/p", versioned=True),), expected={"proposals/p": 0}))
    with pytest.raises(VersionConflict) as refused:
        request = Append((draft("proposals/p", versioned=True),), {"proposals/p": 0}, (companion(),))
        log.append(request)
    assert refused.value.facts == {"stream": "proposals/p", "expected": 0, "actual": 1}
    assert log.head() == 1
    assert count(database, "quarantine") == 0


def test_companions_are_written_with_the_events_and_one_that_exists_stays(log: Log, database: Database) -> None:
    log.append(Append((draft(),), companions=(companion(),)))
    log.append(Append((draft(),), companions=(companion(),)))
    assert count(database, "quarantine") == 1
    assert log.head() == 2


def test_a_request_with_companions_only_writes_them(log: Log, database: Database) -> None:
    assert log.append(Append((), companions=(companion(),))) == ()
    assert count(database, "quarantine") == 1


def test_a_request_of_duplicates_writes_its_companions(log: Log, database: Database) -> None:
    known = draft()
    log.append(Append((known,)))
    assert [outcome.status for outcome in log.append(Append((known,), companions=(companion(),)))] == ["duplicate"]
    assert count(database, "quarantine") == 1


def test_versions_are_consecutive_in_each_stream_however_they_are_mixed(log: Log) -> None:
    streams = ["proposals/p", "proposals/q", "proposals/p", "proposals/p", "proposals/q"]
    log.append(Append(tuple(draft(stream, versioned=True) for stream in streams[:3])))
    log.append(Append(tuple(draft(stream, versioned=True) for stream in streams[3:])))
    assert [event.stream_version for event in log.read_stream("proposals/p")] == [1, 2, 3]
    assert [event.stream_version for event in log.read_stream("proposals/q")] == [1, 2]
    assert [event.position for event in log.read_stream("proposals/p", after_version=2)] == [4]


def test_facts_have_no_version(log: Log) -> None:
    log.append(Append((draft("lots/a"),)))
    assert log.read_stream("lots/a")[0].stream_version is None


def test_a_feed_gets_a_sequence_that_sorts_as_text(log: Log) -> None:
    log.append(Append(tuple(draft("feeds/magnus", versioned=True) for _ in range(11))))
    sequences = [orjson.loads(body)["sequence"] for _, body in log.read_bytes(0, 20)]
    assert sequences[0] == "000000000001"
    assert sequences == sorted(sequences) and len(set(sequences)) == 11
    log.append(Append((draft("proposals/p", versioned=True),)))
    assert "sequence" not in orjson.loads(log.body(12) or b"")


def test_stored_bytes_carry_what_the_service_adds_and_hash_to_the_leaf(database: Database) -> None:
    log = Log(database, clock=lambda: NOW)
    sent = draft("proposals/p", versioned=True)
    log.append(Append((sent,)))
    with database.connect() as connection:
        row = connection.execute(log_events.select()).one()
    event = orjson.loads(row.body)
    added = {"recordedtime": "2026-03-01T09:00:00.000000Z", "stream": "proposals/p", "streamversion": "1"}
    assert event == {**sent.event, **added}
    assert row.leaf_hash == hashlib.sha256(b"\x00" + row.body).digest()
    assert row.content_hash == sent.content_hash
    assert (row.stream, row.stream_version, row.recorded_at) == ("proposals/p", 1, NOW)


def test_a_request_of_stored_events_is_a_duplicate_even_when_its_versions_are_stale(
    log: Log, database: Database
) -> None:
    request = Append((draft("proposals/p", versioned=True),), {"proposals/p": 0}, (companion(),))
    log.append(request)
    (again,) = log.append(request)
    assert (again.status, again.position) == ("duplicate", 1)
    assert count(database, "quarantine") == 1


def test_stored_events_are_appended_with_their_own_bytes_times_and_versions(log: Log) -> None:
    log.append(Append((draft(), draft("feeds/magnus", versioned=True))))
    exported = [body.replace(b'"type"', b' "type"') for _, body in log.read_bytes(0, 10)]
    renamed = [body.replace(b'"id":"', b'"id":"copy-').replace(b"feeds/magnus", b"feeds/hiro") for body in exported]
    assert log.append_stored(renamed) == 4
    assert [body for _, body in log.read_bytes(2, 10)] == renamed
    assert log.read(3, 1)[0].recorded_time == decode(2, exported[1]).recorded_time
    log.append(Append((draft("feeds/hiro", versioned=True),)))
    assert [event.stream_version for event in log.read_stream("feeds/hiro")] == [1, 2]


def test_events_are_found_by_identity_and_position(log: Log) -> None:
    sent = draft()
    log.append(Append((draft(), sent)))
    found = log.find(sent.source, sent.id)
    assert found is not None and (found.position, found.content_hash) == (2, sent.content_hash)
    assert log.find(sent.source, "nobody") is None
    assert [event.id for event in log.read_positions([2])] == [sent.id]
    assert log.body(9) is None
