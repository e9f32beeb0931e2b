"""One test result as the correlation keeps it: value and covariate in ticks, the set point as its condition."""

from collections.abc import Mapping
from typing import Any

from events.catalogue import type_of
from events.envelope import Recorded
from events.errors import Invalid
from events.facts import tests
from events.vocabulary import characteristics
from events.vocabulary.covariates import COVARIATES
from projections.folds.reading import instant, measured, origin, quantity, ref

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


def result(event: Recorded) -> dict[str, Any]:
    """The result as JSON (see MotorResults.tests), without what depends on the motor: rotor and reason."""
    data = event.data
    metric = data.get("characteristic") or _METRIC[event.type]
    value, u, unit = measured(metric, data[_MEASUREMENT[event.type]])
    temperature, how = _magnet_temperature(data)
    covariate = COVARIATES["magnet_temperature"]
    return {
        "type": event.type.split(".")[2],
        "metric": metric,
        "value": value,
        "u": u,
        "unit": unit,
        "ticks": _exact(characteristics.find(metric).ticks(value)),
        "temperature_Cel": temperature,
        "how": how,
        "dT": _ticks_at(data, temperature, covariate.ticks),
        "bench": ref(data["bench"]),
        "operator": data.get("operator"),
        "fixture": data.get("fixture"),
        "calibration": data.get("calibration"),
        "standard": _standard(data.get("standard")),
        "tested_at": instant(data["tested_at"]),
        "why": data["why"],
        "condition": condition(event),
        "origin": origin(data),
    }


def _magnet_temperature(data: Mapping[str, Any]) -> tuple[float | None, str]:
    known = data.get("magnet_temperature") or {"how": "unknown"}
    return quantity(known.get("value"), "Cel"), known["how"]


def _ticks_at(data: Mapping[str, Any], temperature: float | None, ticks: Any) -> int | None:
    """The temperature that the value holds at: the one it was referred to, else the magnet's.

    A value cannot have been referred from a temperature that nobody knew.
    """
    if temperature is None:
        return None
    referred = quantity(data.get("referred_to"), "Cel")
    return _exact(int(ticks(temperature if referred is None else referred)))


def _exact(ticks: int) -> int:
    """Ticks, held at the limit beyond which nothing is summed (the value itself is kept as it is)."""
    return max(-TICK_LIMIT, min(ticks, TICK_LIMIT))


def _standard(value: Mapping[str, Any] | None) -> str | None:
    if value is None:
        return None
    return ", ".join(str(value[part]) for part in ("standard", "edition", "clause") if value.get(part))


def condition(event: Recorded) -> dict[str, float | None]:
    """The set point in canonical units, rounded to its frozen tick; results are pooled only at an equal one."""
    data = event.data
    point = data.get("operating_point") or {}
    found = {
        "speed_rpm": _point(point.get("speed"), "speed"),
        "torque_Nm": _point(point.get("torque"), "torque"),
        "voltage_V": _voltage(point.get("voltage")),
    }
    if event.type == THERMAL:
        soak = data["soak"]
        found["soak_Cel"] = _point(soak["temperature"], "soak_temperature")
        found["soak_h"] = _point(soak["duration"], "soak_duration")
        found["fault_A"] = _point(soak.get("fault_current"), "fault_current")
    if event.type == VIBRATION:
        found["band_low_Hz"] = quantity(data["band"]["low"], "Hz")
        found["band_high_Hz"] = quantity(data["band"]["high"], "Hz")
        found["rigid_mounting"] = 1.0 if data["mounting"] == "rigid" else 0.0
    return found


def _point(value: Mapping[str, Any] | None, name: str) -> float | None:
    covariate = COVARIATES[name]
    stated = quantity(value, covariate.unit)
    return None if stated is None else round(covariate.value(covariate.ticks(stated)), 6)


def _voltage(value: Mapping[str, Any] | None) -> float | None:
    """The door takes any unit here; one that is no voltage names no set point."""
    try:
        return _point(value, "voltage")
    except Invalid:
        return None
