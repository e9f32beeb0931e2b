"""Online false discovery rate: one irrevocable decision after the other, each a fold over the ones before."""

from collections.abc import Callable
from dataclasses import dataclass

from projections.mathematics.answers import NoAnswer

Spending = Callable[[int], float]


@dataclass(frozen=True, slots=True)
class Taken:
    """One decision: the level it was taken at and whether it rejected."""

    level: float
    rejected: bool


@dataclass(frozen=True, slots=True)
class State:
    """What a procedure remembers: p values seen, unskipped ones, candidates, and both counts at each rejection."""

    seen: int = 0
    unskipped: int = 0
    candidates: int = 0
    rejections: tuple[tuple[int, int, int], ...] = ()

    def after(self, p: float, level: float, lam: float, tau: float) -> "State":
        """The state after a decision; skipped p values (above tau) do not move the clock of ADDIS."""
        unskipped, candidates = self.unskipped + (p <= tau), self.candidates + (p <= lam)
        rejections = self.rejections
        if p <= level:
            rejections = (*rejections, (self.seen + 1, unskipped, candidates))
        return State(self.seen + 1, unskipped, candidates, rejections)


def _probability(p: float) -> float:
    if not 0.0 <= p <= 1.0:
        raise NoAnswer("bad_input", "A p value lies outside 0 to 1.")
    return p


def lond(state: State, p: float, alpha: float, gamma: Spending) -> tuple[State, Taken]:
    """alpha gamma_t (D + 1) with D rejections so far (Javanmard & Montanari 2018)."""
    level = alpha * gamma(state.seen + 1) * (len(state.rejections) + 1)
    return state.after(_probability(p), level, 0.0, 1.0), Taken(level, p <= level)


def lord_plus_plus(state: State, p: float, alpha: float, gamma: Spending, w0: float) -> tuple[State, Taken]:
    """gamma_t w0 + (alpha - w0) gamma_{t-tau1} + alpha sum_{j>=2} gamma_{t-tauj} (Ramdas et al. 2017)."""
    t = state.seen + 1
    level = w0 * gamma(t)
    for place, (time, _, _) in enumerate(state.rejections):
        level += (alpha - w0 if place == 0 else alpha) * gamma(t - time)
    return state.after(_probability(p), level, 0.0, 1.0), Taken(level, p <= level)


def saffron(state: State, p: float, alpha: float, gamma: Spending, w0: float, lam: float) -> tuple[State, Taken]:
    """min(lambda, (1-lambda)(w0 gamma_{t-C0} + (alpha-w0) gamma_{t-tau1-C1} + ...)) (Ramdas et al. 2018)."""
    return addis(state, p, alpha, gamma, w0, lam, 1.0)


def addis(
    state: State, p: float, alpha: float, gamma: Spending, w0: float, lam: float, tau: float
) -> tuple[State, Taken]:
    """SAFFRON that skips p > tau: only unskipped p values move the clock, factor tau - lambda (Tian & Ramdas 2019)."""
    clock = state.unskipped + 1
    total = w0 * gamma(clock - state.candidates)
    for place, (_, unskipped, candidates) in enumerate(state.rejections):
        since = state.candidates - candidates
        total += (alpha - w0 if place == 0 else alpha) * gamma(clock - unskipped - since)
    level = min(lam, (tau - lam) * total)
    return state.after(_probability(p), level, lam, tau), Taken(level, p <= level)
