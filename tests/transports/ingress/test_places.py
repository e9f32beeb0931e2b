"""Where a partition is read from: its cursor, or its start where that cannot be, with an alarm that says why."""

import pytest
from kafka.structs import TopicPartition

from services.transports.kafka.ingress.cursors import cursor_name, find

AT = TopicPartition("in", 2)
NAME = cursor_name(AT, "id-1")


@pytest.mark.parametrize(
    ("cursors", "first", "end", "start", "alarm"),
    [
        ({}, 0, 9, 0, None),
        ({NAME: 5}, 0, 9, 5, None),
        ({NAME: 9}, 0, 9, 9, None),
        ({NAME: 9}, 9, 9, 9, None),
        ({NAME: 10}, 0, 9, 0, "topic ends at 9"),
        ({NAME: 5}, 7, 9, 7, "offset 5 to 6 were deleted before"),
        ({cursor_name(AT, "id-0"): 5}, 0, 9, 0, "made anew since 5 messages"),
        ({cursor_name(AT, "id-0"): 5, NAME: 3}, 0, 9, 3, None),
        ({cursor_name(TopicPartition("in", 1), "id-0"): 5}, 0, 9, 0, None),
    ],
)
def test_reading_goes_on_at_the_cursor_and_what_cannot_be_is_an_alarm(cursors, first, end, start, alarm):
    found = find(AT, "id-1", cursors, first, end)
    assert (found.start, found.place.next) == (start, cursors.get(NAME))
    assert alarm is None if found.alarm is None else alarm in found.alarm
