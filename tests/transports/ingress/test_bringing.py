"""One batch, one append: a second member that brings the same is refused whole, and one broken message alone."""

import orjson
import pytest
from kafka.consumer.fetcher import ConsumerRecord
from kafka.structs import TopicPartition
from msgspec import structs

from events.rules.access import Principal
from services.access.tokens import Tokens
from services.exchange.ingest import Ingest
from services.exchange.quarantine import Quarantine
from services.exchange.waiting import Waiting
from services.store.log import CursorMoved, Log, wall_clock
from services.transports.kafka.binding import STRUCTURED_HEADER
from services.transports.kafka.ingress.bringing import bring
from services.transports.kafka.ingress.cursors import Place
from services.transports.kafka.ingress.messages import checked
from services.transports.kafka.ingress.principals import Principals
from tests.doors.facts import efficiency
from tests.transports.ingress.bench import rows, stored_ids

AT = TopicPartition("in", 0)


def record(offset: int, value: bytes) -> ConsumerRecord:
    return ConsumerRecord("in", 0, 0, offset, 0, 0, None, value, [STRUCTURED_HEADER], None, -1, len(value), 0)


@pytest.fixture
def ingest(database, log) -> Ingest:
    return Ingest(log, Waiting(database), Quarantine(database, wall_clock))


def read(database, events):
    """Messages of a trusted topic, the second of them no event."""
    principals = Principals(Tokens(database, Log(database), wall_clock), {"in": Principal("in", "bench")})
    bodies = [orjson.dumps(event) for event in events]
    bodies.insert(1, b"no event")
    return checked([record(offset, body) for offset, body in enumerate(bodies)], principals)


def test_a_member_that_was_overtaken_brings_nothing_a_second_time_refusals_included(database, ingest):
    items = read(database, [efficiency(f"M-{at}") for at in range(4)])
    first, zombie = {AT: Place("c", None)}, {AT: Place("c", None)}
    assert bring(ingest, items, first).outcomes == {"accepted": 4, "rejected": 1, "duplicate": 0}
    with pytest.raises(CursorMoved):
        bring(ingest, items, zombie)
    assert (first[AT].next, zombie[AT].next) == (5, None)
    assert rows(database, "SELECT next FROM log_cursors") == [(5,)]
    assert rows(database, "SELECT count(*) FROM ingress_rejections") == [(1,)]
    assert len(stored_ids(database)) == 4


def test_a_message_that_the_database_cannot_hold_is_refused_alone(database, ingest):
    items = read(database, [efficiency(f"M-{at}") for at in range(5)])
    broken = items[3]
    assert broken.draft is not None
    items[3] = broken._replace(draft=structs.replace(broken.draft, stream="motors/\x00"))
    places = {AT: Place("c", None)}
    brought = bring(ingest, items, places)
    assert (brought.outcomes["accepted"], brought.outcomes["rejected"], places[AT].next) == (4, 2, 6)
    (kept,) = rows(database, 'SELECT problem->>\'detail\', "offset" FROM ingress_rejections WHERE "offset" > 1')
    assert kept[1] == 3 and "cannot be stored" in kept[0]
