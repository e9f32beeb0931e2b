"""What a simulated plant consists of: suppliers, lots and their true values, the motor, the benches, the faults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Truth = Mapping[str, float]
"""True lot values by characteristic key, in canonical units."""


@dataclass(frozen=True, slots=True)
class Supplier:
    """A magnet maker with one site, and the mine and oxide source that its lots come from."""

    id: str
    name: str
    country: str
    site: str
    mine: str
    oxide: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one magnet lot: shifts of true alloy, process and magnet values, or an early bond failure.

    `process` and `alloy` shifts move the magnet's properties through the plant's own response; `magnet` shifts add
    to them. `new_oxide` names a changed oxide source that the supplier records. `bond_life_h` replaces the
    characteristic life of the adhesive bond.
    """

    alloy: Truth = field(default_factory=dict)
    process: Truth = field(default_factory=dict)
    magnet: Truth = field(default_factory=dict)
    new_oxide: str | None = None
    bond_life_h: float | None = None


@dataclass(frozen=True, slots=True)
class Plant:
    """A whole plant; everything that `generate` needs, and nothing that it invents."""

    seed: int
    manufacturer: str
    motor_type: str
    motor_name: str
    item: str
    design: Mapping[str, Any]
    suppliers: tuple[Supplier, ...]
    lots_per_supplier: int
    motors_per_lot: int
    mixed_every: int
    benches: tuple[str, ...]
    nominal_alloy: Truth
    nominal_process: Truth
    nominal_magnet: Truth
    motor: Mapping[str, float]
    faults: Mapping[str, Fault]
    start: str
    lot_pattern: str = "M-{supplier}-{number:02d}"
    serial_pattern: str = "{type}-{number:04d}"
    endurance_hours: float = 3000.0
    bond_life_h: float = 90_000.0
    bond_shape: float = 2.2
