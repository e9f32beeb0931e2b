"""A reduced quantity: a value with its standard uncertainty and UCUM unit, and the mean of a series of samples."""

import math
from dataclasses import dataclass

from projections.mathematics.answers import Array, NoAnswer, finite

FEWEST_SAMPLES = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its standard uncertainty (k = 1) in one UCUM unit."""

    value: float
    u: float
    unit: str

    @property
    def relative_u(self) -> float:
        """u/|value|; raises NoAnswer where the value is zero."""
        if self.value == 0.0:
            raise NoAnswer("no_variation", "A value of zero has no relative uncertainty.")
        return self.u / abs(self.value)

    def as_measured(self) -> dict[str, float | str]:
        """The quantity as a fact carries it: value, unit, u."""
        return {"value": self.value, "unit": self.unit, "u": self.u}


def combined(*parts: float) -> float:
    """Standard uncertainty of independent contributions in one unit (GUM 5.1.2)."""
    return math.sqrt(sum(part * part for part in parts))


def independent_samples(samples: Array) -> float:
    """How many independent samples a correlated series is worth: n·(1 − r)/(1 + r), r the lag-one autocorrelation."""
    centred = samples - samples.mean()
    power = float(centred @ centred)
    if power <= 0.0:
        return float(len(samples))
    r = min(max(float(centred[:-1] @ centred[1:]) / power, 0.0), 0.999)
    return max(len(samples) * (1.0 - r) / (1.0 + r), 2.0)


def scatter_of_mean(samples: Array) -> float:
    """Type A standard uncertainty of the mean of a series (GUM 4.2), autocorrelation taken into account."""
    return float(samples.std(ddof=1)) / math.sqrt(independent_samples(samples))


def mean(name: str, samples: Array, unit: str, *, relative_u: float = 0.0, u: float = 0.0) -> Estimate:
    """The mean of a steady series: Type A scatter with the instrument's relative and absolute u (k = 1).

    Raises NoAnswer `bad_input` on values that are not finite, `too_few` below three samples.
    """
    values = finite(name, samples, least=FEWEST_SAMPLES)
    average = float(values.mean())
    return Estimate(average, combined(scatter_of_mean(values), relative_u * average, u), unit)
