"""Dumps restored into fresh clusters: a current one goes on; an older one is refused, recovered, and readers told."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.store.database import Database
from services.store.database.postgres import DATABASE, EmbeddedPostgres
from services.store.log import Log
from tests.doors.facts import lot
from tests.doors.notices import tell
from tests.journeys.running import Running
from tests.store.sealing.dumps import dump, restore
from tests.waiting import until

SUPPLIER = "norrland-permanent:norrland-permanent"


@dataclass
class Readers:
    """Somebody who reads the log, and a supplier who reads its feed, each with a cursor."""

    auditor: httpx.Client
    supplier: httpx.Client
    positions: list[int]
    numbers: list[int]
    cursor: str = "0"
    feed: str = "0"

    def read(self) -> int:
        """Read on to the end; how many events came."""
        before, more = len(self.positions), True
        while more:
            page = _get(self.auditor, "/v1/events", cursor=self.cursor, limit=1000)
            self.positions += [item["position"] for item in page["items"]]
            self.cursor, more = page["next_cursor"], page["has_more"]
        page = _get(self.supplier, "/v1/feed", cursor=self.feed)
        self.numbers += [item["sequence"] for item in page["items"]]
        self.feed = page["next_cursor"]
        return len(self.positions) - before


def _get(client: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    answer = client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@contextmanager
def server(running: Running) -> Iterator[EmbeddedPostgres]:
    """The installation's database, while no service runs on it."""
    made = EmbeddedPostgres(running.home / "data" / "postgres")
    made.open()
    try:
        yield made
    finally:
        made.close()


def taken(running: Running, name: str) -> Path:
    """Stop the service and dump its database."""
    running.stop()
    path = running.home / name
    with server(running) as here:
        shutil.copy(dump(here, DATABASE), path)
    return path


def put_back(running: Running, path: Path) -> None:
    """Restore a dump into a fresh cluster in the place of the old one."""
    running.stop()
    shutil.rmtree(running.home / "data" / "postgres")
    with server(running) as here:
        restore(here, DATABASE, path)


def posted(client: httpx.Client, *names: str) -> httpx.Response:
    return client.post(
        "/v1/events",
        json=[lot(name, supplier="norrland-permanent") for name in names],
        headers={"Content-Type": "application/cloudevents-batch+json"},
    )


@pytest.mark.slow
def test_current_and_older_dumps_in_fresh_clusters(running: Running) -> None:
    running.command("migrate")
    with server(running) as here:
        addresses = here.addresses(DATABASE)
        database = Database(addresses.service, addresses.owner, pool_size=1)
        tell(Log(database), "norrland-permanent", 1, 2)
        database.dispose()
    running.serve()
    supplier = running.client("supplier", "N", SUPPLIER, "/suppliers/norrland-permanent")
    readers = Readers(running.client("auditor", "A"), supplier, [], [])
    receipt = running.home / "receipt.json"
    receipt.write_text(json.dumps(_get(supplier, "/v1/notices/norrland-permanent-n1/receipt", wait_s=30)))
    key = str(_get(readers.auditor, "/.well-known/lodestone/keys")["items"][0]["verifier_key"])

    old = taken(running, "old.dump")
    running.serve()
    assert posted(supplier, "L1", "L2", "L3").json()["accepted"] == 3
    running.settled(readers.auditor)
    current = taken(running, "current.dump")
    _the_current_dump_goes_on(running, readers, current)
    fork = _the_old_dump_is_refused(running, readers, old)
    _and_goes_on_once_recovered(running, readers, fork)
    for arguments in ([str(receipt)], [str(receipt), "--json"]):
        assert running.command("verify-receipt", *arguments, "--key", key).returncode == 0


def _the_current_dump_goes_on(running: Running, readers: Readers, path: Path) -> None:
    running.serve()
    readers.read()
    put_back(running, path)
    running.serve()
    readers.read()
    assert posted(readers.supplier, "L4").json()["accepted"] == 1
    running.settled(readers.auditor)
    assert readers.read() >= 1
    assert readers.positions == list(range(1, len(readers.positions) + 1))
    assert readers.numbers == list(range(1, len(readers.numbers) + 1))
    running.stop()
    assert running.json("verify")["verified"] is True


def _the_old_dump_is_refused(running: Running, readers: Readers, path: Path) -> int:
    put_back(running, path)
    fork = int(running.json("status")["position"])
    running.begin()
    part = _wait_for_the_door(running)
    assert part["ready"] is False
    for words in ("events was signed", f"ends at {fork}", "lodestone recover"):
        assert words in part["detail"]
    refused = posted(readers.supplier, "L5")
    assert refused.status_code == 503 and "lodestone recover" in refused.json()["detail"]
    assert _get(readers.auditor, "/v1/events")["items"]
    assert _get(readers.supplier, "/v1/feed")["checkpoint"]
    shown = running.command("recover", check=False)
    assert shown.returncode == 1 and f"positions {fork + 1} to" in shown.stderr
    assert running.json("status")["position"] == fork
    return fork


def _and_goes_on_once_recovered(running: Running, readers: Readers, fork: int) -> None:
    done = running.command("recover", "--yes", "--reason", "The disk of the database was lost.", "--json")
    answer = json.loads(done.stdout)
    assert (answer["epoch"], answer["fork_position"], answer["position"]) == (2, fork, fork + 1)
    assert "nothing to recover" in running.command("recover").stderr
    until(running.ready, running.words)  # without a restart
    assert posted(readers.supplier, "L6").json()["accepted"] == 1
    running.settled(readers.auditor)
    gone = readers.auditor.get("/v1/events", params={"cursor": readers.cursor})
    assert gone.status_code == 410
    assert (gone.json()["fork_position"], gone.json()["cursor"]) == (fork, f"2-{fork}")
    readers.positions = [position for position in readers.positions if position <= fork]
    readers.cursor = gone.json()["cursor"]
    assert readers.read() >= 2
    assert readers.positions == list(range(1, len(readers.positions) + 1))
    assert readers.feed.startswith("2-")
    running.stop()
    assert running.json("verify")["verified"] is True


def _wait_for_the_door(running: Running) -> dict[str, Any]:
    """What `/readyz` says of the log, once the service answers and has looked at the database."""

    def looked() -> dict[str, Any] | None:
        answer = running.asked("/readyz")
        parts = answer.json()["parts"] if answer is not None else {}
        done = parts and parts["database"]["ready"] and parts["migrations"]["ready"] and not parts["log"]["ready"]
        return parts if done else None

    found: dict[str, Any] = until(looked, running.words)["log"]
    return found
