"""One test result as the correlation keeps it: value and covariate in ticks, the set point as its condition."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
import orjson
from msgspec import Raw, Struct
from msgspec.json import Decoder

from events.catalogue import CATALOGUE, type_of
from events.envelope import Part, Recorded
from events.errors import Invalid
from events.facts import tests
from events.vocabulary import characteristics
from events.vocabulary.characteristics import Characteristic
from events.vocabulary.covariates import COVARIATES
from events.vocabulary.units import convert, convert_difference
from projections.folds.reading import Amount, finite, instant, origin, ref

EFFICIENCY = type_of(tests.EfficiencyMeasured)
FLUX = type_of(tests.FluxMeasured)
THERMAL = type_of(tests.ThermalDegradationMeasured)
VIBRATION = type_of(tests.VibrationMeasured)
MEASURED = (EFFICIENCY, FLUX, THERMAL, VIBRATION)
TICK_LIMIT = 2**24
"""From here on a value is kept and shown, but not summed: 2^15 motors of such values still fit 64 bits."""

SAMPLE = frozenset({"all", "random"})
"""Why a motor was tested when its result stands for the lot; suspects and retests are picked for their result."""
_MEASUREMENT = {EFFICIENCY: "efficiency", FLUX: "value", THERMAL: "loss", VIBRATION: "velocity"}
_METRIC = {EFFICIENCY: "motor.eta", VIBRATION: "motor.v"}
"""The metric where the event names none."""


_SHORT = {name: name.split(".")[2] for name in MEASURED}
_TEMPERATURE = COVARIATES["magnet_temperature"]


@dataclass(frozen=True, slots=True)
class Setup:
    """How a motor was tested, which is the same for many; `alike` names those whose values are summed together.

    `temperature_how` says how the magnet temperature was known, `sample` whether the motor stands for its lot.
    """

    type: str
    metric: str
    unit: str
    how: str
    bench: str
    operator: str | None
    fixture: str | None
    calibration: str | None
    standard: str | None
    why: str
    condition: Mapping[str, Any]
    origin: str
    stored: list[Any] = field(compare=False, repr=False)
    sample: bool = field(compare=False, repr=False)
    alike: str = field(compare=False, repr=False)


class Said(Struct, frozen=True, gc=False):
    """A result in the metric's unit: `ticks` from its origin, `dT` in ticks of the covariate magnet_temperature."""

    value: float
    u: float | None
    ticks: int
    temperature_Cel: float | None
    dT: int | None
    tested_at: str
    setup: Setup

    def stored(self) -> list[Any]:
        """The result as JSON."""
        setup = self.setup.stored
        return [self.value, self.u, self.ticks, self.temperature_Cel, self.dT, self.tested_at, setup]


def said(stored: Sequence[Any]) -> Said:
    """The result that was stored so."""
    value, u, ticks, temperature, dT, tested_at, setup = stored
    return Said(value, u, ticks, temperature, dT, tested_at, _setup(orjson.dumps(setup)))


def said_before(says: Mapping[str, Any]) -> list[Any]:
    """The same of a result as version 2 of the projection stored it, by name and without what is null."""
    values, setup = Said.__struct_fields__[:-1], [field.name for field in fields(Setup) if field.compare]
    return [*map(says.get, values), list(map(says.get, setup))]


@lru_cache(maxsize=4096)
def _setup(stored: bytes) -> Setup:
    """From the JSON of its fields; motors are tested in the same few ways."""
    values = orjson.loads(stored)
    metric, why, condition = values[1], values[9], values[10]
    sample = why in SAMPLE
    fields: tuple[Any, ...] = (*values, values, sample, orjson.dumps([metric, condition, sample]).decode())
    return Setup(*fields)


def result(event: Recorded) -> tuple[str, Said]:
    """The motor, and its result without what depends on the motor.

    It holds at the temperature that it was referred to, else at the magnet's: a value cannot have been referred from a
    temperature that nobody knew.
    """
    decode, setup_of = _PARTS[event.type]
    part = event.read(decode)
    setup, metric = _tested(event.type, b",".join(setup_of(part)))
    measured, value, u = part.measured, part.measured.value, part.measured.u
    if measured.unit != metric.unit:
        value = finite(convert(value, measured.unit, metric.unit))
        u = None if u is None else finite(convert_difference(u, measured.unit, metric.unit))
    temperature, referred, known, dT = part.magnet_temperature.value, part.referred_to, None, None
    if temperature is not None:
        known = _in_Cel(temperature)
        at = known if referred is None else _in_Cel(referred)
        dT = _exact(round((at - _TEMPERATURE.origin) / _TEMPERATURE.tick))
    # As `ticks` of metric and covariate have it, without a call: this is done for each result there is.
    ticks = _exact(round((value - metric.origin) / metric.tick))
    return event.partition_key, Said(value, u, ticks, known, dT, instant(part.tested_at), setup)


