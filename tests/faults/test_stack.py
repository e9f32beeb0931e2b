"""A whole plant under faults, short: `make faults` does the same two hundred times."""

from tests.faults.stack.faulting import EACH, Faults
from tests.faults.stack.jumping import Clocks
from tests.faults.stack.killed import under_load
from tests.faults.stack.plant import COMMANDS, Plant


def test_every_clock_jumps_and_every_part_is_killed_under_load_and_nothing_is_lost_or_counts_twice():
    said: list[str] = []
    with Plant() as plant:
        clocks = Clocks(plant)

        def harm(faults: Faults) -> None:
            for name, hours in zip(COMMANDS, (-5, 49, 7, -26, 2, -1, 49, 3), strict=True):
                clocks.set(name, hours)
            faults.each_once(said.append)

        outcome = under_load(plant, 11, harm, said.append, threads=1)
    assert set(outcome.kills) == set(EACH)
    assert (outcome.counts["doubled"], outcome.counts["lost"]) == (0, 0)
    assert outcome.counts["offered"] == outcome.counts["stored"] > 0
