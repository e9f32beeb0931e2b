"""One test result as the correlation keeps it: value and covariate in ticks, the set point as its condition."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from events.catalogue import type_of
from events.envelope import Recorded
from events.errors import Invalid
from events.facts import tests
from events.vocabulary import characteristics
from events.vocabulary.covariates import COVARIATES
from events.vocabulary.units import convert
from projections.folds.reading import finite, instant, measured, origin, quantity, ref

EFFICIENCY = type_of(tests.EfficiencyMeasured)
FLUX = type_of(tests.FluxMeasured)
THERMAL = type_of(tests.ThermalDegradationMeasured)
VIBRATION = type_of(tests.VibrationMeasured)
MEASURED = (EFFICIENCY, FLUX, THERMAL, VIBRATION)
TICK_LIMIT = 2**24
"""From here on a value is kept and shown, but not summed: 2^15 motors of such values still fit 64 bits."""

_MEASUREMENT = {EFFICIENCY: "efficiency", FLUX: "value", THERMAL: "loss", VIBRATION: "velocity"}
_METRIC = {EFFICIENCY: "motor.eta", VIBRATION: "motor.v"}
"""The metric where the event names none."""


SAID = (
    "type", "metric", "value", "u", "unit", "ticks", "temperature_Cel", "how", "dT", "bench", "operator", "fixture",
    "calibration", "standard", "tested_at", "why", "condition", "origin",
)  # fmt: skip
"""The fields of a result, in their order."""
_SHORT = {name: name.split(".")[2] for name in MEASURED}
_TEMPERATURE = COVARIATES["magnet_temperature"]


def result(event: Recorded) -> dict[str, Any]:
    """The result as JSON (see MotorResults.tests), without what depends on the motor, and without what is null."""
    data = event.data
    metric = data.get("characteristic") or _METRIC[event.type]
    value, u, unit = measured(metric, data[_MEASUREMENT[event.type]])
    temperature, how = _magnet_temperature(data)
    says: dict[str, Any] = {
        "type": _SHORT[event.type],
        "metric": metric,
        "value": finite(value),
        "unit": unit,
        "ticks": _exact(characteristics.find(metric).ticks(value)),
        "how": how,
        "bench": ref(data["bench"]),
        "tested_at": instant(data["tested_at"]),
        "why": data["why"],
        "condition": condition(event),
        "origin": origin(data),
    }
    if u is not None:
        says["u"] = finite(u)
    if temperature is not None:
        says["temperature_Cel"], says["dT"] = temperature, _ticks_at(data, temperature)
    for name in ("operator", "fixture", "calibration"):
        if data.get(name) is not None:
            says[name] = data[name]
    if data.get("standard") is not None:
        says["standard"] = _standard(*map(data["standard"].get, _CLAUSE))
    return says


_CLAUSE = ("standard", "edition", "clause")


@lru_cache(maxsize=4096)
def _standard(*parts: Any) -> str:
    return ", ".join(str(part) for part in parts if part)


def whole(says: Mapping[str, Any]) -> dict[str, Any]:
    """What was said, with null where nothing was."""
    return {name: says.get(name) for name in SAID}


def _magnet_temperature(data: Mapping[str, Any]) -> tuple[float | None, str]:
    known = data.get("magnet_temperature") or {"how": "unknown"}
    return finite(quantity(known.get("value"), "Cel")), known["how"]


def _ticks_at(data: Mapping[str, Any], temperature: float) -> int:
    """The temperature that the value holds at: the one it was referred to, else the magnet's.

    A value cannot have been referred from a temperature that nobody knew.
    """
    referred = quantity(data.get("referred_to"), "Cel")
    return _exact(_TEMPERATURE.ticks(temperature if referred is None else referred))


def _exact(ticks: int) -> int:
    """Ticks, held at the limit beyond which nothing is summed (the value itself is kept as it is)."""
    return ticks if -TICK_LIMIT < ticks < TICK_LIMIT else TICK_LIMIT if ticks > 0 else -TICK_LIMIT


def condition(event: Recorded) -> Mapping[str, float | None]:
    """The set point in canonical units, rounded to its frozen tick; results are pooled only at an equal one."""
    data = event.data
    point = data.get("operating_point") or {}
    speed, torque, voltage = _stated(point, "speed"), _stated(point, "torque"), _stated(point, "voltage")
    if event.type == THERMAL:
        soak = data["soak"]
        more = (_stated(soak, "temperature"), _stated(soak, "duration"), _stated(soak, "fault_current"))
        return _condition(THERMAL, speed, torque, voltage, *more)
    if event.type == VIBRATION:
        band, rigid = data["band"], 1.0 if data["mounting"] == "rigid" else 0.0
        return _condition(VIBRATION, speed, torque, voltage, _stated(band, "low"), _stated(band, "high"), (rigid, "1"))
    return _condition(event.type, speed, torque, voltage)


Stated = tuple[float, str] | None


def _stated(values: Mapping[str, Any], name: str) -> Stated:
    value = values.get(name)
    return None if value is None else (value["value"], value["unit"])


@lru_cache(maxsize=4096)
def _condition(event_type: str, speed: Stated, torque: Stated, voltage: Stated, *more: Stated) -> Mapping[str, Any]:
    """The condition of these set points; motors of one type are tested at the same few."""
    found = {
        "speed_rpm": _point(speed, "speed"),
        "torque_Nm": _point(torque, "torque"),
        "voltage_V": _voltage(voltage),
    }
    if event_type == THERMAL:
        found["soak_Cel"] = _point(more[0], "soak_temperature")
        found["soak_h"] = _point(more[1], "soak_duration")
        found["fault_A"] = _point(more[2], "fault_current")
    if event_type == VIBRATION:
        names = (("band_low_Hz", "Hz"), ("band_high_Hz", "Hz"), ("rigid_mounting", "1"))
        found |= {
            name: finite(convert(float(part[0]), part[1], unit))
            for (name, unit), part in zip(names, more, strict=True)
            if part
        }
    return found


def _point(value: Stated, name: str) -> float | None:
    if value is None:
        return None
    covariate = COVARIATES[name]
    return round(covariate.value(covariate.ticks(convert(float(value[0]), value[1], covariate.unit))), 6)


def _voltage(value: Stated) -> float | None:
    """The door takes any unit here; one that is no voltage names no set point."""
    try:
        return _point(value, "voltage")
    except Invalid:
        return None
