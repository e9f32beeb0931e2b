"""The projector: at once, in pieces, rebuilt and in dictionaries are the same; each event counts once."""

import threading
from dataclasses import fields, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from events.envelope import draft_of
from events.errors import NotFound, Refused, Unavailable, UnknownType
from projections.folds.memory import DictRows, fold_all, state_digest
from services.store import generations, leases, projector
from services.store.database import Database
from services.store.log import Append, Log
from services.store.projector import Projector
from services.store.shapes import stored_table
from tests.store.counting import COUNTING, LotSum, Motor, built, event, voided
from tests.store.facts import straight

_owners = count(1)


def projecting(log, *projections, owner=None):
    made = Projector(log.database, log, projections or (COUNTING,), owner or f"test-{next(_owners)}")
    made.prepare()
    return made


def append(log, *drafts):
    log.append(Append(tuple(drafts)))


def rows_of(projector, row_type):
    """The rows as readers see them, by key."""
    with projector.database.connect() as connection:
        found = connection.execute(select(projector.table(row_type))).mappings().all()
    return {row[row_type.__key__[0]]: dict(row) for row in found}


def stored(projector, row_type):
    """The rows as they are stored, numbers as they were written."""
    with projector.database.connect() as connection:
        at = generations.live(connection, "counting")
        found = connection.execute(select(stored_table(COUNTING, row_type, at.generation))).mappings().all()
    return {row[row_type.__key__[0]]: dict(row) for row in found}


def in_dictionaries(log, projection=COUNTING):
    return fold_all(projection, log.read(0, 100_000))


def seen(rows, row_type):
    return {
        key[0]: {field.name: _listed(getattr(row, field.name)) for field in fields(row)}
        for key, row in rows.tables[row_type].items()
    }


def _listed(value):
    return [_listed(item) for item in value] if isinstance(value, (tuple, list)) else value


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
def test_at_once_in_pieces_rebuilt_and_in_dictionaries_are_the_same(postgres, history, pieces):
    name = f"projector_{next(_runs)}"
    postgres.make_database(name, template="lodestone_template")
    log = Log(Database(postgres.addresses(name).service, pool_size=2))
    for number, (kind, motor, lot, ticks, ratio, notes) in enumerate(history):
        one = built(number, lot, ticks, motor, ratio=ratio, notes=notes) if kind == "built" else voided(number, motor)
        append(log, one)
    pieced = projecting(log)
    for size in pieces:
        pieced.catch_up(until=min(log.head(), pieced.position() + size))
    pieced.catch_up()
    digest = pieced.digest("counting")
    assert digest == state_digest(in_dictionaries(log))
    assert stored(pieced, Motor) == seen(in_dictionaries(log), Motor)
    assert pieced.rebuild("counting") == log.head()
    assert pieced.digest("counting") == digest
    assert stored(pieced, LotSum) == seen(in_dictionaries(log), LotSum)
    log.database.dispose()
    postgres.drop_database(name)


def test_several_pages_are_folded_in_one_catch_up(log):
    number = projector.BATCH + 7
    append(log, *(built(n, f"L{n % 3}", n) for n in range(number)))
    told = []
    made = projecting(log)
    assert made.catch_up(progress=lambda at, wanted: told.append((at, wanted))) == number
    assert told == [(projector.BATCH, number), (number, number)]
    assert made.digest("counting") == state_digest(in_dictionaries(log))


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
    assert newer.positions() == {"counting": 0}
    newer.catch_up()
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


def test_the_process_that_holds_the_lease_folds_and_the_other_waits(log):
    append(log, built(1, "L1", 1))
    first, second = projecting(log), projecting(log)
    assert first.catch_up() == 1
    append(log, built(2, "L1", 2))
    assert second.catch_up() == 0
    assert second.lease is None
    assert first.catch_up() == 1
    leases.release(log.database, first.lease)
    append(log, built(3, "L1", 3))
    assert second.catch_up() == 1
    assert rows_of(second, LotSum)["L1"]["motors"] == 3


