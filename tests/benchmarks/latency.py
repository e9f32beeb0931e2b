"""How long a result takes to its effect in an API answer, while a thousand events a second come in beside it."""

import sys
import threading
import time
from collections.abc import Iterator
from itertools import islice
from statistics import quantiles
from typing import Any

import httpx
import orjson

from tests.benchmarks._table import Row, merge, report
from tests.benchmarks.fleet import fleet
from tests.journeys.running import Running

BATCH, EVERY_S = 100, 0.1
"""A thousand events a second, as batches of a hundred."""
SECONDS = 30.0
PAUSE_S = 0.15
BUDGET_S = 1.0
BATCHED = {"Content-Type": "application/cloudevents-batch+json"}


def renamed(source: Iterator[Any]) -> Iterator[Any]:
    """The same plant under other names, so that it has no thing and no event in common with the first."""
    names = {b'"plant"': b'"beside"', b"/plant": b"/beside", b"maker-": b"beside-", b"/benches/": b"/benches/beside-"}
    for event in source:
        body = orjson.dumps(event)
        for name, other in names.items():
            body = body.replace(name, other)
        yield orjson.loads(body)


class Background(threading.Thread):
    """Posts batches at a steady rate until told to stop; `sent` counts events."""

    def __init__(self, client: httpx.Client, source: Iterator[Any]) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.source = source
        self.sent = 0
        self.enough = threading.Event()

    def run(self) -> None:
        start = time.monotonic()
        for number in range(10**6):
            wait = start + number * EVERY_S - time.monotonic()
            if self.enough.wait(max(wait, 0.0)):
                return
            batch = list(islice(self.source, BATCH))
            answer = self.client.post("/v1/events", content=orjson.dumps(batch), headers=BATCHED)
            assert answer.json()["accepted"] == BATCH, answer.text[:500]
            self.sent += BATCH


def effects(client: httpx.Client, source: Iterator[Any], seconds: float) -> list[float]:
    """Seconds from posting a result until the motor's answer shows it counted, again and again."""
    found, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        motor = [next(source) for _ in range(4)]  # the build record and its three results
        start = time.perf_counter()
        posted = client.post("/v1/events", content=orjson.dumps(motor), headers=BATCHED)
        position = posted.json()["position"]
        serial = motor[0]["data"]["motor"]
        path = f"/v1/motors/{serial['issuer']}:{serial['id']}"
        answer = client.get(path, params={"min_position": position, "wait_s": 10})
        assert len([one for one in answer.json()["results"] if one["reason"] is None]) == 3, answer.text[:500]
        found.append(time.perf_counter() - start)
        time.sleep(PAUSE_S)
    return found


def measured(running: Running) -> dict[str, Row]:
    """The row, on this running service."""
    admin = running.client("admin", "bench")
    source = fleet(40, 2000)
    beside = renamed(fleet(4000, 1000))
    first = [*islice(source, 3)]  # the motor type, a lot and its certificate
    assert admin.post("/v1/events", content=orjson.dumps(first), headers=BATCHED).json()["rejected"] == 0
    background = Background(running.client("admin", "background"), beside)
    background.start()
    start = time.monotonic()
    found = sorted(effects(admin, source, SECONDS))
    background.enough.set()
    background.join(10)
    carried = background.sent / (time.monotonic() - start)
    p99 = quantiles(found, n=100)[98]
    row: Row = {
        "ours": p99,
        "yardstick": BUDGET_S,
        "yardstick_name": f"budget; {carried:.0f} events/s beside, {len(found)} results",
        "ratio": BUDGET_S / p99,
        "unit": "s",
    }
    median = {**row, "ours": quantiles(found, n=2)[0], "ratio": BUDGET_S / quantiles(found, n=2)[0]}
    return {"result_to_answer_p99": row, "result_to_answer_median": median}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, merge."""
    running = Running()
    try:
        running.serve()
        rows = measured(running)
    finally:
        running.stop()
        running.remove()
    print(report(rows))
    merge(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
