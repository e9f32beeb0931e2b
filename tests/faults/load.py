"""Load as benches make it: threads that post results, one by one and in batches, and send again until answered."""

import itertools
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.doors.facts import built, efficiency, lot
from tests.doors.service import BATCH, STRUCTURED

LOTS = 5
Event = dict[str, Any]


class Bench(threading.Thread):
    """One client; `offered` is what it sent at least once, `acknowledged` what was answered: its position by id."""

    def __init__(self, name: str, client: httpx.Client, chance: random.Random) -> None:
        super().__init__(name=name, daemon=True)
        self.client = client
        self.chance = chance
        self.offered: set[str] = set()
        self.acknowledged: dict[str, int] = {}
        self.complaints: list[str] = []
        self.ending = threading.Event()
        self.numbers = itertools.count()

    def run(self) -> None:
        """Post until told to end; what was begun is brought to its end."""
        while not self.ending.is_set():
            events = self._events(1 if self.chance.random() < 0.7 else self.chance.randint(2, 40))
            self._send(events)
            time.sleep(self.chance.uniform(0.0, 0.1))

    def _events(self, count: int) -> list[Event]:
        made = []
        for _ in range(count):
            number = next(self.numbers)
            motor = f"{self.name}-{number // 3}"
            if number % 3 == 1:
                made.append({**built(motor, f"L{self.chance.randrange(LOTS)}"), "id": f"{self.name}-{number}"})
            else:
                made.append(efficiency(motor, round(self.chance.uniform(90, 95), 3), id=f"{self.name}-{number}"))
        return made

    def _send(self, events: list[Event]) -> None:
        """Send the same bytes until every event has its answer; a bench gives up on nothing but a refusal."""
        self.offered |= {event["id"] for event in events}
        kind, body = (STRUCTURED, events[0]) if len(events) == 1 else (BATCH, events)
        while True:
            try:
                answer = self.client.post("/v1/events", json=body, headers={"Content-Type": kind})
            except httpx.TransportError:
                time.sleep(0.05)
                continue
            if answer.status_code in (429, 503):
                time.sleep(0.1)
                continue
            break
        if answer.status_code not in (200, 201):
            self.complaints.append(f"{answer.status_code}: {answer.text[:300]}")
            return
        for item in answer.json().get("items", [answer.json()]):
            if item["status"] == "rejected":
                self.complaints.append(f"rejected: {item['problem']}")
            else:
                self.acknowledged[item["id"]] = item["position"]


def benches(client: Callable[[], httpx.Client], count: int, seed: int) -> list[Bench]:
    """This many benches, each with a client of its own made by `client()`; the lots are registered first."""
    registering = client()
    for number in range(LOTS):
        event = {**lot(f"L{number}"), "id": f"lot-{number}"}
        registering.post("/v1/events", json=event, headers={"Content-Type": STRUCTURED}).raise_for_status()
    return [Bench(f"b{number}", client(), random.Random(seed + number)) for number in range(count)]
