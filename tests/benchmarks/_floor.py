"""The floor of an append: rows that are ready, into tables and indexes like the log's, with their commit."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from services.store.log import copying
from services.store.log.sending import copy_all, run
from tests.benchmarks._parts import drafted, made, planned
from tests.store.facts import straight

_COPIES = {"COPY log_events ": "COPY floor_events ", "COPY log_identity ": "COPY floor_identity "}


class Floor:
    """Tables like the log's in the database of this URL, without partitions and without what refuses changes."""

    def __init__(self, url: str) -> None:
        self.connection = straight(url)
        for table in ("events", "identity"):
            self.connection.execute(f"DROP TABLE IF EXISTS floor_{table}".encode())
            self.connection.execute(f"CREATE TABLE floor_{table} (LIKE log_{table} INCLUDING ALL)".encode())
        self.head = 0

    def close(self) -> None:
        self.connection.close()

    def rate(self, batches: Sequence[Sequence[dict[str, Any]]]) -> float:
        """Events a second that the server takes in, all of whose rows were made before."""
        ready = []
        for batch in batches:
            plan = planned(drafted(batch))
            rows = made(copying.copies(plan.keys, plan.drafts, plan.numbers, self.head + 1, datetime.now(UTC)))
            ready.append([(_elsewhere(statement), make) for statement, make in rows])
            self.head += len(batch)
        start = time.perf_counter()
        for copies in ready:
            run(self.connection, "BEGIN")
            copy_all(self.connection, copies, "COMMIT")
        return sum(map(len, batches)) / (time.perf_counter() - start)


def _elsewhere(statement: str) -> str:
    for ours, other in _COPIES.items():
        statement = statement.replace(ours, other)
    return statement
