"""A straight line with known errors in both coordinates of every point."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from projections.mathematics.answers import Array, NoAnswer, finite, positive, same_length


@dataclass(frozen=True, slots=True)
class York:
    """Slope and intercept with York 2004 standard errors (adjusted points, unscaled); chi2 with n - 2 dof.

    `scale` = sqrt(max(1, chi2/dof)) is what the published errors are multiplied by (statistics b.2).
    """

    slope: float
    intercept: float
    se_slope: float
    se_intercept: float
    correlation: float
    chi2: float
    dof: int
    naive: float

    @property
    def scale(self) -> float:
        """The factor for errors that the stated ones do not explain."""
        return math.sqrt(max(1.0, self.chi2 / self.dof))


def york(x: ArrayLike, y: ArrayLike, sd_x: ArrayLike, sd_y: ArrayLike) -> York:
    """Minimize sum (y-a-bx)²/(sy² + b² sx²) (York et al. 2004, r = 0; Ripley & Thompson 1987).

    Raises NoAnswer `too_few` (below 3 points), `no_variation`, `no_finite_limit` (a vertical line), `bad_input`.
    """
    px, py = finite("x", x, least=3), finite("y", y, least=3)
    ex, ey = finite("sd_x", sd_x), finite("sd_y", sd_y)
    same_length(x=px, y=py, sd_x=ex, sd_y=ey)
    if (ex < 0).any() or (ey < 0).any() or ((ex == 0) & (ey == 0)).any():
        raise NoAnswer("bad_input", "Standard errors must not be negative, nor both zero.")
    if np.ptp(px) == 0.0:
        raise NoAnswer("no_variation", "All points share one x: there is no slope.")
    ox, oy, ux, uy = px.mean(), py.mean(), px.std(), py.std() or 1.0
    qx, qy, fx, fy = (px - ox) / ux, (py - oy) / uy, ex / ux, ey / uy
    b = _polish(_angle(qx, qy, fx, fy), qx, qy, fx, fy)
    w = 1.0 / (fy**2 + b * b * fx**2)
    mx, my = float(w @ qx / w.sum()), float(w @ qy / w.sum())
    beta = w * ((qx - mx) * fy**2 + b * (qy - my) * fx**2)
    adjusted = mx + beta
    centre = float(w @ adjusted / w.sum())
    var_b = 1.0 / float(w @ (adjusted - centre) ** 2)
    chi2 = float(w @ (qy - my - b * (qx - mx)) ** 2)
    slope = b * uy / ux
    middle = ox + ux * centre
    var_slope = var_b * (uy / ux) ** 2
    var_a = uy**2 / float(w.sum()) + middle**2 * var_slope
    naive = float(((px - ox) @ (py - oy)) / ((px - ox) @ (px - ox)))
    return York(
        slope, float(oy + uy * (my - b * mx) - slope * ox), math.sqrt(var_slope), math.sqrt(var_a),
        float(-middle * math.sqrt(var_slope / var_a)), chi2, len(px) - 2, naive,
    )  # fmt: skip


def _chi2(angle: float, x: Array, y: Array, sx: Array, sy: Array) -> float:
    sine, cosine = math.sin(angle), math.cos(angle)
    w = 1.0 / np.maximum(cosine**2 * sy**2 + sine**2 * sx**2, 1e-300)
    along = cosine * y - sine * x
    return float(w @ (along - w @ along / w.sum()) ** 2)


def _angle(x: Array, y: Array, sx: Array, sy: Array) -> float:
    """The slope of the global minimum, searched over the angle so that steep lines are no exception."""
    grid = np.linspace(-math.pi / 2, math.pi / 2, 181)
    values = [_chi2(float(angle), x, y, sx, sy) for angle in grid]
    place = int(np.argmin(values))
    step = float(grid[1] - grid[0])
    found = minimize_scalar(
        lambda angle: _chi2(float(angle), x, y, sx, sy), bounds=(grid[place] - step, grid[place] + step),
        method="bounded", options={"xatol": 1e-11},
    )  # fmt: skip
    slope = math.tan(float(found.x))
    if abs(slope) > 1e8:
        raise NoAnswer("no_finite_limit", "The line through these points is vertical.")
    return slope


def _polish(b: float, x: Array, y: Array, sx: Array, sy: Array) -> float:
    """York's fixed-point iteration from the minimum found, kept while it converges."""
    for _ in range(100):
        w = 1.0 / (sy**2 + b * b * sx**2)
        u, v = x - w @ x / w.sum(), y - w @ y / w.sum()
        beta = w * (u * sy**2 + b * v * sx**2)
        below = float(w @ (beta * u))
        if below == 0.0:
            return b
        better = float(w @ (beta * v)) / below
        if abs(better - b) <= 1e-15 * abs(b):
            return better
        if abs(better - b) > 1e-3 * max(abs(b), 1e-6):
            return b
        b = better
    return b


@dataclass(frozen=True, slots=True)
class Deming:
    """Slope and intercept for a constant error ratio, with jackknife standard errors, and the naive slope."""

    slope: float
    intercept: float
    se_slope: float
    se_intercept: float
    naive: float


def deming(x: ArrayLike, y: ArrayLike, ratio: float = 1.0) -> Deming:
    """Closed form; `ratio` = var(error of y)/var(error of x) (Deming 1943; Linnet 1993). Raises `too_few`."""
    px, py = finite("x", x, least=3), finite("y", y, least=3)
    same_length(x=px, y=py)
    positive("ratio", ratio)
    slope, intercept = _deming(px, py, ratio)
    n = len(px)
    left = np.array([_deming(np.delete(px, i), np.delete(py, i), ratio) for i in range(n)])
    spread = np.sqrt((n - 1) / n * ((left - left.mean(axis=0)) ** 2).sum(axis=0))
    u = px - px.mean()
    return Deming(slope, intercept, float(spread[0]), float(spread[1]), float(u @ py / (u @ u)))


def _deming(x: Array, y: Array, ratio: float) -> tuple[float, float]:
    u, v = x - x.mean(), y - y.mean()
    xx, yy, xy = float(u @ u), float(v @ v), float(u @ v)
    if xx == 0.0 or xy == 0.0:
        raise NoAnswer("no_variation", "The points do not define a slope.")
    gap = yy - ratio * xx
    root = math.sqrt(gap * gap + 4.0 * ratio * xy * xy)
    slope = (gap + root) / (2.0 * xy) if gap >= 0 else 2.0 * ratio * xy / (root - gap)
    return slope, float(y.mean() - slope * x.mean())
