"""The worked example goes once round the loop, through the public doors, and a second time changes nothing."""

import json

from tests.journeys.running import Running

ROLES = {
    "result", "motor", "lot", "certificate", "source", "requirement", "prior", "statistic", "proposal", "decision",
    "revision", "notice", "answer",
}  # fmt: skip


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    return [value]


def test_the_demo_leaves_nothing_at_zero_and_a_second_run_changes_nothing(example: Running) -> None:
    first = json.loads((example.home / "demo.json").read_text())
    assert set(first) == {
        "results", "origin", "lots", "motors", "cases", "approved", "rejected", "revisions", "notices", "answers",
        "position",
    }  # fmt: skip
    assert {"efficiency", "thermal", "vibration", "failure"} <= set(first["results"])
    assert set(first["revisions"]) == {"magnet", "alloy", "process", "sourcing"}
    assert all(isinstance(leaf, int) and leaf > 0 for leaf in leaves(first)), first

    again = example.json("demo")
    assert again == first


def test_every_lot_that_is_wrong_is_blamed_and_no_other(example: Running) -> None:
    client = example.client("auditor", "Olga")
    blamed = set()
    for item in client.get("/v1/proposals", params={"limit": 100}).json()["items"]:
        whole = client.get(f"/v1/proposals/{item['id']}").json()
        for lot in whole["record"]["lot_effects"]:
            if lot["verdict"] == "does_not_conform":
                blamed.add(lot["lot"]["id"])
    assert blamed == {"M-HEL-03", "M-NOR-02", "M-CAS-02", "M-CAS-04"}


def test_the_real_motor_is_shown_complete_and_enters_no_lot_model(example: Running) -> None:
    client = example.client("engineer", "Erik")
    motor = client.get("/v1/motors/ornl:PRIUS-2004-MG2-1").json()
    assert motor["magnets"] is None
    assert len(motor["results"]) == 453
    assert {test["reason"] for test in motor["results"]} <= {"lots_unknown", "magnet_temperature_unknown"}


def test_a_revised_limit_names_the_unbroken_chain_behind_it(example: Running) -> None:
    client = example.client("auditor", "Otto")
    why = client.get("/v1/why/example-motors:magnet-MAG-N42UH-83/magnet.HcJ").json()
    assert why["revision"] == 2
    assert {event["role"] for event in why["events"]} == ROLES
    for event in why["events"]:
        assert event["position"] > 0 and event["type"].startswith("lodestone.") and event["time"]
        assert event["sentence"].strip().endswith(".")
        stored = client.get(f"/v1/events/{event['position']}").json()
        assert stored["event"]["type"] == event["type"]


def test_the_whole_log_verifies(example: Running) -> None:
    found = example.json("verify")
    assert found["verified"] is True
    assert found["first_wrong_position"] is None
