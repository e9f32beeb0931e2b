"""The relay in one process: what it publishes, where, and in which order."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services.store.log import Append
from services.transports.kafka.relay.progress import newest
from services.transports.kafka.relay.relaying import Relay
from tests.store.facts import draft
from tests.transports.relay.plain import number, read
from tests.waiting import PATIENCE_S, until


@contextmanager
def running(relay: Relay) -> Iterator[Relay]:
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield relay
    finally:
        relay.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


def wait_for(relay: Relay, position: int) -> None:
    until(lambda: relay.progress is not None and relay.progress.position >= position, lambda: str(relay.detail))


def test_every_event_is_published_once_in_order(kafka, database, log):
    for number_ in range(10):
        log.append(Append(tuple(draft(f"lots/l{i}", id=f"{number_}-{i}") for i in range(10))))
    with running(Relay(database, log, kafka, "one", page=16)) as relay:
        wait_for(relay, 100)
        log.append(Append((draft("lots/l1"),)))
        wait_for(relay, 101)
    found = read(kafka.servers, kafka.name("log.v1"))
    assert sorted(number(one, "position") for one in found) == list(range(1, 102))
    assert {number(one, "position"): one.value for one in found} == dict(log.read_bytes(0, 1000))
    for partition in range(4):
        mine = [one for one in found if one.partition == partition]
        assert [number(one, "sequence") for one in mine] == list(range(1, len(mine) + 1))
        assert [number(one, "position") for one in mine] == sorted(number(one, "position") for one in mine)
    progress = newest(kafka)
    assert progress is not None and progress.position == 101
    ends = {one.partition: one.offset + 1 for one in found}
    assert {p: share.end for p, share in enumerate(progress.shares) if share.end} == ends
