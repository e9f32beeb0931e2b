"""Sharing: shares fold apart and merge into the tables of one process, whatever comes between."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random

import pytest

from events.catalogue import CATALOGUE
from events.partitions import partition_of
from projections.folds.claims import FACTS
from projections.folds.fates import Fate
from services.store.projecting import generations, shares
from services.store.projecting.folding import newest
from services.store.projecting.mentions import Mentions
from services.store.projecting.pages import Moved
from services.store.projecting.projector import Projector
from services.store.projecting.shares import Share
from services.store.sealing.epochs import Restored
from services.store.sealing.recovering import open_epoch
from tests.folds.dictionaries import DictRows, fold_all, fold_together, state_digest
from tests.folds.plants import Plant, at, built, golden, ref, void
from tests.folds.plants import event as made
from tests.store.facts import straight
from tests.store.projecting.partitions import DIVISIBLE, SHARES, Killed, Member, Topic, store
from tests.waiting import PATIENCE_S, until

MOTOR = {share: f"M{next(n for n in range(99) if partition_of(f'works:M{n}', SHARES) == share)}" for share in range(3)}
"""A motor of each share."""


@pytest.fixture
def projector(log):
    made = Projector(log.database, log, DIVISIBLE, "one", page=50)
    made.prepare()
    return made


def measured(id, share, value=93.0, **more):
    data = {
        "motor": ref(MOTOR[share]), "bench": ref("B1"), "tested_at": at(3), "why": "all",
        "magnet_temperature": {"how": "model", "value": {"value": 20, "unit": "Cel", "u": 3}},
        "efficiency": {"value": value, "unit": "%"}, **more,
    }  # fmt: skip
    return made("tests.efficiency_measured", id, 3, data)


def story():
    """Motors of every share, tested twice each; one result is voided and one replaced by a fact of another share."""
    posted = [built(MOTOR[share], kirin=4) for share in range(SHARES)]
    posted += [measured(f"t{share}-{n}", share, 92 + n) for share in range(SHARES) for n in range(2)]
    return [*posted, void("v", "t0-1", MOTOR[1]), measured("r", 2, replaces={"source": "/plant", "id": "t1-0"})]


def drained(member, shares=range(SHARES), size=500):
    for share in shares:
        while member.step(share, size):
            pass
    return member


def divided(projector, posted=()):
    member = Member(projector.log, Topic(store(projector.log, posted) if posted else ()))
    member.divide(SHARES)
    return member


def wanted(log):
    events = [newest(one) for one in log.read(0, 100_000)]
    return {one.name: state_digest(fold_together(one, events)) for one in DIVISIBLE}


def digests(log):
    """The live digests as they are, wherever the shares stand."""
    with log.database.connect() as connection:
        found = {one: generations.live(connection, one.name) for one in DIVISIBLE}
        return {one.name: generations.digest(connection, one, live.generation) for one, live in found.items() if live}


@contextmanager
def thread(work, *arguments) -> Iterator[threading.Thread]:
    made = threading.Thread(target=work, args=arguments)
    made.start()
    yield made
    made.join(PATIENCE_S)
    assert not made.is_alive()


def waits_for_a_lock(database):
    """Whether a session of this database stands behind another one."""
    with straight(database.url) as connection:
        asked = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return connection.execute(asked).fetchall()


@pytest.mark.parametrize("projection", DIVISIBLE, ids=lambda one: one.name)
def test_every_fact_that_a_divisible_projection_keeps_is_of_the_motor_that_is_its_partition_key(projection):
    for one in golden():
        rows = fold_all(projection, [one])
        kept = [row for kind, table in rows.tables.items() if not issubclass(kind, Fate) for row in table.values()]
        if kept:
            assert one.type in FACTS and CATALOGUE[one.type].key == "motor"
            homes = [getattr(row, "motor", None) or getattr(row, "home", "") for row in kept]
            assert {home.removeprefix("motors/") for home in homes if home} == {one.partition_key}


def test_any_interleaving_with_kills_zombies_and_lost_commits_is_one_process(projector):
    log, member = projector.log, divided(projector)
    topic, rows = member.topic, {one.name: DictRows(one.row_types) for one in DIVISIBLE}
    for seed in range(6):
        chance = Random(seed)
        events = store(log, Plant(chance).draw(), f"/plant/{seed}")
        for event in events:
            topic.add(event)
        interleaved(log, topic, chance)
        drained(Member(log, topic))
        for one in DIVISIBLE:
            fold_together(one, events, rows[one.name])
        assert digests(log) == {name: state_digest(found) for name, found in rows.items()}, f"seed {seed}"
    assert projector.parked() == []


def interleaved(log, topic, chance):
    members = [Member(log, topic) for _ in range(3)]
    for _ in range(chance.randint(0, 16)):
        member = chance.choice(members)
        member.dies_after, member.deluded = chance.choice((1, 2, 2**62, 2**62)), chance.random() < 0.5
        try:
            member.step(chance.randrange(SHARES), chance.randint(1, 4))
        except Killed:
            members = [one if one is not member else Member(log, topic) for one in members]
        if chance.random() < 0.1:
            member.level(chance.randint(0, log.head()))


def test_shares_that_fold_at_the_same_time_are_one_process(projector):
    chance, log = Random(7), projector.log
    posted = [event for seed in range(8) for event in Plant(Random(seed)).draw()]
    for number, one in enumerate(posted):
        one["id"] = f"{one['id']}-{number // 30}"
    chance.shuffle(posted)
    posted = list({one["id"]: one for one in posted}.values())
    member = divided(projector, posted)
    with thread(drained, Member(log, member.topic), [0], 3), thread(drained, Member(log, member.topic), [1], 3):
        drained(Member(log, member.topic), [2], 3)
    assert digests(log) == wanted(log)


def test_only_a_correction_that_reaches_into_another_share_waits_for_the_others(projector):
    member = divided(projector, story())
    other = Member(projector.log, member.topic)
    with projector.database.begin() as connection:
        shares.together(connection)  # another share is in the middle of a page
        assert member.step(0, 500)
        with thread(drained, other, [1]) as waiting:
            until(lambda: waits_for_a_lock(projector.database))
            assert waiting.is_alive()
            connection.commit()
    drained(member)
    assert digests(projector.log) == wanted(projector.log)


def test_a_correction_that_waited_sees_what_came_and_was_folded_meanwhile(projector):
    """The void was read when the log did not hold the test yet; by the time that it may go on, that is folded."""
    log, member = projector.log, divided(projector, [*story()[:3], void("early", "late", MOTOR[1])])
    for share in (0, 2):
        drained(member, [share])
    other = Member(log, member.topic)
    with projector.database.begin() as connection:
        shares.together(connection)
        with thread(drained, other, [1]) as waiting:
            until(lambda: waits_for_a_lock(projector.database))
            assert waiting.is_alive()
            (late,) = store(log, [measured("late", 0)])
            member.topic.add(late)
            offset = max(place.next_offset for place in member.believed[0].values())
            page = member.topic.page(0, offset, 9)
            member._fold(connection, page, member.believed[0], Mentions(log, DIVISIBLE, page.events))
            connection.commit()
    assert digests(log) == wanted(log)


def test_a_member_that_believes_itself_elsewhere_is_refused_and_writes_nothing(projector):
    member = divided(projector, story())
    places = member.places([0])[0]
    before = digests(projector.log)
    ahead = {name: Share(0, place.position, 4, 2) for name, place in places.items()}
    with pytest.raises(Moved, match="Share 0 of correlation"):
        member.fold(member.topic.page(0, 4, 9), ahead)
    assert digests(projector.log) == before and member.places([0])[0] == places


def test_the_position_is_that_of_the_last_share_and_moves_only_over_what_is_folded(projector):
    member = divided(projector, story())
    head = projector.log.head()
    assert set(projector.positions().values()) == {0}
    drained(member, (0, 1))
    assert set(projector.positions().values()) == {0}
    stand = {share: (member.believed[share]["correlation"].next_offset, head) for share in (0, 1)}
    member.believed |= member.settle(stand, member.believed)
    assert set(projector.positions().values()) == {0}
    zombie = Member(projector.log, member.topic)
    zombie.assigned(2)
    drained(member, (2,))
    settled = zombie.settle({2: (99, head + 5)}, zombie.believed)
    assert settled == zombie.believed and max(projector.positions().values()) <= head
    member.settle({2: (member.believed[2]["correlation"].next_offset, head)}, member.believed)
    assert set(projector.positions().values()) == {head}


def test_digests_are_of_one_position_however_far_each_share_is(projector):
    member = divided(projector, story())
    drained(member, (1,))
    far = max(share.position for share in (member.places([n])[n]["correlation"] for n in range(SHARES)))
    position, found = projector.digests()
    events = [newest(one) for one in projector.log.read(0, far)]
    assert (position, found) == (far, {one.name: state_digest(fold_together(one, events)) for one in DIVISIBLE})
    assert projector.reach_head(seconds=0)
    assert projector.digests() == (projector.log.head(), wanted(projector.log))
    drained(member)
    assert projector.digests() == (projector.log.head(), wanted(projector.log))


def test_the_projector_leaves_shares_alone_until_they_are_gathered(projector):
    member = divided(projector, story())
    drained(member, (1,))
    assert projector.catch_up() == 0
    member.gather(DIVISIBLE[0])
    assert [one.name for one in member.divided()] == [DIVISIBLE[1].name]
    with pytest.raises(Moved, match="folded whole again"):
        member.fold(member.topic.page(1, 0, 5), member.believed[1])
    member.gather(DIVISIBLE[1])
    assert projector.catch_up() > 0
    assert projector.digests() == (projector.log.head(), wanted(projector.log))
    assert member.divide(5) == {one.name: 5 for one in DIVISIBLE}


def test_an_event_that_a_share_cannot_fold_is_set_aside_and_tried_again(projector):
    together = DIVISIBLE[0].fold_events

    def breaking(events, rows):
        if any(event.id == "t1-0" for event in events):
            raise ValueError("it is broken")
        together(events, rows)

    member = divided(projector, story())
    member.projections = (replace(DIVISIBLE[0], together=breaking), DIVISIBLE[1])
    drained(member)
    assert [(one.projection, one.error) for one in projector.parked()] == [("correlation", "ValueError: it is broken")]
    assert projector.digest("correlation").startswith("incomplete:")
    assert projector.retry_parked() == 1
    assert digests(projector.log) == wanted(projector.log) and projector.parked() == []


def test_shares_that_are_beyond_a_restored_log_are_made_anew_and_whole(projector):
    member = divided(projector, story())
    head = projector.log.head()
    drained(member)
    member.settle({0: (member.believed[0]["correlation"].next_offset, head + 3)}, member.believed)
    open_epoch(projector.database, Restored(1, head + 3, head, "a note"), "A disk was lost.", projector.clock())
    projector.prepare()
    assert member.divided() == []
    projector.catch_up()
    assert digests(projector.log) == wanted(projector.log)


def test_a_rebuild_of_shares_goes_on_where_they_are(projector):
    member = divided(projector, story())
    drained(member, (0, 2))
    place = member.places([0])[0]["correlation"]
    reached = projector.rebuild("correlation")
    now = member.places([0])[0]["correlation"]
    assert (now.next_offset, now.position) == (place.next_offset, reached)
    for one in store(projector.log, [measured("after", 0), measured("later", 1)]):
        member.topic.add(one)
    drained(Member(projector.log, member.topic))
    assert digests(projector.log) == wanted(projector.log)
