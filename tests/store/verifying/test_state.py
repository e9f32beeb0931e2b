"""The projections are folded again beside the live ones; recorded digests are held against the log."""

import pytest
from sqlalchemy import text

from events.errors import Refused
from services.store import leases
from services.store.sealing.ledger.digests import record_digests
from services.store.verifying.state import check_state
from tests.store.projecting.counting import COUNTING, built
from tests.store.projecting.folding import append, projecting


def grown(log, motors=30):
    append(log, *(built(number, f"L{number % 3}", number) for number in range(motors)))
    made = projecting(log)
    made.catch_up()
    return made


def record(log, projector, version=COUNTING.version):
    position, digests = projector.digests()
    record_digests(log, position, dict.fromkeys(digests, version), digests)


def check(projector):
    return check_state(projector, lambda _: None)


def test_an_honest_state_passes_and_leaves_nothing_behind(log):
    projector = grown(log)
    found = check(projector)
    assert found.problems == []
    assert found.live == {"counting": projector.digest("counting")}
    with log.database.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM projection_checkpoints")).scalar() == 1
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'projections'"
        assert connection.execute(text(tables)).scalar() == 2


def test_a_row_that_was_changed_by_hand_is_found(log):
    projector = grown(log)
    with log.database.begin() as connection:
        connection.execute(text("UPDATE projections.counting_lot_sum_v1_g1 SET total = total + 1"))
    assert check(projector).problems == [
        "The projection counting differs from the log folded again; `lodestone rebuild counting`."
    ]


def test_recorded_digests_are_compared_at_their_positions(log):
    projector = grown(log)
    record(log, projector)
    append(log, *(built(number, "L9", number) for number in range(30, 45)))
    projector.catch_up()
    record(log, projector)
    found = check(projector)
    assert (found.checked, found.problems) == (2, [])


def test_a_digest_that_is_not_the_logs_is_found_with_its_position(log):
    projector = grown(log)
    record_digests(log, 20, {"counting": COUNTING.version}, {"counting": "0" * 64})
    assert check(projector).problems == ["Position 20: the recorded digest of counting is not that of the log."]


def test_a_digest_of_another_version_of_the_fold_says_nothing(log):
    projector = grown(log)
    record(log, projector, version=COUNTING.version + 1)
    assert check(projector).checked == 0


def test_a_digest_is_recorded_once(log):
    projector = grown(log)
    record(log, projector)
    head = log.head()
    position, digests = 30, {"counting": projector.digest("counting")}
    assert record_digests(log, position, {"counting": COUNTING.version}, digests) == head
    assert log.head() == head


def test_an_incomplete_state_is_not_recorded(log):
    append(log, built(1, "L1", "poison"))
    projector = projecting(log)
    projector.catch_up()
    with pytest.raises(Refused, match="incomplete"):
        record(log, projector)
    assert check(projector).problems == []


def test_a_projection_that_is_being_rebuilt_is_waited_for(log):
    projector = grown(log)
    assert leases.take(log.database, "rebuild:counting", "another")
    with pytest.raises(Refused, match="rebuilding"):
        check(projector)
