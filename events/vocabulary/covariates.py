"""The frozen integer resolution of conditions under which a motor is tested: nuisance covariates and set points."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Covariate:
    """A condition in its canonical unit, kept in sums as round((value − origin)/tick); tick and origin never change."""

    name: str
    unit: str
    tick: float
    origin: float

    def ticks(self, value: float) -> int:
        """The value, in the canonical unit, as an integer number of ticks from the origin."""
        return round((value - self.origin) / self.tick)

    def value(self, ticks: float) -> float:
        """The value, in the canonical unit, of a number of ticks."""
        return self.origin + ticks * self.tick


COVARIATES: Mapping[str, Covariate] = {
    row.name: row
    for row in (
        Covariate("magnet_temperature", "Cel", 0.1, 20.0),
        Covariate("winding_temperature", "Cel", 0.1, 20.0),
        Covariate("soak_temperature", "Cel", 0.1, 20.0),
        Covariate("soak_duration", "h", 0.1, 0.0),
        Covariate("fault_current", "A", 0.1, 0.0),
        Covariate("speed", "/min", 1.0, 0.0),
        Covariate("torque", "N.m", 0.1, 0.0),
        Covariate("voltage", "V", 0.1, 0.0),
        Covariate("hours", "h", 0.1, 0.0),
    )
}
