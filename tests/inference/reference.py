"""Reference plants whose truth is known: simulated events turned into inference states, without any store."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from events.refs import ref_text
from events.vocabulary import characteristics
from events.vocabulary.priors import PRIORS
from events.vocabulary.quantities import uncertainty_in, value_in
from projections.inference.state import (
    Change,
    Edge,
    EventId,
    Group,
    Life,
    Link,
    Lot,
    Measurement,
    MotorType,
    Plant,
    RequirementState,
    SpecInForce,
)

NOW = datetime(2026, 9, 1, tzinfo=UTC)
TEMPERATURE_TICK = 0.1
TESTS = {
    "efficiency_measured": "efficiency",
    "flux_measured": "value",
    "vibration_measured": "velocity",
    "thermal_degradation_measured": "loss",
}
COUNTED = ("identity_preserved", "controlled_blending", "segregated")


def kind(event: dict[str, Any]) -> str:
    return str(event["type"]).split(".")[2]


def identity(event: dict[str, Any]) -> EventId:
    return EventId(event["source"], event["id"])


def edges() -> tuple[Edge, ...]:
    return tuple(
        Edge(f"lodestone:{p.id}", p.parent, p.child, p.form, p.mean, p.sigma, p.unit, p.scale, p.valid_from, p.valid_to,
             p.basis)
        for p in PRIORS
    )  # fmt: skip


def plant_of(events: list[dict[str, Any]], specs: list[dict[str, Any]]) -> Plant:
    """Everything about materials; corrections and replacements are the folds' business, not this one's."""
    lots, links, measured, changes = {}, [], [], []
    for event in events:
        data, name = event["data"], kind(event)
        if name == "lot_registered":
            lot = ref_text(data["lot"])
            lots[lot] = Lot(
                lot, data["level"], ref_text(data["supplier"]), data["site"], data["produced_at"],
                ref_text(data["item"]) if data.get("item") else None, data.get("origin", "measured"),
                event=identity(event),
            )  # fmt: skip
            links += [
                Link(
                    lot,
                    ref_text(part["lot"]),
                    part["mass_fraction"],
                    part["custody_model"],
                    part["custody_model"] in COUNTED[:2],
                    part["custody_model"] in COUNTED,
                )
                for part in data["inputs"]
            ]
        elif name in ("lot_certified", "process_recorded", "incoming_inspected"):
            measured += readings(event)
        elif name == "source_changed":
            changes.append(
                Change(identity(event), data["change"], ref_text(data["supplier"]), data["site"], data["level"],
                       data["kind"], data["before"], data["after"], ref_text(data["first_lot"]), event["time"],
                       ref_text(data["item"]) if data.get("item") else None, origin=data.get("origin", "measured"))
            )  # fmt: skip
    return Plant(lots, tuple(links), tuple(measured), tuple(changes), tuple(spec(item) for item in specs), edges())


def spec(data: dict[str, Any]) -> SpecInForce:
    return SpecInForce(ref_text(data["spec"]), 1, data["level"], ref_text(data["item"]), (), {**data, "revision": 1})


def readings(event: dict[str, Any]) -> list[Measurement]:
    data = event["data"]
    found = []
    for item in data.get("measurements") or data.get("parameters"):
        unit = characteristics.find(item["characteristic"]).unit
        hot = item.get("temperature")
        found.append(
            Measurement(
                ref_text(data["lot"]), item["characteristic"], value_in(item["value"], unit),
                uncertainty_in(item["value"], unit), item.get("statistic", "lot_mean"),
                value_in(hot, "Cel") if hot else None,
                "process" if kind(event) == "process_recorded" else "certificate", n=item.get("n"), time=event["time"],
                event=identity(event),
            )
        )  # fmt: skip
    return found


def condition_of(data: dict[str, Any]) -> dict[str, float | None]:
    point, soak = data.get("operating_point", {}), data.get("soak", {})

    def at(part: dict[str, Any], name: str, unit: str) -> float | None:
        return value_in(part[name], unit) if part.get(name) else None

    return {
        "speed_rpm": at(point, "speed", "/min"), "torque_Nm": at(point, "torque", "N.m"),
        "soak_Cel": at(soak, "temperature", "Cel"), "soak_h": at(soak, "duration", "h"),
        "fault_A": at(soak, "fault_current", "A"),
    }  # fmt: skip


def groups_of(events: list[dict[str, Any]], metric: str) -> tuple[Group, ...]:
    """Exact integer sums of one metric, as the correlation fold defines them."""
    built = {ref_text(e["data"]["motor"]): e["data"] for e in events if kind(e) == "motor_built"}
    rows: dict[Any, dict[str, list[tuple[int, int, str]]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        data = event["data"]
        if kind(event) not in TESTS or data["magnet_temperature"]["how"] == "unknown":
            continue
        key = data.get("characteristic", "motor.eta" if kind(event) == "efficiency_measured" else "motor.v")
        motor = ref_text(data["motor"])
        if key != metric or not built.get(motor, {}).get("magnets"):
            continue
        row = characteristics.find(metric)
        y = row.ticks(value_in(data[TESTS[kind(event)]], row.unit))
        hot = round((value_in(data["magnet_temperature"]["value"], "Cel") - 20.0) / TEMPERATURE_TICK)
        selection = "sample" if data["why"] in ("all", "random") else "suspect"
        place = (tuple(sorted(condition_of(data).items())), selection)
        rows[place][motor].append((y, hot, ref_text(data["bench"])))
    return tuple(group for place, motors in rows.items() for group in _groups(place, motors, built, metric))


def _groups(place: Any, motors: Any, built: Any, metric: str) -> list[Group]:
    split: dict[tuple[int, int], list[tuple[str, Any]]] = defaultdict(list)
    for motor, tests in motors.items():
        pieces = sum(part["pieces"] for part in built[motor]["magnets"])
        split[pieces, len(tests)].append((motor, tests))
    made = []
    for (pieces, repeats), members in split.items():
        sums: dict[tuple[str, str], int] = defaultdict(int)
        within = 0.0
        for motor, tests in members:
            row: dict[str, int] = {"1": 1, "y": sum(t[0] for t in tests), "dT": sum(t[1] for t in tests)}
            for _, _, bench in tests:
                row[f"bench:{bench}"] = row.get(f"bench:{bench}", 0) + 1
            for part in built[motor]["magnets"]:
                row[f"lot:{ref_text(part['lot'])}"] = part["pieces"]
            mean = row["y"] / repeats
            within += sum((t[0] - mean) ** 2 for t in tests)
            for a in row:
                for b in row:
                    if a <= b:
                        sums[a, b] += row[a] * row[b]
        made.append(
            Group(f"{metric}|{place}|{pieces}|{repeats}", metric, dict(place[0]), pieces, repeats, place[1],
                  len(members), repeats * len(members), within, dict(sums))
        )  # fmt: skip
    return made


def lives_of(events: list[dict[str, Any]]) -> tuple[Life, ...]:
    built = {ref_text(e["data"]["motor"]): e["data"] for e in events if kind(e) == "motor_built"}
    found = []
    for event in events:
        if kind(event) not in ("failure_observed", "survival_observed"):
            continue
        data = event["data"]
        shares = {ref_text(part["lot"]): part["pieces"] for part in built[ref_text(data["motor"])]["magnets"]}
        found.append(Life(ref_text(data["motor"]), shares, value_in(data["life"], "h"), data.get("mode")))
    return tuple(found)


def state_of(
    events: list[dict[str, Any]], requirement: dict[str, Any], specs: list[dict[str, Any]], position: int = 1000
) -> RequirementState:
    """The state for one requirement of a simulated plant."""
    registered = next(e for e in events if kind(e) == "motor_type_registered")
    data = registered["data"]
    motor_type = MotorType(
        ref_text(data["motor_type"]), data["name"], ref_text(data["magnet_item"]), data["design"], "synthetic",
        identity(registered),
    )  # fmt: skip
    metric = requirement["metric"]
    return RequirementState(
        ref_text(requirement["requirement"]), requirement, 1, position, NOW, motor_type, plant_of(events, specs), 1,
        groups_of(events, metric), lives_of(events) if metric == "motor.life" else (),
    )  # fmt: skip
