"""Members of the group of shards: what the relay publishes is folded once, whoever comes and goes."""

from random import Random

from tests.folds.plants import Plant
from tests.store.projecting.partitions import store
from tests.transports.sharding.workers import live, member, projecting, reached, relay, running, until, wanted


def plant(seeds):
    return [event for seed in seeds for event in _numbered(seed)]


def _numbered(seed):
    events = Plant(Random(seed)).draw()
    return events


def fill(log, *seeds):
    for seed in seeds:
        store(log, Plant(Random(seed)).draw(), f"/plant/{seed}")


def test_a_member_folds_what_the_relay_publishes_and_its_position_is_the_head(database, kafka, log):
    projector = projecting(database)
    fill(log, *range(10))
    one = member(database, kafka)
    with running(relay(database, kafka), one):
        until(lambda: reached(projector))
        fill(log, 10, 11)
        until(lambda: reached(projector))
        assert live(projector) == wanted(projector)
