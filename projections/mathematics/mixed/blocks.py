"""The same sums with the largest family held sparse: what 10⁴ lots need instead of a matrix of all lots by all lots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from projections.mathematics.answers import Array, NoAnswer
from projections.mathematics.mixed.cross import CrossProducts


@dataclass(frozen=True, slots=True, eq=False)
class BlockProducts:
    """Z'Z (q, q) sparse for the levels of one family, Z'B (q, m) and B'B (m, m) for the other columns, over n rows."""

    levels: tuple[str, ...]
    gram: csr_array
    beside: Array
    rest: CrossProducts

    @classmethod
    def of(cls, cross: CrossProducts, levels: Sequence[str]) -> "BlockProducts":
        """From a dense state that is small enough to have one."""
        mine = set(levels)
        others = [name for name in cross.names if name not in mine]
        place = {name: number for number, name in enumerate(cross.names)}
        here, there = (
            np.array([place[name] for name in levels], dtype=np.intp),
            np.array([place[name] for name in others], dtype=np.intp),
        )
        gram = csr_array(cross.matrix[np.ix_(here, here)])
        return cls(tuple(levels), gram, cross.matrix[np.ix_(here, there)], cross.select(others))

    @classmethod
    def of_rows(cls, levels: Sequence[str], shares: csr_array, names: Sequence[str], rows: Array) -> "BlockProducts":
        """From shares (n, q) sparse and the other columns (n, m)."""
        gram = csr_array(shares.T @ shares)
        return cls(tuple(levels), gram, np.asarray(shares.T @ rows), CrossProducts.of_rows(names, rows))

    def merge(self, other: "BlockProducts") -> "BlockProducts":
        """Both together; levels and columns are matched by name."""
        levels = tuple(sorted({*self.levels, *other.levels}))
        rest = self.rest.merge(other.rest)
        place = {name: number for number, name in enumerate(levels)}
        column = {name: number for number, name in enumerate(rest.names)}
        beside = np.zeros((len(levels), len(rest.names)))
        gram = csr_array((len(levels), len(levels)))
        for part in (self, other):
            here = np.array([place[name] for name in part.levels], dtype=np.intp)
            there = np.array([column[name] for name in part.rest.names], dtype=np.intp)
            beside[np.ix_(here, there)] += part.beside
            entries = part.gram.tocoo()
            where = (here[entries.coords[0]], here[entries.coords[1]])
            gram = csr_array(gram + csr_array((entries.data, where), shape=gram.shape))
        return BlockProducts(levels, gram, beside, rest)

    def columns(self, names: Sequence[str]) -> tuple[Array, Array]:
        """Z'B and B'B of these other columns, in this order; raises NoAnswer `bad_input` on an unknown name."""
        picked = self.rest.select(names)
        place = [self.rest.names.index(name) for name in names]
        return self.beside[:, place], picked.matrix


def split(
    cross: CrossProducts | BlockProducts, families: Mapping[str, Sequence[str]]
) -> tuple[BlockProducts, str, tuple[str, ...]]:
    """The state with its largest family eliminated first; that family's name and the names of the others."""
    for family, levels in families.items():
        if len(set(levels)) < 2:
            raise NoAnswer("too_few_levels", f"{family} has {len(set(levels))} level; a variance needs at least two.")
    if isinstance(cross, BlockProducts):
        first = next((name for name, levels in families.items() if set(levels) == set(cross.levels)), None)
        if first is None:
            raise NoAnswer("bad_input", "The sparse family of the state is not among the families of the model.")
        return cross, first, tuple(name for name in families if name != first)
    first = max(families, key=lambda name: len(families[name]))
    missing = [level for levels in families.values() for level in levels if level not in cross.names]
    if missing:
        raise NoAnswer("bad_input", f"No sums were kept for {', '.join(missing[:5])}.")
    return BlockProducts.of(cross, families[first]), first, tuple(name for name in families if name != first)
