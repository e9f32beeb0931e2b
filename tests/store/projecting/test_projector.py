"""The projector: at once, in pieces, rebuilt and in dictionaries are the same; each event counts once."""

from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import structs
from sqlalchemy import text

from events.envelope import draft_of
from events.errors import Unavailable, UnknownType
from tests.folds.dictionaries import DictRows, state_digest
from tests.store.facts import straight
from tests.store.projecting.counting import COUNTING, LotSum, Motor, built, event, voided
from tests.store.projecting.folding import SIZE, append, in_dictionaries, projecting, rows_of, seen, stored


def test_tables_hold_what_the_dictionaries_hold(log):
    append(
        log, built(1, "L1", 10, ratio=0.1, notes=[["a", 0.1]]), built(2, "L1", -3), built(3, "L2", 4), voided(4, "m3")
    )
    projector = projecting(log)
    assert projector.catch_up() == 4
    expected = in_dictionaries(log)
    assert rows_of(projector, Motor) == seen(expected, Motor)
    assert rows_of(projector, LotSum) == seen(expected, LotSum)
    assert projector.digest("counting") == state_digest(expected)
    assert projector.positions() == {"counting": 4}


history = st.lists(
    st.tuples(
        st.sampled_from(["built", "built", "voided"]),
        st.sampled_from("abcd"),
        st.sampled_from(["L1", "L2", "L3"]),
        st.integers(-(2**20), 2**20),
        st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
        st.lists(st.tuples(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3),
                           st.floats(allow_nan=False, allow_infinity=False)), max_size=2),
    ),
    min_size=1,
    max_size=25,
)  # fmt: skip
_runs = count(1)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history, st.lists(st.integers(1, 6), max_size=6))
def test_at_once_in_pieces_rebuilt_and_in_dictionaries_are_the_same(log, history, pieces):
    run = next(_runs)  # the log of earlier examples stays: this projection folds them too, from the start
    for number, (kind, motor, lot, ticks, ratio, notes) in enumerate(history, 1000 * run):
        one = built(number, lot, ticks, motor, ratio=ratio, notes=notes) if kind == "built" else voided(number, motor)
        append(log, one)
    projection = replace(COUNTING, name=f"counting_{run}")
    pieced = projecting(log, projection, owner="one")
    for size in pieces:
        pieced.catch_up(until=min(log.head(), pieced.position() + size))
    pieced.catch_up()
    expected = in_dictionaries(log)
    digest = pieced.digest(projection.name)
    assert digest == state_digest(expected)
    assert stored(pieced, Motor) == seen(expected, Motor)
    assert pieced.rebuild(projection.name) == log.head()
    assert pieced.digest(projection.name) == digest
    assert stored(pieced, LotSum) == seen(expected, LotSum)


def test_several_pages_are_folded_in_one_catch_up(log):
    number = SIZE + 7
    append(log, *(built(n, f"L{n % 3}", n) for n in range(number)))
    told = []
    made = projecting(log)
    assert made.catch_up(progress=lambda at, wanted: told.append((at, wanted))) == number
    assert told == [(SIZE, number), (number, number)]
    assert made.digest("counting") == state_digest(in_dictionaries(log))


def test_a_catch_up_beyond_the_head_ends_at_the_head(log):
    append(log, built(1, "L1", 1))
    made = projecting(log)
    assert made.catch_up(until=1000) == 1
    assert made.catch_up(until=1000) == 0


def test_events_of_other_types_move_the_checkpoint_only(log):
    other = draft_of(event("x", "lodestone.parties.party_registered.v1", party="p"), "parties/p", versioned=False)
    append(log, other, built(1, "L1", 1), other)
    made = projecting(log)
    made.catch_up()
    assert made.positions() == {"counting": 2}
    assert len(rows_of(made, Motor)) == 1


def test_a_projection_that_comes_later_catches_up_with_the_others(log):
    append(log, built(1, "L1", 1), built(2, "L1", 2))
    projecting(log, owner="one").catch_up()
    append(log, built(3, "L2", 3))
    both = projecting(log, COUNTING, replace(COUNTING, name="second"), owner="one")
    assert both.positions() == {"counting": 2, "second": 0}
    both.catch_up()
    assert both.positions() == {"counting": 3, "second": 3}
    with log.database.connect() as connection:
        for name in ("counting", "second"):
            assert connection.execute(text(f"SELECT sum(total) FROM projections.{name}_lot_sum")).scalar() == 6


