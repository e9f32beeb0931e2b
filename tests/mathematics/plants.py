"""Small simulated plants with a fixed seed: lots, benches, mixed motors, and the state that they leave."""

from dataclasses import dataclass

import numpy as np

from projections.mathematics.mixed.cross import CrossProducts


@dataclass(frozen=True)
class Plant:
    """Shares of motors by lot (n, q), bench of each motor, response in integer ticks (n,)."""

    shares: np.ndarray
    bench: np.ndarray
    y: np.ndarray
    lots: list[str]
    benches: list[str]

    def rows(self) -> np.ndarray:
        benches = np.eye(len(self.benches))[self.bench]
        return np.column_stack([self.shares, benches, np.ones(len(self.y)), self.y])

    @property
    def names(self) -> list[str]:
        return [*self.lots, *self.benches, "1", "y"]

    def state(self) -> CrossProducts:
        return CrossProducts.of_rows(self.names, self.rows())


def plant(
    seed: int, lots: int = 8, motors: int = 60, benches: int = 3, mixed: float = 0.0, lot_sd: float = 20.0
) -> Plant:
    """Counts of pieces out of 8 when mixed; every response an integer number of ticks."""
    rng = np.random.default_rng(seed)
    shares = np.zeros((motors, lots))
    first = np.concatenate([np.arange(lots), rng.integers(0, lots, motors - lots)])
    pieces = np.where(rng.random(motors) < mixed, rng.integers(1, 8, motors), 8)
    shares[np.arange(motors), first] += pieces
    shares[np.arange(motors), (first + rng.integers(1, lots, motors)) % lots] += 8 - pieces
    bench = rng.integers(0, benches, motors)
    effects, offsets = rng.normal(0, lot_sd, lots), rng.normal(0, 8, benches)
    y = np.rint(shares @ effects / 8 + offsets[bench] + rng.normal(0, 15, motors))
    return Plant(shares, bench, y, [f"lot{k:02}" for k in range(lots)], [f"b{k}" for k in range(benches)])
