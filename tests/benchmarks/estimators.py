"""How fast the estimators are: one table of ours against a yardstick, merged into build/bench.json."""

import sys
import time
import warnings
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
import statsmodels.api as sm
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_array

from projections.mathematics.lives.lots import by_lot
from projections.mathematics.lives.weibull import Lives
from projections.mathematics.mixed.blocks import BlockProducts
from projections.mathematics.mixed.criterion import Problem
from projections.mathematics.mixed.model import MixedFit, fit
from tests.benchmarks._table import Row, merge, report, row

SIZES = (165, 1_000, 10_000)
FIXED = 20
MINUTE = 60.0


def best(action: Callable[[], object], repeats: int = 5) -> float:
    """The shortest of some runs, in s."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def plant(
    lots: int, motors: int, mixed: float, fixed: int = FIXED, benches: int = 0
) -> tuple[BlockProducts, list[str]]:
    """The state of a plant whose lots arrive one after the other; mixed motors hold pieces of neighbouring lots."""
    rng = np.random.default_rng(lots)
    first = np.sort(rng.integers(0, lots, motors))
    other = np.minimum(first + rng.integers(1, 4, motors), lots - 1)
    share = np.where(rng.random(motors) < mixed, rng.integers(1, 8, motors) / 8, 1.0)
    where = (np.tile(np.arange(motors), 2), np.concatenate([first, other]))
    shares = csr_array((np.concatenate([share, 1 - share]), where), shape=(motors, lots))
    shares.eliminate_zeros()
    x = np.column_stack([np.ones(motors), rng.normal(size=(motors, fixed - 1))])
    stand = rng.integers(0, max(benches, 1), motors)
    y = shares @ rng.normal(0, 0.5, lots) + 0.1 * x[:, 1] + rng.normal(0, 0.2, max(benches, 1))[stand]
    y = y + rng.normal(0, 0.4, motors)
    names = ["1", *[f"x{k}" for k in range(1, fixed)], *[f"b{k}" for k in range(benches)], "y"]
    table = np.column_stack([x, np.eye(benches)[stand] if benches else np.zeros((motors, 0)), y])
    return BlockProducts.of_rows([f"lot{k}" for k in range(lots)], shares, names, table), names


def dense(state: BlockProducts, names: list[str]) -> Callable[[], float]:
    """The yardstick: the same criterion with a dense matrix of all lots (statistics a.6)."""
    gram, (beside, inside) = state.gram.toarray(), state.columns(names)

    def evaluate() -> float:
        factor = cho_factor(gram + np.eye(len(gram)), lower=True)
        schur = inside - beside.T @ cho_solve(factor, beside)
        pivots = np.diag(np.linalg.cholesky(schur))
        return float(2 * np.log(np.diag(factor[0])).sum() + 2 * np.log(pivots).sum())

    return evaluate


def one_evaluation(problem: Problem) -> Callable[[], object]:
    """The criterion at another ratio each time: nothing that was kept from the time before can answer it."""
    ratios = count(1)
    return lambda: problem.evaluate({"lot": 1.0 + next(ratios) / 1000})


def criterion_rows() -> dict[str, Row]:
    """One evaluation, a full REML and all prediction errors, for one-lot and mixed plants."""
    rows: dict[str, Row] = {}
    for lots in SIZES:
        for label, mixed in (("one-lot", 0.0), ("28% mixed", 0.28)):
            state, names = plant(lots, 40 * lots, mixed)
            families = {"lot": list(state.levels)}
            problem = Problem(state, "y", names[:-1], families)
            found = fit(state, "y", names[:-1], families)
            yardstick = best(dense(state, names), 3) if lots <= 1000 else None
            told = "dense matrix of all lots" if yardstick else "no dense matrix fits"
            start = f"{lots} lots, {label}: "
            rows[start + "one criterion"] = row(best(one_evaluation(problem)), yardstick, told)
            whole = best(lambda s=state, n=names, f=families: fit(s, "y", n[:-1], f), 2)  # type: ignore[misc]
            rows[start + "full REML"] = row(whole, None, "-")
            solved = best(lambda f=found: f.found.factor.inverse_diagonal(), 3)  # type: ignore[misc]
            rows[start + "all prediction errors"] = row(solved, None, "-")
    return rows


def statsmodels_row(limit: float = MINUTE) -> dict[str, Row]:
    """Doubling the plant while MixedLM would still finish in a minute; the same rows, ours from rows to effects."""
    lots = 2_500
    rows: dict[str, Row] = {}
    while True:
        rng = np.random.default_rng(7)
        n = 20 * lots
        lot = np.repeat(np.arange(lots), 20)
        x = np.column_stack([np.ones(n), rng.normal(size=n)])
        y = rng.normal(0, 0.5, lots)[lot] + x @ [3.0, 0.1] + rng.normal(0, 0.4, n)
        start = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = sm.MixedLM(y, x, lot).fit(gtol=1e-7)
        spent = time.perf_counter() - start

        def ours(lots: int = lots, lot: Any = lot, x: Any = x, y: Any = y) -> tuple[MixedFit, float]:
            shares = csr_array((np.ones(len(y)), (np.arange(len(y)), lot)), shape=(len(y), lots))
            names = [f"l{k}" for k in range(lots)]
            state = BlockProducts.of_rows(names, shares, ["1", "x", "y"], np.column_stack([x, y]))
            begin = time.perf_counter()
            found = fit(state, "y", ["1", "x"], {"lot": names})
            return found, time.perf_counter() - begin

        if rows and spent > limit:
            return rows
        whole = best(ours, 3)
        found, solve = ours()
        off = max(abs(found.variances["lot"] / theirs.cov_re[0, 0] - 1), abs(found.residual / theirs.scale - 1))
        label = f"statsmodels MixedLM, {n} rows"
        rows = {
            f"{lots} lots, {n} motors: REML from the state": row(solve, spent, label),
            f"{lots} lots, {n} motors: fold and REML from rows": row(whole, spent, label),
            f"{lots} lots, {n} motors: largest difference of a variance": row(float(off), 1e-4, "allowed", "relative"),
        }
        if 4.0 * spent > limit:
            return rows
        lots *= 2


def budget_rows() -> dict[str, Row]:
    """The three budgets: 10 s and 0.3 s for 10⁴ lots and 10⁶ motors, 1 s for 200 lots of lives."""
    rows: dict[str, Row] = {}
    for label, mixed in (("one-lot", 0.0), ("28% mixed", 0.28)):
        state, names = plant(10_000, 1_000_000, mixed, fixed=2, benches=12)
        families = {"lot": list(state.levels), "bench": [name for name in names if name.startswith("b")]}
        found = fit(state, "y", ["1", "x1"], families)
        whole = best(lambda s=state, f=families: fit(s, "y", ["1", "x1"], f), 1)  # type: ignore[misc]
        again = best(lambda s=state, f=families, t=found.ratios: fit(s, "y", ["1", "x1"], f, ratios=t), 3)  # type: ignore[misc]
        start = f"10000 lots, 1000000 motors, {label}, two components: "
        rows[start + "full REML"] = row(whole, 10.0, "budget")
        rows[start + "re-solve at held ratios"] = row(again, 0.3, "budget")
    rng = np.random.default_rng(3)
    lots = {}
    for name in range(200):
        t = rng.uniform(800, 1500) * rng.weibull(2.0, 500)
        lots[f"lot{name}"] = Lives(np.minimum(t, 700), (t < 700).astype(float), np.ones(500))
    rows["Weibull, 200 lots, 100000 motors: common shape, scales, ratio"] = row(
        best(lambda: by_lot(lots), 3), 1.0, "budget"
    )
    return rows


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, merge; exit code 1 when a budget is missed."""
    rows = {**criterion_rows(), **budget_rows(), **statsmodels_row(MINUTE)}
    print(report(rows))
    merge(rows)
    missed = [name for name, one in rows.items() if one["yardstick_name"] in {"budget", "allowed"} and one["ratio"] < 1]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
