"""A whole plant under faults, short: `make faults` does the same two hundred times."""

from tests.faults.stack.faulting import EACH
from tests.faults.stack.killed import under_load
from tests.faults.stack.plant import Plant


def test_every_part_is_killed_under_load_and_nothing_is_lost_or_counts_twice():
    said: list[str] = []
    with Plant() as plant:
        outcome = under_load(plant, 11, lambda faults: faults.each_once(said.append), said.append, threads=1)
    assert set(outcome.kills) == set(EACH)
    assert (outcome.counts["doubled"], outcome.counts["lost"]) == (0, 0)
    assert outcome.counts["offered"] == outcome.counts["stored"] > 0
