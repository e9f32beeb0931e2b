"""The example's facts in any order, and with results voided and sent again, leave the same state."""

import random
from pathlib import Path
from typing import Any

import orjson
import pytest

from examples.prius import bench
from examples.prius.fleet import fleet
from tests.journeys.running import Running

ORDER_FREE = ("genealogy", "certificates", "correlation", "lifetimes")


def facts() -> list[dict[str, Any]]:
    return [*bench.masters(), *bench.results(), *fleet().events]


def digests(events: list[dict[str, Any]], path: Path) -> dict[str, str]:
    """The digests of an installation of its own after importing these events, with the decider off."""
    path.write_bytes(b"".join(orjson.dumps(event) + b"\n" for event in events))
    running = Running()
    try:
        summary = running.json("import", str(path), "--no-decider")
        assert (summary["accepted"], summary["rejected"]) == (len(events), 0)
        found = running.json("digest")["digests"]
    finally:
        running.remove()
    return {name: found[name] for name in ORDER_FREE}


def resent(events: list[dict[str, Any]], rng: random.Random) -> list[dict[str, Any]]:
    """A third of the results voided and sent again under new ids."""
    told = list(events)
    results = [event for event in events if event["type"].startswith("lodestone.tests.")]
    for event in rng.sample(results, len(results) // 3):
        void = {
            "motor": event["data"]["motor"],
            "test": {"source": event["source"], "id": event["id"]},
            "reason": "Sent again under a new id.",
        }
        told.append({**event, "type": "lodestone.tests.test_voided.v1", "id": f"void-{event['id']}", "data": void})
        told.append({**event, "id": f"again-{event['id']}"})
    return told


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return digests(facts(), tmp_path_factory.mktemp("straight") / "facts.ndjson")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_three_random_orders_give_equal_digests(seed: int, straight: dict[str, str], tmp_path: Path) -> None:
    events = facts()
    random.Random(seed).shuffle(events)
    assert digests(events, tmp_path / "facts.ndjson") == straight


def test_a_third_of_the_tests_voided_and_sent_again_gives_equal_digests(
    straight: dict[str, str], tmp_path: Path
) -> None:
    rng = random.Random(4)
    events = resent(facts(), rng)
    rng.shuffle(events)
    assert digests(events, tmp_path / "facts.ndjson") == straight
