"""Pages: while one is being written the next is folded, with the same rows as one page after the other."""

from dataclasses import replace

import pytest

from services.store.projecting.pages import Pages
from tests.folds.dictionaries import fold_all, state_digest
from tests.store.projecting.counting import COUNTING, built, fold, voided
from tests.store.projecting.folding import append, in_dictionaries, projecting
from tests.waiting import until

SIZE = 3


class Overlapping:
    """Folds pages of three events; each is written only when the next has been folded, where there is one."""

    def __init__(self, log):
        self.folded = 0
        self.projection = replace(COUNTING, fold=self._fold)
        self.projector = projecting(log, self.projection)
        self.log = log

    def _fold(self, event, rows):
        fold(event, rows)
        self.folded = max(self.folded, event.position)

    def _hold(self, connection, targets):
        following = min(targets[0].position + 2 * SIZE, self.log.head() // SIZE * SIZE)
        until(lambda: self.folded >= following, lambda: "the next page was not folded meanwhile")

    def run(self, until=1000):
        projector, told = self.projector, list[int]()
        owned = (self._hold, projector._done, projector._aside)
        pages = Pages(projector.database, self.log, projector.live(), *owned, size=SIZE)
        pages.run(until, told.append)
        return told


@pytest.fixture
def overlapping(log):
    return Overlapping(log)


def test_what_a_page_changed_that_is_being_written_is_read_from_memory(log, overlapping):
    told = [built(n, f"L{n % 2}", n, f"m{n % 4}") for n in range(14)]
    append(log, *told[:7], voided(1, "m1"), voided(2, "m2"), *told[7:], voided(3, "m0"))
    assert overlapping.run() == [3, 6, 9, 12, 15, 17]
    assert overlapping.projector.digest("counting") == state_digest(in_dictionaries(log))
    assert overlapping.projector.positions() == {"counting": 17}


def test_a_page_is_folded_again_when_the_one_before_it_could_not_be_written_as_it_was(log, overlapping):
    bad = built(2, "L1", 7, ratio="much")  # no column holds it, and the next page is folded on a lot that counts it
    append(log, built(1, "L1", 5), bad, *(built(n, "L1", n) for n in range(3, 9)))
    assert overlapping.run()[-1] == 8
    assert [item.position for item in overlapping.projector.parked()] == [2]
    others = [event for event in log.read(0, 100) if event.position != 2]
    digest = overlapping.projector.digest("counting")
    assert digest == "incomplete:" + state_digest(fold_all(COUNTING, others))


def test_a_page_that_may_not_be_written_ends_the_run_and_leaves_the_checkpoint(log, overlapping):
    append(log, *(built(n, "L1", n) for n in range(8)))
    hold = overlapping._hold

    def taken(connection, targets):
        hold(connection, targets)
        if targets[0].position == SIZE:
            raise RuntimeError("taken")

    overlapping._hold = taken
    with pytest.raises(RuntimeError, match="taken"):
        overlapping.run()
    assert overlapping.projector.positions() == {"counting": SIZE}
    overlapping._hold = hold
    assert overlapping.run() == [6, 8]
    assert overlapping.projector.digest("counting") == state_digest(in_dictionaries(log))
