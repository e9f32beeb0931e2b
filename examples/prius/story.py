"""The worked example, once round the loop through the public doors, each step said in one line."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from events.errors import Unavailable
from examples.prius import bench, orders
from examples.prius.fleet import MANUFACTURER, fleet, plant

Event = dict[str, Any]
Publish = Callable[[str, list[Event]], None]
"""Publishes these events to Kafka with this token; done when the broker has them."""
BATCH = 200
RESULT_KINDS = {
    "efficiency_measured": "efficiency",
    "flux_measured": "flux",
    "thermal_degradation_measured": "thermal",
    "vibration_measured": "vibration",
    "failure_observed": "failure",
    "survival_observed": "survival",
}


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who takes part: role, and for programs the source prefix and party that the token is bound to."""

    name: str
    role: str
    source: str | None = None
    party: str | None = None


ENGINEER = Seat("Elin Engineer", "engineer")
APPROVER = Seat("Ada Approver", "approver")


def seats() -> list[Seat]:
    """Everybody who takes part in the story."""
    suppliers = [
        Seat(item.id, "supplier", f"/suppliers/{item.id}", f"{item.id}:{item.id}") for item in plant().suppliers
    ]
    benches = [Seat(name, "bench", f"/benches/{name}") for name in (*plant().benches, bench.BENCH)]
    offices = [Seat(name, "manufacturing", f"/manufacturing/{name}") for name in (MANUFACTURER, bench.LABORATORY)]
    return [*offices, *benches, *suppliers, ENGINEER, APPROVER]


