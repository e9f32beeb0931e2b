"""The worker told to stop: it ends between two pages, and what it held is free at once."""

import threading

from projections import folds
from services.store import leases
from services.store.log import Append
from services.store.projecting.projector import LEASE, Projector
from services.store.reports import reports
from services.worker import Worker
from tests.store.facts import draft
from tests.waiting import PATIENCE_S, until

EVENTS = 5_000
"""Many more pages than are folded before a busy machine has looked."""


def test_a_worker_in_the_middle_of_a_long_catch_up_ends_after_the_page_at_hand(log):
    log.append(Append(tuple(draft(id=f"e{n}") for n in range(EVENTS))))
    projector = Projector(log.database, log, folds.all_projections(), "one:1", page=5)
    working = Worker(projector, None)
    thread = threading.Thread(target=working.run)
    projector.prepare()
    thread.start()
    until(lambda: projector.position() and reports(log.database))
    assert [one.name for one in reports(log.database)] == ["worker"]
    working.stop()
    thread.join(PATIENCE_S)
    reached = projector.position()
    assert 0 < reached < EVENTS and reached % 5 == 0
    assert leases.take(log.database, LEASE, "two:1") is not None
    assert reports(log.database) == []
