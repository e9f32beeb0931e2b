"""Small random plants as CloudEvents: lots, motors, results, and every way in which facts are corrected."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import orjson
from hypothesis import strategies as st
from msgspec.structs import replace

import events
from events.catalogue import CATALOGUE, upcast
from events.envelope import Recorded, decode, stored_bytes
from events.receive import receive

Event = dict[str, Any]
MAKERS = ("kirin", "boreal")
BENCHES = ("B1", "B2")
TESTS = frozenset(name for name, line in CATALOGUE.items() if line.stream == "tests" and line.name != "test_voided")
CUSTODY = ("identity_preserved", "segregated", "controlled_blending", "mass_balance", "book_and_claim")
BANDS: tuple[dict[str, Any], ...] = (
    {},
    {"band_low_Hz": 5, "mounting": "rigid"},
    {"band": {"low": {"value": 10, "unit": "Hz"}, "high": {"value": 1000, "unit": "Hz"}}, "mounting": "free"},
)
"""The conditions of a vibration as version 1 leaves or tells them, and as version 2 states them."""
GOLDEN = Path(str(events.__file__)).parent / "golden"


def ref(name: str, issuer: str = "works") -> dict[str, str]:
    return {"issuer": issuer, "id": name}


def at(hour: int) -> str:
    """One of few instants, so that times tie."""
    return f"2026-03-{1 + hour // 24 % 28:02d}T{hour % 24:02d}:00:00+01:00"


def event(kind: str, name: str, hour: int, data: dict[str, Any], source: str = "/plant", version: int = 1) -> Event:
    """A CloudEvent `lodestone.<kind>.v<version>`."""
    return {
        "specversion": "1.0",
        "type": f"lodestone.{kind}.v{version}",
        "source": source,
        "id": name,
        "time": at(hour),
        "data": data,
    }


def built(name: str = "M", hour: int = 0, batch: str = "ST1", id: str | None = None, **magnets: int) -> Event:
    """A motor built with these pieces of lots; none named: its lots are unknown."""
    shares = [{"lot": ref(lot), "pieces": pieces} for lot, pieces in magnets.items()] or None
    data = {"motor": ref(name), "motor_type": ref("T"), "built_at": at(hour), "stator_batch": batch, "magnets": shares}
    return event("motors.motor_built", id or f"built-{name}", hour, data)


def void(id: str, test: str, name: str = "M", **more: Any) -> Event:
    """A test is voided."""
    data = {"motor": ref(name), "test": {"source": "/plant", "id": test}, "reason": "Wrong bench.", **more}
    return event("tests.test_voided", id, 30, data)


def recorded(posted: Iterable[Event]) -> list[Recorded]:
    """The events as the log would hand them to a fold, in this order of arrival; rule streams are numbered."""
    versions: dict[str, int] = {}
    found = []
    for position, one in enumerate(posted, start=1):
        draft = receive(one).draft
        number = None
        if draft.versioned:
            number = versions[draft.stream] = versions.get(draft.stream, 0) + 1
        stored = stored_bytes(draft, f"2026-04-01T00:00:00.{position:06d}Z", number)
        found.append(upcast(decode(position, stored)))
    return found


def golden() -> list[Recorded]:
    """One event of every type of the catalogue, in its order."""
    return recorded(orjson.loads((GOLDEN / f"{name}.json").read_bytes()) for name in CATALOGUE)


def arrivals(shuffled: Sequence[Recorded]) -> list[Recorded]:
    """The same events in another order of arrival: positions and record times are new."""
    return [
        replace(one, position=position, recorded_time=f"2026-05-01T00:00:00.{position:06d}Z")
        for position, one in enumerate(shuffled, start=1)
    ]


def is_test(one: Event | Recorded) -> bool:
    """Whether it is a result (not its voiding)."""
    return (one["type"] if isinstance(one, dict) else one.type) in TESTS


def resent(posted: Sequence[Event], chosen: Sequence[Event]) -> list[Event]:
    """The events with the chosen tests voided and sent again under new ids."""
    extra = []
    for one in chosen:
        void = {"motor": one["data"]["motor"], "test": {"source": one["source"], "id": one["id"]}, "reason": "Typing."}
        extra.append(event("tests.test_voided", f"void-{one['id']}", 600, void))
        extra.append({**one, "id": f"again-{one['id']}", "data": {**one["data"], "replaces": None}})
    return [*posted, *extra]


class Plant:
    """A plant drawn from a generator of choices: a few of everything, contradictions included."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self.events: list[Event] = []
        self.lots = [ref(f"L{n}", MAKERS[n % 2]) for n in range(chance.randint(1, 5))]
        self.motors = [ref(f"M/{n}") for n in range(chance.randint(1, 3))]

    def add(self, kind: str, data: dict[str, Any]) -> Event:
        version = 2 if "band" in data else 1
        made = event(kind, f"e{len(self.events)}", self.chance.randint(0, 40), data, version=version)
        self.events.append(made)
        return made

    def draw(self) -> list[Event]:
        for lot in self.lots:
            for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
                self.lot(lot)
            for _ in range(self.chance.randint(0, 3)):
                self.document(lot)
        for motor in self.motors:
            for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
                self.built(motor)
            if self.chance.random() < 0.3:
                self.replaced_rotor(motor)
            for _ in range(self.chance.randint(0, 5)):
                self.test(motor)
        for _ in range(self.chance.randint(0, 5)):
            self.correction()
        return self.events

    def lot(self, lot: dict[str, str]) -> None:
        parents = [one for one in self.lots if one != lot and self.chance.random() < 0.5]
        inputs = [
            {"lot": one, "mass_fraction": self.chance.choice((0.1, 0.2, 0.25)), "custody_model": custody}
            for one in parents
            if (custody := self.chance.choice(CUSTODY))
        ]
        level = self.chance.choice(("ore", "alloy", "magnet"))
        data = {"lot": lot, "level": level, "supplier": ref(lot["issuer"], lot["issuer"]), "site": "S"}
        self.add("lots.lot_registered", {**data, "produced_at": at(self.chance.randint(0, 9)), "inputs": inputs})
        if self.chance.random() < 0.2:
            self.add("lots.lot_withdrawn", {"lot": lot, "reason": "Mixed up."})

    def document(self, lot: dict[str, str]) -> None:
        reading = {
            "characteristic": self.chance.choice(("magnet.Br", "magnet.HcJ")),
            "value": {"value": self.chance.choice((1.3, 1.31)), "unit": "T", "u": 0.01},
        }
        if reading["characteristic"] == "magnet.HcJ":
            reading["value"] = {"value": self.chance.choice((1700, 21.5)), "unit": self.chance.choice(("kA/m", "kOe"))}
        laboratory = {"laboratory": ref("lab"), "method": "IEC 60404-5", "measurements": [reading]}
        kind = self.chance.randrange(4)
        if kind == 0:
            self.add("lots.incoming_inspected", {"lot": lot, **laboratory})
        elif kind == 1:
            parameter = {
                "characteristic": "process.T_s",
                "value": {"value": self.chance.choice((1060, 1070)), "unit": "Cel"},
            }
            performed = at(self.chance.randint(0, 2))
            self.add(
                "lots.process_recorded",
                {"lot": lot, "stage": "sinter", "performed_at": performed, "parameters": [parameter]},
            )
        else:
            data = {"lot": lot, "certificate": self.chance.choice(("C1", "C2")), **laboratory}
            if kind == 2:
                self.add("lots.lot_certified", data)
            else:
                self.add("lots.certificate_corrected", {**data, "reason": "Wrong column."})

    def magnets(self) -> list[dict[str, Any]] | None:
        if self.chance.random() < 0.15:
            return None
        count = self.chance.randint(1, min(2, len(self.lots)))
        return [{"lot": lot, "pieces": self.chance.randint(1, 8)} for lot in self.chance.sample(self.lots, count)]

    def built(self, motor: dict[str, str]) -> None:
        batch = self.chance.choice((None, "ST1", "ST2"))
        data = {"motor": motor, "motor_type": ref(self.chance.choice(("T1", "T2"))), "built_at": at(0)}
        self.add("motors.motor_built", {**data, "stator_batch": batch, "magnets": self.magnets()})

    def replaced_rotor(self, motor: dict[str, str]) -> None:
        data = {"motor": motor, "replaced_at": at(self.chance.randint(0, 40)), "reason": "Balancing."}
        self.add("motors.rotor_replaced", {**data, "magnets": self.magnets()})

    def test(self, motor: dict[str, str]) -> Event:
        known = {"how": "model", "value": {"value": self.chance.choice((20, 24.3, 60)), "unit": "Cel", "u": 3}}
        base = {
            "motor": motor,
            "bench": ref(self.chance.choice(BENCHES)),
            "tested_at": at(self.chance.randint(0, 40)),
            "operator": self.chance.choice((None, "ann", "bo")),
            "operating_point": {"speed": {"value": 1500, "unit": "/min"}},
            "magnet_temperature": known if self.chance.random() < 0.85 else {"how": "unknown"},
            "why": self.chance.choice(("all", "random", "suspect", "retest")),
        }
        kind, own = self.chance.choice(self.outcomes(self.chance.randint(0, 3)))
        return self.add(f"tests.{kind}", {**base, **own})

    def outcomes(self, value: int) -> list[tuple[str, dict[str, Any]]]:
        """What a test may find; efficiency twice, so that motors are tested again."""
        soak_Cel = {"value": self.chance.choice((120, 150)), "unit": "Cel"}
        soak = {"soak": {"temperature": soak_Cel, "duration": {"value": 2, "unit": "h"}}}
        life = {"life": {"value": 100 * value + 50, "unit": "h"}}
        efficiency = {"efficiency": {"value": 93 + value / 10, "unit": "%"}}
        return [
            ("efficiency_measured", efficiency),
            ("efficiency_measured", efficiency),
            ("flux_measured", {"characteristic": "motor.Ke20", "value": {"value": 86 + value, "unit": "mV.min"}}),
            ("vibration_measured", {"velocity": {"value": 1 + value / 4, "unit": "mm/s"}} | self.chance.choice(BANDS)),
            ("thermal_degradation_measured", _loss(value) | soak),
            ("failure_observed", {"mode": self.chance.choice(("FM-MAG-DET", "FM-DEM-U")), **life}),
            ("survival_observed", life),
        ]

    def correction(self) -> None:
        """A void or a replacement: of what is there, of what never comes, across motors, or of a void."""
        named = self.chance.choice(self.events)["id"] if self.events and self.chance.random() < 0.9 else "never"
        if self.chance.random() < 0.5:
            void = {"motor": self.chance.choice(self.motors), "test": {"source": "/plant", "id": named}}
            self.add("tests.test_voided", {**void, "reason": "Bench out of calibration."})
            return
        made = self.test(self.chance.choice(self.motors))
        if made["id"] != named:
            made["data"]["replaces"] = {"source": "/plant", "id": named}


def _loss(value: float) -> dict[str, Any]:
    return {"characteristic": "motor.dpsi_irr", "loss": {"value": value, "unit": "%"}}


@st.composite
def plants(draw: st.DrawFn) -> list[Event]:
    """The events of a small plant, valid at the door, in the order in which they were made up."""
    return Plant(draw(st.randoms(use_true_random=False))).draw()
