"""Drawings for the pages: SVG made from numbers, readable without scripts, described in words as well."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 720.0
LEFT = 96.0
RIGHT = 24.0


@dataclass(frozen=True, slots=True)
class Mark:
    """One lot on a drawing: where it lies, its standard uncertainty, and whether it is good, bad or unknown."""

    label: str
    value: float
    u: float | None
    tone: str


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of one side or both; None: unbounded."""

    lower: float | None
    upper: float | None


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from values to pixels."""

    low: float
    high: float

    def x(self, value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - self.low) / (self.high - self.low)


def number(value: float, digits: int = 4) -> str:
    """A number as a person writes it: significant digits, thin spaces between thousands, no exponent in range."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "—"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(places, 8)}f}".replace(",", "\u202f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def scale_for(values: Sequence[float]) -> Scale:
    """A scale that holds all values with a margin."""
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or max(abs(high) * 0.05, 1e-6)
    return Scale(low - margin, high + margin)


def ticks(scale: Scale, count: int = 6) -> list[float]:
    """Round tick values inside the scale."""
    raw = (scale.high - scale.low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw)
    first = math.ceil(scale.low / step)
    return [index * step for index in range(first, math.floor(scale.high / step) + 1)]


def _axis(scale: Scale, y: float, unit: str) -> list[str]:
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>']
    for value in ticks(scale):
        x = scale.x(value)
        parts.append(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 5}"/>')
        parts.append(f'<text class="soft" x="{x:.1f}" y="{y + 18}" text-anchor="middle">{number(value)}</text>')
    short = len(unit) <= 8
    place = f'x="{LEFT - 10}" y="{y + 18}"' if short else f'x="{WIDTH - RIGHT}" y="{y + 34}"'
    parts.append(f'<text class="soft" {place} text-anchor="end">{escape(unit)}</text>')
    return parts


def _band(scale: Scale, bounds: Bounds, y: float, height: float, tone: str, label: str) -> list[str]:
    left = scale.x(bounds.lower) if bounds.lower is not None else LEFT
    right = scale.x(bounds.upper) if bounds.upper is not None else WIDTH - RIGHT
    parts = [
        f'<rect class="allowed-{tone}" x="{left:.1f}" y="{y}" width="{max(right - left, 0):.1f}" height="{height}"/>',
        f'<text class="soft" x="{LEFT - 10}" y="{y + height / 2 + 4}" text-anchor="end">{label}</text>',
    ]
    for value, sign in ((bounds.lower, "≥"), (bounds.upper, "≤")):
        if value is not None:
            x = scale.x(value)
            # The number stands inside the allowed side, unless there is no room for it before the edge.
            inside = x < WIDTH - RIGHT - 70 if sign == "≥" else x < LEFT + 70
            anchor, shift = ("start", 6) if inside else ("end", -6)
            parts.append(f'<line class="limit-{tone}" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + height}"/>')
            text = f"{sign} {number(value)}"
            parts.append(f'<text x="{x + shift:.1f}" y="{y + height / 2 + 4}" text-anchor="{anchor}">{text}</text>')
    return parts


def number_line(old: Bounds | None, new: Bounds | None, marks: Sequence[Mark], unit: str) -> str:
    """Old and new limits above one another, and the certified value of each lot beneath, on one line."""
    edges = [edge for bounds in (old, new) if bounds for edge in (bounds.lower, bounds.upper) if edge is not None]
    values = edges + [mark.value for mark in marks]
    if not values:
        return ""
    scale = scale_for(values)
    parts: list[str] = []
    y = 6.0
    for bounds, tone, label in ((old, "old", "until now"), (new, "new", "proposed")):
        if bounds is not None:
            parts += _band(scale, bounds, y, 26, tone, label)
            y += 32
    if marks:
        parts += _dots(scale, marks, y + 14)
        parts.append(f'<text class="soft" x="{LEFT - 10}" y="{y + 18}" text-anchor="end">lots</text>')
        y += 30
    parts += _axis(scale, y, unit)
    words = _words(old, new, unit)
    return _svg(parts, y + 40, words)


def _dots(scale: Scale, marks: Sequence[Mark], y: float) -> list[str]:
    parts = []
    for mark in marks:
        title = f"{mark.label}: {number(mark.value)}" + (f" ± {number(mark.u, 2)}" if mark.u else "")
        x = scale.x(mark.value)
        if mark.tone == "bad":
            box = f'x="{x - 5:.1f}" y="{y - 5}" width="10" height="10" transform="rotate(45 {x:.1f} {y})"'
            parts.append(f'<rect class="bad" {box}><title>{escape(title)}</title></rect>')
        else:
            disc = f'cx="{x:.1f}" cy="{y}" r="5" fill-opacity=".55"'
            parts.append(f'<circle class="{mark.tone}" {disc}><title>{escape(title)}</title></circle>')
    return parts


def _words(old: Bounds | None, new: Bounds | None, unit: str) -> str:
    def say(bounds: Bounds | None) -> str:
        if bounds is None:
            return "no limit"
        sides = [f"at least {number(bounds.lower)}"] if bounds.lower is not None else []
        sides += [f"at most {number(bounds.upper)}"] if bounds.upper is not None else []
        return " and ".join(sides) or "no limit"

    return f"Until now {say(old)}, proposed {say(new)} {unit}."


def lot_plot(lots: Sequence[tuple[Mark, Sequence[float]]], limit: Bounds | None, unit: str, title: str) -> str:
    """Results by lot: each motor a faint dot, the lot's unshrunken estimate with ±2 standard errors, the limit."""
    if not lots:
        return ""
    edges = [edge for edge in ((limit.lower, limit.upper) if limit else ()) if edge is not None]
    values = edges + [value for mark, points in lots for value in (mark.value, *points)]
    scale = scale_for(values)
    row, top = 24.0, 10.0
    bottom = top + row * len(lots)
    parts: list[str] = []
    for edge in edges:
        x = scale.x(edge)
        parts.append(f'<line class="limit-new" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
    for index, (mark, points) in enumerate(lots):
        parts += _lot_row(scale, mark, points, top + row * (index + 0.5))
    parts += _axis(scale, bottom, unit)
    return _svg(parts, bottom + 40, title)


def _lot_row(scale: Scale, mark: Mark, points: Sequence[float], y: float) -> list[str]:
    parts = [f'<text x="{LEFT - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(mark.label)}</text>']
    parts += [f'<circle class="point {mark.tone}" cx="{scale.x(value):.1f}" cy="{y:.1f}" r="3"/>' for value in points]
    x = scale.x(mark.value)
    if mark.u:
        low, high = scale.x(mark.value - 2 * mark.u), scale.x(mark.value + 2 * mark.u)
        low, high = max(low, LEFT), min(high, WIDTH - RIGHT)
        parts.append(
            f'<line class="{mark.tone}" stroke-width="2.5" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
    symbol = {"bad": "✕", "good": "●"}.get(mark.tone, "○")
    parts.append(f'<text class="{mark.tone}" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{symbol}</text>')
    return parts


def _svg(parts: Sequence[str], height: float, words: str) -> str:
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" width="{WIDTH:.0f}" height="{height:.0f}" role="img" '
        f'aria-label="{escape(words)}">{body}</svg>'
    )
