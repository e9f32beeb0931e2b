"""A whole plant under faults, short: `make faults` does the same for hours."""

from tests.faults.stack.faulting import KILLED
from tests.faults.stack.killed import fault_the_stack
from tests.faults.stack.plant import Plant


def test_every_part_is_killed_under_load_and_nothing_is_lost_or_counts_twice():
    plant = Plant()
    try:
        outcome = fault_the_stack(plant, kills=len(KILLED), seed=11, say=lambda words: None)
    finally:
        plant.remove()
    assert set(outcome.kills) == set(KILLED)
    assert (outcome.counts["doubled"], outcome.counts["lost"]) == (0, 0)
    assert outcome.counts["offered"] == outcome.counts["stored"] > 0
