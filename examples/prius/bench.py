"""The real Prius motor's bench tables as events: efficiency and flux, complete, in no lot model."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from examples.prius.tables import Row, design_value, rows

LABORATORY = "ornl"
BENCH = "NTRC-1"
MOTOR = "PRIUS-2004-MG2-1"
MOTOR_TYPE = "PRIUS-2004-MG2"
SOURCE = f"/benches/{BENCH}"
OFFICE = f"/manufacturing/{LABORATORY}"
PUBLISHED = datetime(2006, 5, 1, tzinfo=UTC)
"""The reports name no date of test; their publication stands in, one minute a row."""
UNRELIABLE_FROM_NM = 300.0
PROXY_U_K = 15.0

Event = dict[str, Any]


def _ref(name: str) -> dict[str, str]:
    return {"issuer": LABORATORY, "id": name}


def _event(kind: str, source: str, name: str, time: datetime, data: dict[str, Any]) -> Event:
    return {
        "specversion": "1.0",
        "type": f"lodestone.{kind}.v1",
        "source": source,
        "id": name,
        "time": time.isoformat(),
        "data": {**data, "origin": "measured"},
    }


def masters() -> Iterator[Event]:
    """The laboratory, its bench, the motor type with its real design, and the motor, whose lots are unknown."""
    party = {
        "party": _ref(LABORATORY),
        "name": "Oak Ridge National Laboratory",
        "kinds": ["laboratory", "bench_owner"],
        "sites": [{"site": "National Transportation Research Center", "country": "US"}],
    }
    yield _event("parties.party_registered", OFFICE, "party-ornl", PUBLISHED, party)
    bench = {"bench": _ref(BENCH), "party": _ref(LABORATORY), "name": "Dynamometer of the benchmark reports"}
    yield _event("benches.bench_registered", OFFICE, "bench-ntrc-1", PUBLISHED, bench)
    motor_type = {
        "motor_type": _ref(MOTOR_TYPE),
        "name": "Toyota Prius 2004 traction motor (MG2)",
        "magnet_item": None,
        "design": {
            "topology": "ipm",
            "pole_pairs": 4,
            "slots": int(design_value("n_stator_slots")),
            "bore_mm": 10.0 * design_value("stator_id"),
            "stack_mm": 10.0 * design_value("stator_stack_length"),
            "turns_in_series": int(design_value("turns_per_coil") * design_value("coils_in_series_per_phase")),
            "magnet_thickness_mm": design_value("magnet_thickness"),
            "gap_mm": design_value("air_gap"),
        },
        "notes": "Design values from the benchmark reports; the magnet grade is not stated there.",
    }
    yield _event("motors.motor_type_registered", OFFICE, "type-prius-2004", PUBLISHED, motor_type)
    built = {
        "motor": _ref(MOTOR),
        "motor_type": _ref(MOTOR_TYPE),
        "built_at": datetime(2004, 1, 1, tzinfo=UTC).isoformat(),
        "magnets": None,
    }
    yield _event("motors.motor_built", OFFICE, "built-prius-2004-1", PUBLISHED, built)


def results() -> Iterator[Event]:
    """Every reliable row of the tables as one result."""
    number = 0
    for name, make in _tables():
        for row in rows(name):
            data = make(row)
            number += 1
            if data is not None:
                kind = "tests.flux_measured" if "characteristic" in data else "tests.efficiency_measured"
                time = PUBLISHED + timedelta(days=1, minutes=number)
                yield _event(kind, SOURCE, f"prius-2004-{number:04d}", time, _result(time) | data)


def _tables() -> Iterator[tuple[str, Any]]:
    yield "prius2004_performance_map", _map_point
    for oil in ("35C", "50C", "75C"):
        yield f"prius2004_thermal_torque_sweep_{oil}", _sweep_point
    yield "prius2004_motor_back_emf_vs_speed", _back_emf


def _result(time: datetime) -> dict[str, Any]:
    return {
        "motor": _ref(MOTOR),
        "bench": _ref(BENCH),
        "tested_at": time.isoformat(),
        "why": "all",
        "magnet_temperature": {"how": "unknown", "note": "The reports give no magnet temperature."},
    }


def _point(row: Row) -> dict[str, Any]:
    speed = {"value": float(row["speed_rpm"]), "unit": "/min"}
    return {"speed": speed, "torque": {"value": float(row["torque_Nm"]), "unit": "N.m"}}


def _map_point(row: Row) -> dict[str, Any] | None:
    if float(row["torque_Nm"]) >= UNRELIABLE_FROM_NM:
        return None
    p_in, p_out = float(row["p_ac_W"]), float(row["p_mech_W"])
    return {
        "operating_point": _point(row),
        "winding_temperature": {"value": float(row["t_stator_C"]), "unit": "Cel"},
        "efficiency": {"value": round(100.0 * float(row["eta_motor"]), 3), "unit": "%"},
        "input_power": {"value": p_in, "unit": "W"},
        "output_power": {"value": p_out, "unit": "W"},
        "loss": {"value": p_in - p_out, "unit": "W"},
    }


def _sweep_point(row: Row) -> dict[str, Any] | None:
    if not row["efficiency"]:
        return None
    oil = {"value": float(row["t_oil_C"]), "unit": "Cel", "u": PROXY_U_K}
    note = "Oil temperature as a proxy; the magnets were not instrumented."
    return {
        "operating_point": _point(row),
        "magnet_temperature": {"how": "proxy", "value": oil, "note": note},
        "winding_temperature": {"value": float(row["t_winding_C"]), "unit": "Cel"},
        "efficiency": {"value": round(100.0 * float(row["efficiency"]), 3), "unit": "%"},
        "input_power": {"value": float(row["p_elec_W"]), "unit": "W"},
        "output_power": {"value": float(row["p_mech_W"]), "unit": "W"},
    }


def _back_emf(row: Row) -> dict[str, Any]:
    speed = float(row["speed_rpm"])
    return {
        "operating_point": {"speed": {"value": speed, "unit": "/min"}},
        "characteristic": "motor.Ke20",
        "value": {"value": round(1000.0 * float(row["v_rms_V"]) / speed, 4), "unit": "mV.min"},
    }