def _in_Cel(temperature: Amount) -> float:
    if temperature.unit == "Cel":
        return temperature.value
    return finite(convert(temperature.value, temperature.unit, "Cel"))


_SETUP = (
    "characteristic", "bench", "operator", "fixture", "calibration", "standard", "why", "origin",
    "operating_point", "soak", "band", "mounting",
)  # fmt: skip
"""The fields of a test that say how it was done."""
_SETUPS = {name: tuple(field for field in _SETUP if field in CATALOGUE[name].model.model_fields) for name in MEASURED}
_NONE = Raw(b"null")


class _Temperature(Struct, frozen=True, gc=False):
    """The magnet's temperature, and how it was known."""

    how: Raw = Raw(b'"unknown"')
    value: Amount | None = None


def _part(measured: str, setup: Sequence[str]) -> tuple[Part[Any], Callable[[Any], tuple[Raw, ...]]]:
    """What a result is made of; how the test was done stays text, which is the same for many, and how that is got."""
    fields: list[Any] = [
        ("measured", Amount, msgspec.field(name=measured)),
        ("tested_at", str),
        ("magnet_temperature", _Temperature, _Temperature()),
        ("referred_to", Amount | None, None),
        *((name, Raw, _NONE) for name in setup),
    ]
    return Decoder(msgspec.defstruct("Result", fields, frozen=True, gc=False)).decode, attrgetter(
        "magnet_temperature.how", *setup
    )


_PARTS = {name: _part(measured, _SETUPS[name]) for name, measured in _MEASUREMENT.items()}
_CLAUSE = ("standard", "edition", "clause")


@lru_cache(maxsize=4096)
def _tested(event_type: str, told: bytes) -> tuple[Setup, Characteristic]:
    """The setup that a test's fields tell, as JSON one after the other; and its metric."""
    how, *fields = orjson.loads(b"[%b]" % told)
    data: dict[str, Any] = dict.fromkeys(_SETUP) | dict(zip(_SETUPS[event_type], fields, strict=True))
    metric = characteristics.find(data["characteristic"] or _METRIC[event_type])
    standard = data["standard"]
    if standard is not None:
        standard = ", ".join(str(part) for part in map(standard.get, _CLAUSE) if part)
    values = (
        _SHORT[event_type], metric.key, metric.unit, how, ref(data["bench"]), data["operator"], data["fixture"],
        data["calibration"], standard, data["why"], condition(event_type, data), origin(data),
    )  # fmt: skip
    return _setup(orjson.dumps(values)), metric


def shown(says: Said) -> dict[str, Any]:
    """What was said, with null where nothing was."""
    setup = says.setup
    return {
        "type": setup.type,
        "metric": setup.metric,
        "value": says.value,
        "u": says.u,
        "unit": setup.unit,
        "ticks": says.ticks,
        "temperature_Cel": says.temperature_Cel,
        "how": setup.how,
        "dT": says.dT,
        "bench": setup.bench,
        "operator": setup.operator,
        "fixture": setup.fixture,
        "calibration": setup.calibration,
        "standard": setup.standard,
        "tested_at": says.tested_at,
        "why": setup.why,
        "condition": setup.condition,
        "origin": setup.origin,
    }


def _exact(ticks: int) -> int:
    """Ticks, held at the limit beyond which nothing is summed (the value itself is kept as it is)."""
    return ticks if -TICK_LIMIT < ticks < TICK_LIMIT else TICK_LIMIT if ticks > 0 else -TICK_LIMIT


def condition(event_type: str, data: Mapping[str, Any]) -> Mapping[str, float | None]:
    """The set point in canonical units, rounded to its frozen tick; results are pooled only at an equal one."""
    point = data.get("operating_point") or {}
    speed, torque, voltage = _stated(point, "speed"), _stated(point, "torque"), _stated(point, "voltage")
    if event_type == THERMAL:
        soak = data["soak"]
        more = (_stated(soak, "temperature"), _stated(soak, "duration"), _stated(soak, "fault_current"))
        return _condition(THERMAL, speed, torque, voltage, *more)
    if event_type == VIBRATION:
        band, rigid = data["band"], 1.0 if data["mounting"] == "rigid" else 0.0
        return _condition(VIBRATION, speed, torque, voltage, _stated(band, "low"), _stated(band, "high"), (rigid, "1"))
    return _condition(event_type, speed, torque, voltage)


Stated = tuple[float, str] | None


def _stated(values: Mapping[str, Any], name: str) -> Stated:
    value = values.get(name)
    return None if value is None else (value["value"], value["unit"])


def _condition(event_type: str, speed: Stated, torque: Stated, voltage: Stated, *more: Stated) -> Mapping[str, Any]:
    """The condition of these set points."""
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
