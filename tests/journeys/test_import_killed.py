"""`lodestone import` killed in the middle and repeated: no line is lost, none counts twice."""

import random

from tests.faults.killed_import import check, kill_imports, undisturbed, write_events
from tests.journeys.running import Running


def test_an_import_killed_three_times_and_repeated_is_as_if_nothing_had_happened(running: Running) -> None:
    calm = Running()
    try:
        path = running.home / "events.ndjson"
        write_events(path, motors_per_lot=13)
        seconds, expected = undisturbed(calm, path)
    finally:
        calm.remove()
    kill_imports(running, path, 3, seconds, random.Random(20040), lambda said: None)
    check(running, path, expected)
