"""The page of a motor: what is inside it, what was measured on it, and which results count."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import HTMLResponse
from sqlalchemy import RowMapping, select

from events.errors import NotFound
from events.refs import parse_ref
from events.vocabulary import characteristics
from projections.folds.correlation.rows import MotorResults
from projections.folds.genealogy.rows import Motor, MotorType
from projections.folds.lifetimes import MotorLife
from services.doors.context import Here
from services.doors.drawings import number
from services.doors.pages.environment import render
from services.doors.pages.people import Page
from services.doors.review.motors import tested_motor

router = APIRouter(include_in_schema=False)
Reader = Annotated[Here, Depends(Page("read"))]
SHOWN = 2000
REASONS = {
    None: "yes",
    "waiting_for_genealogy": "waits for the motor's build record",
    "lots_unknown": "no: lots unknown",
    "magnet_temperature_unknown": "no: temperature unknown",
    "out_of_range": "no: outside the range that is accumulated",
    "rotor_replaced": "no: the rotor was replaced before",
    "voided": "no: voided",
    "replaced": "no: replaced",
}
UNKNOWN = "unknown"
HOW = {
    "embedded_sensor": "sensor",
    "back_emf": "from back-EMF",
    "model": "modelled",
    "proxy": "declared proxy",
}
POINTS = {
    "speed_rpm": "min⁻¹",
    "torque_Nm": "N·m",
    "voltage_V": "V",
    "soak_Cel": "°C soak",
    "soak_h": "h",
    "fault_A": "A short",
}


@router.get("/motors/{motor}")
def motor_page(motor: str, here: Reader) -> HTMLResponse:
    """One motor."""
    ref = str(parse_ref(motor))
    motors, types, lives = (here.table(kind) for kind in (Motor, MotorType, MotorLife))
    with here.connect() as connection:
        row = connection.execute(select(motors).where(motors.c.motor == ref)).mappings().one_or_none()
        tested = tested_motor(here, connection, ref)
        life = connection.execute(select(lives).where(lives.c.motor == ref)).mappings().one_or_none()
        if row is None and tested is None and life is None:
            raise NotFound(f"There is no motor {motor}. Motors appear with their build record or their first result.")
        kind = row["motor_type"] if row else None
        named = connection.execute(select(types.c.name).where(types.c.motor_type == kind)).scalar() if kind else None
    shown = [*_tests(tested), *_lives(life)]
    return render(here.request, "motor.html", {"motor": _view(ref, row, named or kind, shown)})


def _view(ref: str, row: RowMapping | None, named: str | None, shown: list[dict[str, Any]]) -> dict[str, Any]:
    built = bool(row and row["built"])
    magnets = row["magnets"] if row and built else []
    total = sum(item["pieces"] for item in magnets or ())
    notes = ["Two build records claim this motor; the earlier one holds."] if row and row["conflict"] else []
    if not built:
        notes.append("No build record yet: the results wait for it and count the moment it arrives.")
    blind = sum(item["temperature"] == UNKNOWN for item in shown)
    if blind:
        notes.append(f"{blind} of {len(shown)} results: magnet temperature unknown: cannot blame a lot.")
    synthetic = bool(row and row["origin"] == "synthetic") or any(item["origin"] == "synthetic" for item in shown)
    return {
        "motor": ref,
        "type_name": named,
        "built_at": row["built_at"] if row else None,
        "line": row["line"] if row else None,
        "stator_batch": row["stator_batch"] if row else None,
        "synthetic": synthetic,
        "notes": notes,
        "magnets": None if magnets is None else [{**item, "share": item["pieces"] / total} for item in magnets],
        "results": shown,
        "shown": SHOWN,
    }


def _tests(row: MotorResults | None) -> list[dict[str, Any]]:
    if row is None:
        return []
    gone = [{**test, "reason": test["fate"]} for test in row.gone]
    return [_test(test) for test in [*row.tests, *gone]]


def _test(test: dict[str, Any]) -> dict[str, Any]:
    known = characteristics.find(test["metric"])
    temperature = UNKNOWN
    if test["temperature_Cel"] is not None:
        temperature = f"{number(test['temperature_Cel'], 3)} °C, {HOW.get(test['how'], test['how'])}"
    point = [f"{number(value)} {POINTS[key]}" for key, value in test["condition"].items() if key in POINTS and value]
    return {
        "time": test["tested_at"],
        "name": known.name,
        "value": test["value"],
        "u": test["u"],
        "unit": known.unit,
        "point": ", ".join(point) or "—",
        "temperature": temperature,
        "counts": REASONS.get(test["reason"], test["reason"]),
        "origin": test["origin"],
    }


def _lives(row: RowMapping | None) -> list[dict[str, Any]]:
    if row is None:
        return []
    shown = []
    for item in row["records"] or ():
        mode = item["mode"]
        shown.append(
            {
                "time": item["tested_at"],
                "name": f"Failure {mode}" if mode else "Survival without failure",
                "value": item["life_h"],
                "u": None,
                "unit": "h",
                "point": "endurance",
                "temperature": "—",
                "counts": REASONS.get(item.get("reason"), item.get("reason")),
                "origin": item["origin"],
            }
        )
    return shown
