"""A second plant goes round the loop through `lodestone import` and HTTP alone."""

from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.journeys import second_plant
from tests.journeys.running import Running

ROLES = {
    "result", "motor", "lot", "certificate", "requirement", "prior", "statistic", "proposal", "decision", "revision",
    "notice", "answer",
}  # fmt: skip


def write(path: Path, events: tuple[dict[str, object], ...]) -> Path:
    path.write_bytes(b"".join(orjson.dumps(event) + b"\n" for event in events))
    return path


def given(running: Running, events: tuple[dict[str, object], ...], folder: Path) -> httpx.Client:
    """The plant's history imported, the service running, the requirement issued; the engineer's client."""
    summary = running.json("import", str(write(folder / "plant.ndjson", events)))
    assert summary["accepted"] == len(events)
    assert (summary["rejected"], summary["duplicate"]) == (0, 0)
    running.serve()
    engineer = running.client("engineer", "Eva")
    answer = engineer.post("/v1/requirements", json=second_plant.requirement())
    assert answer.status_code == 201, answer.text
    return engineer


def told_and_answered(running: Running, proposal: dict[str, Any]) -> int:
    """The proposal approved, a supplier told, its answer given; the answer's position."""
    decided = running.client("approver", "Anna").post(
        f"/v1/proposals/{proposal['id']}/decision",
        json={"decision": "approve", "reason": "The alignment record explains the weak lot."},
        headers={"If-Match": f'"{proposal["version"]}"'},
    )
    assert decided.status_code == 200, decided.text
    assert decided.json()["revisions"] and decided.json()["notices"]
    supplier = running.client("supplier", "Kirin", "kirin-magnet:kirin-magnet", "/suppliers/kirin-magnet")
    wanted = {"min_position": decided.json()["position"], "wait_s": 30}
    notice = supplier.get("/v1/feed", params=wanted).json()["items"][0]["event"]["data"]["notice"]
    answered = supplier.post(f"/v1/notices/{notice}/answer", json={"answer": "acknowledged", "person": "K. Ito"})
    assert answered.status_code in (200, 201), answered.text
    return int(answered.json()["position"])


def test_a_second_plant_closes_the_loop_from_an_import_to_an_answered_notice(running: Running, tmp_path: Path) -> None:
    # Given a plant's history in a file, and a requirement for its motors
    simulation = second_plant.simulation()
    engineer = given(running, simulation.events, tmp_path)

    # When the engine has seen it
    running.settled(engineer)
    proposals = engineer.get("/v1/proposals").json()["items"]

    # Then it proposes a higher remanence, blaming the weakly aligned lot
    [proposal] = [item for item in proposals if item["requirement"] == f"{second_plant.MAKER}:REQ-KE"]
    assert proposal["state"] == "proposed"
    revised = {revision["characteristic"]: revision for revision in proposal["revisions"]}
    limit = revised["magnet.Br"]["new"]["lower"]
    truth = {lot.id: lot.values["magnet.Br"] for lot in simulation.lots}
    assert truth[second_plant.BAD_LOT] < limit < min(v for k, v in truth.items() if k != second_plant.BAD_LOT)
    whole = engineer.get(f"/v1/proposals/{proposal['id']}").json()
    verdicts = {item["lot"]["id"]: item["verdict"] for item in whole["record"]["lot_effects"]}
    assert {lot for lot, verdict in verdicts.items() if verdict == "does_not_conform"} == {second_plant.BAD_LOT}

    # And when an approver approves, the suppliers are told and answer
    position = told_and_answered(running, proposal)

    # And the limit can name its evidence
    spec = revised["magnet.Br"]["spec"]
    why = engineer.get(f"/v1/why/{spec}/magnet.Br", params={"min_position": position, "wait_s": 30}).json()
    roles = {event["role"] for event in why["events"]}
    assert roles >= ROLES
