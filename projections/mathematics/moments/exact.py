"""Sums of ticks around a fixed origin: exact, mergeable, reversible; means and squares are rational numbers."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from projections.mathematics.answers import NoAnswer


@dataclass(frozen=True, slots=True)
class Tally:
    """n, sum and sum of squares of integer ticks; value = origin + tick * ticks (statistics 0.1, 0.2)."""

    n: int
    first: int
    second: int
    origin: Fraction = Fraction(0)
    tick: Fraction = Fraction(1)

    @classmethod
    def of(cls, ticks: Iterable[int], origin: Fraction = Fraction(0), tick: Fraction = Fraction(1)) -> "Tally":
        """From integer ticks."""
        kept = list(ticks)
        return cls(len(kept), sum(kept), sum(t * t for t in kept), origin, tick)

    def merge(self, other: "Tally") -> "Tally":
        """Both together; the scale must be the same."""
        if (self.origin, self.tick) != (other.origin, other.tick):
            raise NoAnswer("bad_input", "Tallies of different origin or tick cannot be merged.")
        return Tally(self.n + other.n, self.first + other.first, self.second + other.second, self.origin, self.tick)

    def subtract(self, other: "Tally") -> "Tally":
        """The exact inverse of merge."""
        return self.merge(Tally(-other.n, -other.first, -other.second, other.origin, other.tick))

    def mean(self) -> Fraction:
        """Mean in the unit of y; raises NoAnswer `too_few` on nothing."""
        if self.n < 1:
            raise NoAnswer("too_few", "Nothing was measured.")
        return self.origin + self.tick * Fraction(self.first, self.n)

    def squares(self) -> Fraction:
        """Sum of squared deviations from the mean, unit²."""
        if self.n < 1:
            return Fraction(0)
        return self.tick**2 * (self.second - Fraction(self.first * self.first, self.n))

    def sd(self) -> float:
        """Standard deviation with n - 1; raises NoAnswer `too_few` below two values."""
        if self.n < 2:
            raise NoAnswer("too_few", "A standard deviation needs two values.")
        return root(self.squares() / (self.n - 1))


@dataclass(frozen=True, slots=True)
class Series:
    """A tally with order: also the sum of products of neighbours and the edge values; merges only end to end."""

    tally: Tally
    neighbours: int
    head: int
    tail: int

    @classmethod
    def of(cls, ticks: Sequence[int], origin: Fraction = Fraction(0), tick: Fraction = Fraction(1)) -> "Series":
        """From integer ticks in order."""
        if not ticks:
            raise NoAnswer("too_few", "Nothing was measured.")
        products = sum(a * b for a, b in itertools.pairwise(ticks))
        return cls(Tally.of(ticks, origin, tick), products, ticks[0], ticks[-1])

    def append(self, later: "Series") -> "Series":
        """This block and then a later one."""
        joined = self.neighbours + later.neighbours + self.tail * later.head
        return Series(self.tally.merge(later.tally), joined, self.head, later.tail)

    def lag1(self) -> Fraction:
        """Lag-1 autocorrelation: sum (y_i - m)(y_i+1 - m) / sum (y_i - m)²."""
        t = self.tally
        below = t.second - Fraction(t.first * t.first, t.n)
        if below == 0:
            raise NoAnswer("no_variation", "All values are equal: there is no autocorrelation.")
        m = Fraction(t.first, t.n)
        above = self.neighbours - m * (2 * t.first - self.head - self.tail) + (t.n - 1) * m * m
        return above / below


def root(value: Fraction) -> float:
    """The square root of a rational to the last digit."""
    if value < 0:
        raise NoAnswer("bad_input", "A sum of squares came out negative: more was subtracted than had been added.")
    shift = max(0, 128 - (value.numerator.bit_length() - value.denominator.bit_length()))
    shift += shift % 2
    return float(Fraction(math.isqrt((value.numerator << shift) // value.denominator), 1 << (shift // 2)))


def ticks(values: Iterable[Fraction]) -> tuple[list[int], Fraction, Fraction]:
    """Values as integers on their own finest common grid: (ticks, origin, tick)."""
    kept = list(values)
    if not kept:
        return [], Fraction(0), Fraction(1)
    origin = kept[0]
    scale = math.lcm(*(value.denominator for value in kept))
    return [int((value - origin) * scale) for value in kept], origin, Fraction(1, scale)
