"""Products of every two columns, summed over motors: exact, in Python's integers, at once for those that are alike."""

from collections.abc import Iterator, Mapping

from projections.folds.correlation.rows import CrossSum


class Moments:
    """How many motors are alike, and the sums of y and dT and of their products over them."""

    __slots__ = ("dT", "dTdT", "n", "within", "y", "ydT", "yy")

    def __init__(self) -> None:
        self.n = self.y = self.dT = self.yy = self.ydT = self.dTdT = self.within = 0

    def add(self, y: int, dT: int, sign: int) -> None:
        """Add a motor (sign 1), or take one away (−1)."""
        self.n += sign
        self.y += sign * y
        self.dT += sign * dT
        self.yy += sign * y * y
        self.ydT += sign * y * dT
        self.dTdT += sign * dT * dT

    def products(self) -> tuple[tuple[int, int, int], ...]:
        """Sums of the products of every two of 1, y and dT."""
        return (self.n, self.y, self.dT), (self.y, self.yy, self.ydT), (self.dT, self.ydT, self.dTdT)


class Products:
    """Sums of products by (group, column a, column b), a ≤ b in text order."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[tuple[str, str], list[int]]] = {}

    def add(self, group: str, constants: Mapping[str, int], moments: Moments) -> None:
        """Add the products of the columns of motors that are alike: y, dT, and those that are the same for all."""
        columns = sorted([("y", 1, 1), ("dT", 2, 1), *((name, 0, value) for name, value in constants.items())])
        there, table, motors = self._groups.setdefault(group, {}), moments.products(), moments.n
        for at, (a, of_a, value_a) in enumerate(columns):
            row = table[of_a]
            for b, of_b, value_b in columns[at:]:
                sums = there.get((a, b))
                if sums is None:
                    sums = there[a, b] = [0, 0]
                sums[0] += value_a * value_b * row[of_b]
                sums[1] += motors

    def sums(self) -> Iterator[CrossSum]:
        """The sums that are not zero; `terms` counts the motors."""
        for group, pairs in self._groups.items():
            for (a, b), (value, terms) in pairs.items():
                if value or terms:
                    yield CrossSum(group, a, b, value, terms)
