"""Receiving at speed: the one pass that nearly all events take says what the careful checks say, of good and of bad."""

import copy
import math
from itertools import cycle

import pytest

from events.envelope import SERVICE_ATTRIBUTES
from events.errors import DomainError
from events.receive import receive, received_with_care
from tests.golden.pins import EXAMPLES, example

FLUX = "lodestone.tests.flux_measured.v1"
TYPES = [path.stem for path in sorted(EXAMPLES.glob("*.json"))]
WRONG = [
    None, "", 0, 7, -1, 1.5, 1.0, -0.0, True, [], {}, "x", "x\0", "ä€", math.nan, 2**40, 2**70, 1e300, 2.0**53, [1.0],
    {"a": 1.0, "b": [2.0, "1.0,"]}, "2026-01-01T00:00:00Z", "Cel", {"issuer": "a b", "id": "c/d"}, "y" * 513, "\ud800",
    'q"1.0,', (1, 2), "x\n", "x\x1f",
]  # fmt: skip
ATTRIBUTES = {
    "traceparent": "00-ab", "recordedtime": "2", "datacontenttype": "Application/JSON", "subject": "motors/x", "n": 5,
    "Shift": "x", "shift": "night", "empty": "", "long": "y" * 600, 5: "x", "zero": "\0", "replaces": "1.0,",
    "partitionkey": "x", "none": None,
}  # fmt: skip


def places(value, at=()):
    """Every place within a JSON value."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (*at, key)
        yield from places(part, (*at, key))


def replaced(event, place, value):
    """A copy with another value at this place; the value of `del` is none at all."""
    event = copy.deepcopy(event)
    inner = event
    for key in place[:-1]:
        inner = inner[key]
    if value == "del":
        inner.pop(place[-1], None) if isinstance(inner, dict) else inner.pop(place[-1])
    else:
        inner[place[-1]] = value
    return event


def said(receive, event):
    """What this way says of the event."""
    try:
        received = receive(event)
    except DomainError as error:
        return type(error), error.detail, [(fault.pointer, fault.detail) for fault in error.errors]
    draft = received.draft
    assert draft.event is event
    return received.line, received.data, draft.canonical, draft.content_hash, draft.stream, draft.versioned


@pytest.mark.parametrize("event_type", TYPES)
def test_both_ways_say_the_same_of_an_event_with_one_thing_changed(event_type):
    event = example(event_type)
    changes = cycle([*WRONG, "del"])
    changed = [replaced(event, place, next(changes)) for place in places(event)]
    changed += [replaced(event, place, "del") for place in places(event) if len(place) < 3]
    changed += [{**event, name: value} for name, value in ATTRIBUTES.items()]
    for one in (event, dict(reversed(event.items())), *changed):
        assert said(receive, one) == said(received_with_care, one), one


@pytest.mark.parametrize("value", [*WRONG, "del", "41.2", "1.1"])
def test_both_ways_say_the_same_of_an_event_with_no_more_than_it_needs(value):
    needed = ("specversion", "id", "source", "type", "time", "data")
    event = {name: part for name, part in example(FLUX).items() if name in needed}
    own = {"source": event["source"], "id": event["id"]}
    deeper = [("data", "value", "value"), ("data", "value", "u"), ("data", "motor", "id"), ("data", "replaces")]
    changed = [replaced(event, place, value) for place in [(name,) for name in needed] + deeper[:3]]
    changed += [{**event, name: value} for name in (*SERVICE_ATTRIBUTES, *ATTRIBUTES)]
    changed += [replaced(event, deeper[3], it) for it in (value, own, {**own, "id": "x"}, {**own, "source": "x"})]
    for one in (event, *changed):
        assert said(receive, one) == said(received_with_care, one), one
