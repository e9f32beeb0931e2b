"""What inference knows when it concludes: folded rows as plain values, for one requirement or one source change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from events.rules.proposals import CaseState

Origin = str
"""`measured` or `synthetic`."""


@dataclass(frozen=True, slots=True)
class EventId:
    """An event by its CloudEvents identity."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class MotorType:
    """A motor type: reference `issuer:id`, the magnet item it takes, and its design constants as stored."""

    motor_type: str
    name: str
    magnet_item: str | None
    design: Mapping[str, Any]
    origin: Origin = "measured"
    event: EventId | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Exact sums over the motors that were tested alike: one metric, condition, pieces per motor and repeats.

    `condition` holds set points in canonical units (speed_rpm, torque_Nm, soak_Cel, soak_h, fault_A, …), None where
    not stated. `sums` maps a pair of column names, in text order, to the exact integer sum over motors of their
    product; columns: "1", "y" (ticks, summed over the repeats), "dT" (ticks, summed), "bench:…" (tests),
    "operator:…", "stator:…", "lot:…" (pieces). `within_ss` is the within-motor sum of squares in ticks².
    """

    key: str
    metric: str
    condition: Mapping[str, float | None]
    pieces: int
    repeats: int
    selection: str
    motors: int
    results: int
    within_ss: float
    sums: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Life:
    """How long one motor lived, in hours: `mode` of its failure, or None while it survives."""

    motor: str
    shares: Mapping[str, int]
    life_h: float
    mode: str | None = None
    origin: Origin = "measured"


@dataclass(frozen=True, slots=True)
class Lot:
    """A lot at any level; references are text `issuer:id`."""

    lot: str
    level: str
    supplier: str
    site: str
    produced_at: str
    item: str | None = None
    origin: Origin = "measured"
    withdrawn: bool = False
    incomplete: bool = False
    event: EventId | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """`fraction` of the child's mass came from the parent.

    `counts`: results and sources may be joined over it; false for segregated, mass-balance and book-and-claim custody
    and on cycles. `composition`: measured composition may be joined; also true for segregated (domain.md F.2).
    """

    child: str
    parent: str
    fraction: float
    custody_model: str
    counts: bool
    composition: bool


@dataclass(frozen=True, slots=True)
class Measurement:
    """One characteristic of a lot as measured, in the characteristic's canonical unit; `u` standard uncertainty."""

    lot: str
    characteristic: str
    value: float
    u: float | None
    statistic: str = "lot_mean"
    temperature_Cel: float | None = None
    kind: str = "certificate"
    laboratory: str | None = None
    n: int | None = None
    time: str = ""
    event: EventId | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A supplier recorded that a source, recipe, furnace, window or custody changed from `first_lot` on."""

    event: EventId
    change: str
    supplier: str
    site: str
    level: str
    kind: str
    before: str
    after: str
    first_lot: str
    time: str
    item: str | None = None
    evidence: tuple[str, ...] = ()
    origin: Origin = "measured"


@dataclass(frozen=True, slots=True)
class SpecInForce:
    """The newest revision of a specification, as its event's data."""

    spec: str
    revision: int
    level: str
    item: str
    suppliers: tuple[str, ...]
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Edge:
    """A sensitivity parent → child in canonical units, with its prior mean and 1-sigma (domain.md E.6)."""

    sensitivity: str
    parent: str
    child: str
    form: str
    mean: float
    sigma: float
    unit: str
    scale: float | None = None
    valid_from: float | None = None
    valid_to: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Plant:
    """The materials behind one magnet item: its lots and all their ancestors, with what was measured on them."""

    lots: Mapping[str, Lot] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    measurements: tuple[Measurement, ...] = ()
    changes: tuple[Change, ...] = ()
    specs: tuple[SpecInForce, ...] = ()
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class RequirementState:
    """Everything that the conclusions on one requirement follow from, up to log position `position`.

    `results` names, for a lot, the events of the results of its motors (for the evidence record); it may be filled
    after a first look, for the lots that turned out bad. `cases` are those that this requirement or its item's
    source changes opened, by id.
    """

    requirement: str
    data: Mapping[str, Any]
    version: int
    position: int
    now: datetime
    motor_type: MotorType
    plant: Plant
    policy_version: int = 1
    groups: tuple[Group, ...] = ()
    lives: tuple[Life, ...] = ()
    results: Mapping[str, tuple[EventId, ...]] = field(default_factory=dict)
    issued_by: EventId | None = None
    cases: Mapping[str, CaseState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangeState:
    """Everything that the case of one recorded source change follows from, up to log position `position`."""

    change: Change
    items: tuple[str, ...]
    plant: Plant
    position: int
    now: datetime
    policy_version: int = 1
    cases: Mapping[str, CaseState] = field(default_factory=dict)
