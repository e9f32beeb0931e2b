"""Sharing: shares fold apart and merge into the tables of one process, whatever comes between, and count nothing twice."""

import threading
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events.catalogue import CATALOGUE
from events.partitions import partition_of
from projections.folds.claims import FACTS
from projections.folds.fates import Fate
from projections.folds.memory import DictRows, fold_all, fold_together, state_digest
from services.store.projecting import shares
from services.store.projecting.pages import Moved
from services.store.projecting.projector import Projector
from tests.folds.plants import Plant, built, event, golden, plants, void
from tests.store.projecting.partitions import DIVISIBLE, SHARES, Killed, Member, Topic, store

WAIT_S = 20


@pytest.fixture
def projector(log):
    made = Projector(log.database, log, DIVISIBLE, "one")
    made.prepare()
    return made


def divided(projector, topic):
    member = Member(projector.log, topic)
    member.divide(topic.shares)
    return member


def drain(member):
    for share in range(member.topic.shares):
        while member.step(share, 500):
            pass


def expected(log):
    return {one.name: state_digest(fold_together(one, DictRowsOf(log), None)) for one in DIVISIBLE}


def DictRowsOf(log):
    from services.store.projecting.folding import newest

    return [newest(one) for one in log.read(0, 100_000)]


@pytest.mark.parametrize("projection", DIVISIBLE, ids=lambda one: one.name)
def test_every_fact_that_a_divisible_projection_keeps_is_of_the_motor_that_is_its_partition_key(projection):
    for one in golden():
        rows = fold_all(projection, [one])
        kept = [row for kind, table in rows.tables.items() if not issubclass(kind, Fate) for row in table.values()]
        if kept:
            assert one.type in FACTS and CATALOGUE[one.type].key == "motor"
            homes = {getattr(row, "motor", None) or getattr(row, "home", None) for row in kept} - {None}
            assert {home.removeprefix("motors/") for home in homes} == {one.partition_key}


@pytest.fixture(scope="module")
def growing(postgres):
    """One log for all examples: each adds its events, of a source of its own, to those before."""
    from services.store.database import Database
    from services.store.log import Log

    postgres.make_database("growing", template="lodestone_template")
    addresses = postgres.addresses("growing")
    database = Database(addresses.service, addresses.owner, pool_size=4)
    log = Log(database)
    one = Projector(database, log, DIVISIBLE, "one")
    one.prepare()
    yield Growing(one)
    database.dispose()
    postgres.drop_database("growing")


class Growing:
    def __init__(self, projector):
        self.projector = projector
        self.topic = Topic([])
        self.member = divided(projector, self.topic)
        self.rows = {one.name: DictRows(one.row_types) for one in DIVISIBLE}
        self.examples = 0

    def add(self, posted):
        self.examples += 1
        events = store(self.projector.log, posted, f"/plant/{self.examples}")
        for one in events:
            self.topic.add(one)
        for one in DIVISIBLE:
            fold_together(one, events, self.rows[one.name])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(plants(), st.randoms(use_true_random=False))
def test_any_interleaving_of_shares_kills_and_zombies_is_one_process(growing, posted, chance):
    growing.add(posted)
    log, topic = growing.projector.log, growing.topic
    members = [Member(log, topic) for _ in range(3)]
    for _ in range(chance.randint(0, 25)):
        member = chance.choice(members)
        member.dies_after = chance.choice((1, 2, 2**62, 2**62, 2**62))
        try:
            member.step(chance.randrange(SHARES), chance.randint(1, 3))
        except Killed:
            members.remove(member)
            members.append(Member(log, topic))
        if chance.random() < 0.1:
            chance.choice(members).level(chance.randint(0, log.head()))
    drain(Member(log, topic))
    for one in DIVISIBLE:
        with log.database.connect() as connection:
            at = shares.generations.live(connection, one.name)
            assert shares.generations.digest(connection, one, at.generation) == state_digest(growing.rows[one.name])
    assert growing.projector.parked() == []
