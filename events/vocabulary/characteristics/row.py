"""What one row of the catalogue of characteristics says."""

from dataclasses import dataclass
from typing import Literal

Direction = Literal["higher", "lower", "target"]
Row = tuple[str, str, str, str, Direction, str, str, float, float]
"""Key, catalogue id, name, canonical unit, direction, method, typical value, tick, origin."""


@dataclass(frozen=True, slots=True)
class Characteristic:
    """A measured quantity of the field (domain dossier, section I; rows without an id come from its prior table).

    `unit` is the canonical UCUM unit. `tick` and `origin`, in that unit, are the frozen integer resolution of
    accumulated sums: a value is kept as round((value − origin)/tick). `typical` is printed as the source has it
    and gates nothing.
    """

    key: str
    catalogue_id: str
    name: str
    unit: str
    direction: Direction
    method: str
    typical: str
    tick: float
    origin: float

    @property
    def level(self) -> str:
        return self.key.partition(".")[0]

    @property
    def provenance(self) -> str:
        """`V` where the typical value was seen in a public source, else `K/J`: a person confirms it before it gates."""
        return "V" if "(V" in self.typical else "K/J"

    def ticks(self, value: float) -> int:
        """The value, in the canonical unit, as an integer number of ticks from the origin."""
        return round((value - self.origin) / self.tick)

    def value(self, ticks: float) -> float:
        """The value, in the canonical unit, of a number of ticks."""
        return self.origin + ticks * self.tick