def test_a_paused_owner_whose_lease_was_taken_writes_nothing(log, postgres):
    append(log, built(1, "L1", 1))
    paused, other = projecting(log), projecting(log)
    lease = leases.take(log.database, projector.LEASE, paused.owner)
    with log.database.begin() as connection:
        connection.execute(text("UPDATE leases SET expires_at = now() - interval '1 second'"))
    assert other.catch_up(until=0) == 0
    assert other.lease.epoch == lease.epoch + 1
    with pytest.raises(leases.Fenced):
        paused._batch(1, lease)
    assert paused.positions() == {"counting": 0}
    assert rows_of(paused, LotSum) == {}
    assert other.catch_up() == 1


def test_a_lease_taken_in_the_middle_ends_the_catch_up_without_an_error(log):
    append(log, *(built(n, "L1", n) for n in range(3)))

    def steal(at, wanted):
        with log.database.begin() as connection:
            connection.execute(text("UPDATE leases SET owner = 'thief', epoch = epoch + 1"))

    made = projecting(log)
    assert made.catch_up(until=2, progress=steal) == 2
    assert made.lease is None
    assert made.positions() == {"counting": 2}


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


def test_the_digest_covers_the_state_and_not_where_it_came_from(log):
    append(log, built(1, "L1", 5), voided(1, "m1"), built(2, "L2", 7), built(3, "L2", 8))
    made = projecting(log)
    made.catch_up()
    rows = DictRows(COUNTING.row_types)
    for one in in_dictionaries(log).tables[Motor].values():
        rows.put(replace(one, position=999))
    rows.put(next(row for row in in_dictionaries(log).tables[LotSum].values() if row.lot == "L2"))
    assert made.digest("counting") == state_digest(rows)
    rows.put(Motor("m2", "L2", 8, None, (), 0))
    assert made.digest("counting") != state_digest(rows)
    assert made.digests() == (4, {"counting": made.digest("counting")})


def test_a_rebuild_repairs_rows_that_were_changed_by_hand(log):
    append(log, *(built(n, f"L{n % 2}", n) for n in range(50)))
    made = projecting(log)
    made.catch_up()
    digest = made.digest("counting")
    with log.database.begin() as connection:
        connection.execute(text("UPDATE projections.counting_lot_sum_v1_g1 SET total = total + 1"))
    assert made.digest("counting") != digest
    told = []
    assert made.rebuild("counting", lambda at, wanted: told.append((at, wanted))) == 50
    assert told[-1] == (50, 50)
    assert made.digest("counting") == digest


def test_a_rebuild_goes_on_while_the_log_grows_and_readers_never_see_it_half_done(log):
    append(log, *(built(n, "L1", 1) for n in range(2 * projector.BATCH)))
    made = projecting(log)
    made.catch_up()
    totals, ended = set(), threading.Event()

    def read():
        while not ended.is_set():
            totals.add(rows_of(made, LotSum)["L1"]["motors"])

    def grow(at, wanted):
        if at == projector.BATCH:
            append(log, built(9999, "L2", 1))
            made.catch_up()

    reader = threading.Thread(target=read)
    reader.start()
    made.rebuild("counting", grow)
    ended.set()
    reader.join()
    assert totals == {2 * projector.BATCH}
    assert made.digest("counting") == state_digest(in_dictionaries(log))
    assert made.positions() == {"counting": 2 * projector.BATCH + 1}


def test_a_rebuild_that_was_killed_leaves_nothing_after_the_next_one(log):
    append(log, *(built(n, "L1", 1) for n in range(projector.BATCH + 1)))
    made = projecting(log)
    made.catch_up()

    class Killed(RuntimeError):
        """The process ended here."""

    def kill(at, wanted):
        raise Killed

    with pytest.raises(Killed):
        made.rebuild("counting", kill)
    assert rows_of(made, LotSum)["L1"]["motors"] == projector.BATCH + 1
    made.rebuild("counting")
    with log.database.connect() as connection:
        query = text("SELECT count(*) FROM pg_tables WHERE schemaname = 'projections'")
        assert connection.execute(query).scalar() == len(COUNTING.row_types)
        assert connection.execute(text("SELECT count(*) FROM projection_checkpoints")).scalar() == 1


def test_one_rebuild_at_a_time_and_only_of_what_there_is(log):
    made = projecting(log)
    leases.take(log.database, "rebuild:counting", "somebody else")
    with pytest.raises(Refused, match="Another process"):
        made.rebuild("counting")
    with pytest.raises(NotFound, match="there are counting"):
        made.rebuild("genealogie")