class Story:
    """Drives the service at `url` with one token for each seat; running it again changes nothing.

    With `publish` no fact is posted: all of them go through Kafka, and what people decide and answer through HTTP.
    """

    def __init__(
        self,
        url: str,
        tokens: Mapping[str, str],
        say: Callable[[str], None],
        patience_s: float = 180.0,
        publish: Publish | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.tokens = tokens
        self.say = say
        self.publish = publish
        self.patience_s = patience_s
        self.position = 0
        self._clients = {
            name: httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=60.0)
            for name, token in tokens.items()
        }

    def run(self) -> dict[str, Any]:
        """Once round; returns the summary."""
        events = self._tell()
        self._order()
        if self.publish is None:
            self._send(events)
        else:
            self._publish(events, self.publish)
        self._wait()
        approved, rejected = self._decide()
        self._answer()
        self._wait()
        return self._summary(events, approved, rejected)

    def _tell(self) -> list[Event]:
        simulated = list(fleet().events)
        real = [*bench.masters(), *bench.results()]
        self.say(f"Real bench data: {len(real)} events of one Toyota Prius 2004 motor; its magnet lots are unknown.")
        self.say(f"Synthetic fleet around it: {len(simulated)} events from a seeded generator, labelled synthetic.")
        return [*real, *simulated]

    def _send(self, events: list[Event]) -> None:
        """Every event by its owner's token, in batches: first who and what there is, then motors, then results."""
        tally: Counter[str] = Counter()
        for name, part in _runs(events):
            for start in range(0, len(part), BATCH):
                answer = self._batch(name, part[start : start + BATCH])
                tally.update({key: answer[key] for key in ("accepted", "duplicate", "rejected")})
        self.say(
            f"Facts sent by their owners: {tally['accepted']} accepted, {tally['duplicate']} already known, "
            f"{tally['rejected']} refused → {self.url}/audit"
        )

    def _publish(self, events: list[Event], publish: Publish) -> None:
        """Every event to Kafka with its owner's token, then wait until the log has each of them."""
        for name, part in _runs(events):
            publish(self.tokens[name], part)
        deadline = time.monotonic() + self.patience_s
        for name, part in _runs(events):
            for start in range(0, len(part), BATCH):
                while self._batch(name, part[start : start + BATCH], dry_run=True)["accepted"]:
                    if time.monotonic() > deadline:
                        raise Unavailable(f"No ingress took the facts in within {self.patience_s:.0f} s.")
                    time.sleep(0.2)
        self.say(f"Facts published to Kafka by their owners: {len(events)}, each in the log → {self.url}/audit")

    def _batch(self, name: str, events: list[Event], *, dry_run: bool = False) -> dict[str, Any]:
        """Post these; with `dry_run` only ask which of them the log does not know yet."""
        response = self._clients[name].post(
            "/v1/events",
            params={"dry_run": dry_run},
            json=events,
            headers={"Content-Type": "application/cloudevents-batch+json"},
        )
        response.raise_for_status()
        answer: dict[str, Any] = response.json()
        for item in answer["items"]:
            if item["status"] == "rejected":
                raise RuntimeError(f"The example's own event {item['id']} was refused: {item['problem']}")
        self.position = max(self.position, answer["position"] or 0)
        return answer

    def _order(self) -> None:
        """Specifications in force, then the requirements; those that exist already stay."""
        client = self._clients[ENGINEER.name]
        known = {item["spec"] for item in self._items(client, "/v1/specs")}
        for body in orders.specs():
            if _text(body["spec"]) not in known:
                self._post(client, "/v1/specs", body)
        known = {item["requirement"] for item in self._items(client, "/v1/requirements")}
        for body in orders.requirements():
            if _text(body["requirement"]) not in known:
                self._post(client, "/v1/requirements", body)
        self.say(f"Specifications and requirements stand → {self.url}/specs")

    def _post(self, client: httpx.Client, path: str, body: Any, **headers: str) -> dict[str, Any]:
        response = client.post(path, json=body, headers=headers)
        if response.is_error:
            raise RuntimeError(f"POST {path}: {response.status_code} {response.text}")
        self.position = max(self.position, int(response.headers.get("Lodestone-Position", 0)))
        answer: dict[str, Any] = response.json()
        return answer

    def _items(self, client: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            params: dict[str, Any] = {"limit": 200, "min_position": self.position, "wait_s": 30}
            if cursor:
                params["cursor"] = cursor
            response = client.get(path, params=params)
            response.raise_for_status()
            page = response.json()
            yield from page["items"]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return

    def _wait(self) -> None:
        """Until every projection and the decider have seen everything sent so far."""
        client, deadline = self._clients[ENGINEER.name], time.monotonic() + self.patience_s
        while True:
            status = client.get("/v1/status").json()
            decided = status["decider"]["position"]
            if decided >= self.position and all(p["lag"] == 0 for p in status["projections"].values()):
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"The worker did not catch up in {self.patience_s:.0f} s: {status}")
            time.sleep(0.2)

    def _decide(self) -> tuple[int, int]:
        """The approver approves the thermal case and rejects the efficiency case, each with a reason."""
        proposals = list(self._items(self._clients[APPROVER.name], "/v1/proposals"))
        for proposal in sorted(proposals, key=lambda item: str(item["title"])):
            self.say(f"Proposed by the engine: {proposal['title']} → {self.url}/cases/{proposal['id']}")
        self._settle(
            proposals,
            "R-THERMAL",
            "approve",
            "The soak shows the loss, the certificates the low coercivity; the change of oxide source explains both.",
        )
        self._settle(
            proposals,
            "R-EFFICIENCY",
            "reject",
            "Efficiency follows remanence; the back-EMF case asks for the same limit from the sharper measurement.",
        )
        states = Counter(item["state"] for item in self._items(self._clients[APPROVER.name], "/v1/proposals"))
        return states["enacted"], states["rejected"]

    def _settle(self, proposals: list[dict[str, Any]], requirement: str, decision: str, reason: str) -> None:
        for proposal in proposals:
            if str(proposal["requirement"] or "").endswith(requirement) and proposal["state"] == "proposed":
                answer = self._post(
                    self._clients[APPROVER.name],
                    f"/v1/proposals/{proposal['id']}/decision",
                    {"decision": decision, "reason": reason},
                    **{"If-Match": f'"{proposal["version"]}"'},
                )
                told = f"{len(answer['notices'])} notices sent" if answer["notices"] else "no notice"
                verb = {"approve": "approved", "reject": "rejected"}[decision]
                self.say(f"{APPROVER.name} {verb}: {proposal['title']} ({told}) → {self.url}/cases/{proposal['id']}")

    def _answer(self) -> None:
        """Every supplier reads its feed and answers what it has not answered yet."""
        for supplier in plant().suppliers:
            client = self._clients[supplier.id]
            entries = [item["event"] for item in self._items(client, "/v1/feed")]
            answered = {e["data"]["notice"] for e in entries if e["type"].startswith("lodestone.feeds.notice_answered")}
            notices = [e["data"] for e in entries if e["type"].startswith("lodestone.feeds.notice_issued")]
            for notice in notices:
                if notice["notice"] not in answered:
                    body = {
                        "answer": "can_meet_from",
                        "from_date": notice["effectivity"]["date"],
                        "person": f"Quality, {supplier.name}",
                    }
                    self._post(client, f"/v1/notices/{notice['notice']}/answer", body)
            self.say(f"{supplier.name} answered {len(notices)} notices → {self.url}/feed")

    def _sealed_position(self, client: httpx.Client) -> int:
        """The log's last position once its own seals are in it: nothing more is written until something happens."""
        deadline = time.monotonic() + self.patience_s
        while True:
            status = client.get("/v1/status").json()
            sealed = status["sealed"]
            if sealed["anchored"] and sealed["lag"] == 0:
                return int(status["position"])
            if time.monotonic() > deadline:
                raise RuntimeError(f"The log was not sealed in {self.patience_s:.0f} s: {sealed}")
            time.sleep(0.2)

    def _summary(self, events: list[Event], approved: int, rejected: int) -> dict[str, Any]:
        client = self._clients[APPROVER.name]
        results = Counter(kind for event in events if (kind := _kind(event)))
        origin = Counter("synthetic" if e["data"]["origin"] == "synthetic" else "real" for e in events if _kind(e))
        revisions: Counter[str] = Counter()
        for spec in self._items(client, "/v1/specs"):
            whole = client.get(f"/v1/specs/{spec['spec']}").json()
            revisions[spec["level"]] += sum(1 for revision in whole["revisions"] if revision["case"])
        feeds = [e for s in plant().suppliers for e in self._items(self._clients[s.id], "/v1/feed")]
        kinds = Counter(item["event"]["type"].split(".")[2] for item in feeds)
        return {
            "results": {kind: results[kind] for kind in RESULT_KINDS.values()},
            "origin": {"real": origin["real"], "synthetic": origin["synthetic"]},
            "lots": sum(event["type"].startswith("lodestone.lots.lot_registered") for event in events),
            "motors": sum(event["type"].startswith("lodestone.motors.motor_built") for event in events),
            "cases": sum(1 for _ in self._items(client, "/v1/proposals")),
            "approved": approved,
            "rejected": rejected,
            "revisions": {level: revisions[level] for level in ("magnet", "alloy", "process", "sourcing")},
            "notices": kinds["notice_issued"],
            "answers": kinds["notice_answered"],
            "position": self._sealed_position(client),
        }


def _kind(event: Event) -> str | None:
    return RESULT_KINDS.get(event["type"].split(".")[2])


def _text(ref: Mapping[str, str]) -> str:
    return f"{ref['issuer']}:{ref['id']}"


def _runs(events: Iterable[Event]) -> Iterator[tuple[str, list[Event]]]:
    """The events by chapter and seat, each in order of time; the seat's name is the last part of the source."""
    parts: dict[tuple[int, str], list[Event]] = {}
    for event in events:
        stream = str(event["type"]).split(".")[1]
        chapter = {"motors": 1, "tests": 2}.get(stream, 0)
        parts.setdefault((chapter, str(event["source"]).rsplit("/", 1)[-1]), []).append(event)
    for (_, name), part in sorted(parts.items(), key=lambda item: item[0][0]):
        yield name, part