def test_a_new_version_is_folded_anew_and_the_old_tables_go(log):
    append(log, built(1, "L1", 1))
    projecting(log, owner="one").catch_up()
    newer = projecting(log, replace(COUNTING, version=2), owner="one")
    assert newer.catch_up() == 1
    assert rows_of(newer, LotSum)["L1"]["total"] == 1
    with log.database.connect() as connection:
        query = text("SELECT tablename FROM pg_tables WHERE schemaname = 'projections' ORDER BY 1")
        names = connection.execute(query).scalars().all()
    assert names == ["counting_lot_sum_v2_g2", "counting_motor_v2_g2"]


def test_dropping_one_projection_leaves_another_whose_name_begins_alike(log):
    append(log, built(1, "L1", 1))
    alike = replace(COUNTING, name="counting_motor")
    made = projecting(log, COUNTING, alike)
    made.catch_up()
    made.rebuild("counting")
    made.rebuild("counting")
    with log.database.connect() as connection:
        assert connection.execute(text("SELECT sum(total) FROM projections.counting_motor_lot_sum")).scalar() == 1


def straight_as_admin(log, postgres):
    return straight(postgres.addresses(log.database.engine.url.database).admin)


def test_a_crash_between_rows_and_checkpoint_never_counts_an_event_twice(log, postgres):
    append(log, *(built(n, "L1", n) for n in range(20)))
    made = projecting(log)
    made.catch_up(until=10)
    with straight_as_admin(log, postgres) as admin:
        admin.execute(
            "CREATE FUNCTION public.crash() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS "
            "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(5); RETURN NEW; END $$"
        )
        admin.execute(
            "CREATE TRIGGER crash BEFORE UPDATE ON projection_checkpoints FOR EACH ROW EXECUTE FUNCTION public.crash()"
        )
        with pytest.raises(Unavailable):
            made.catch_up()
        assert made.positions() == {"counting": 10}
        assert rows_of(made, LotSum)["L1"]["motors"] == 10
        admin.execute("DROP TRIGGER crash ON projection_checkpoints")
    made.catch_up()
    assert rows_of(made, LotSum)["L1"] == {
        "lot": "L1",
        "motors": 20,
        "total": 190,
        "squares": 2470,
        "seen": {str(n): 1 for n in range(20)},
        "gone": False,
    }
    assert made.parked() == []


def test_a_type_of_a_newer_release_stops_the_projections_just_before_it(log):
    newer = draft_of(event("n1", "lodestone.motors.motor_built.v99", motor="m9"), "motors/plant:m9", versioned=False)
    append(log, built(1, "L1", 1), newer, built(2, "L1", 2))
    made = projecting(log)
    with pytest.raises(UnknownType) as refused:
        made.catch_up()
    assert "Position 2 holds 'lodestone.motors.motor_built.v99'" in refused.value.detail
    assert "newer" in refused.value.detail
    assert made.positions() == {"counting": 1}
    assert made.parked() == []
    assert made.rebuild("counting") == 1


def test_the_release_that_wrote_a_newer_type_is_named(log):
    newer = draft_of(event("n1", "lodestone.motors.motor_built.v99", motor="m9"), "motors/plant:m9", versioned=False)
    append(log, built(1, "L1", 1), newer)
    with log.database.begin() as connection:
        connection.execute(text("INSERT INTO event_types VALUES ('lodestone.motors.motor_built.v99', '0.3.0', now())"))
    made = projecting(log)
    assert made.stopped() is None
    with pytest.raises(UnknownType, match=r"written by Lodestone 0\.3\.0\. Run that release or a later one"):
        made.catch_up()
        made.catch_up()
    assert "0.3.0" in (made.stopped() or "")


def test_the_digest_covers_the_state_and_not_where_it_came_from(log):
    append(log, built(1, "L1", 5), voided(1, "m1"), built(2, "L2", 7), built(3, "L2", 8))
    made = projecting(log)
    made.catch_up()
    rows = DictRows(COUNTING.row_types)
    for one in in_dictionaries(log).tables[Motor].values():
        rows.put(structs.replace(one, position=999))
    rows.put(next(row for row in in_dictionaries(log).tables[LotSum].values() if row.lot == "L2"))
    assert made.digest("counting") == state_digest(rows)
    rows.put(Motor("m2", "L2", 8, None, (), 0))
    assert made.digest("counting") != state_digest(rows)
    assert made.digests() == (4, {"counting": made.digest("counting")})
