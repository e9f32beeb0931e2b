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


class Products:
    """Sums of products by (group, column a, column b), a ≤ b in text order."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def add(self, group: str, constants: Mapping[str, int], moments: Moments) -> None:
        """Add the products of the columns of motors that are alike: y, dT, and those that are the same for all."""
        self._groups.setdefault(group, _Group()).add(constants, moments)

    def sums(self) -> Iterator[CrossSum]:
        """The sums that are not zero; `terms` counts the motors."""
        for name, group in self._groups.items():
            for (a, b), (value, terms) in group.sums():
                if value or terms:
                    yield CrossSum(name, a, b, value, terms)


class _Group:
    """The sums of a group: of y and dT alone, of each with every other column, and of every two other columns."""

    def __init__(self) -> None:
        self.alone = [0] * 4
        self.single: dict[str, list[int]] = {}
        self.pairs: dict[tuple[str, str], list[int]] = {}

    def add(self, constants: Mapping[str, int], moments: Moments) -> None:
        n, y, dT = moments.n, moments.y, moments.dT
        for at, sum_ in enumerate((moments.yy, moments.ydT, moments.dTdT, n)):
            self.alone[at] += sum_
        names = sorted(constants)
        for at, a in enumerate(names):
            value = constants[a]
            there = self.single.get(a)
            if there is None:
                there = self.single[a] = [0, 0, 0]
            there[0] += value * y
            there[1] += value * dT
            there[2] += n
            for b in names[at:]:
                pair = self.pairs.get((a, b))
                if pair is None:
                    pair = self.pairs[a, b] = [0, 0]
                pair[0] += value * constants[b] * n
                pair[1] += n

    def sums(self) -> Iterator[tuple[tuple[str, str], tuple[int, int] | list[int]]]:
        """Each pair of columns with its sum and the number of its motors."""
        yy, ydT, dTdT, n = self.alone
        yield ("y", "y"), (yy, n)
        yield ("dT", "y"), (ydT, n)
        yield ("dT", "dT"), (dTdT, n)
        for name, (y, dT, terms) in self.single.items():
            yield (min(name, "y"), max(name, "y")), (y, terms)
            yield (min(name, "dT"), max(name, "dT")), (dT, terms)
        yield from self.pairs.items()
