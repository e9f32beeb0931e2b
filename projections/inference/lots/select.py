"""Which results count for a requirement: those within its reference condition, merged into one cross-product."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from events.rules.requirements import ReferenceCondition, Requirement
from events.vocabulary.quantities import Measured
from projections.inference.state import Group
from projections.mathematics.mixed.cross import CrossProducts

SOAK = ("soak_Cel", "soak_h", "fault_A")
Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Selected:
    """The groups that count, and in words what was left out and why."""

    groups: tuple[Group, ...]
    notes: tuple[str, ...]


def select(requirement: Requirement, groups: Iterable[Group]) -> Selected:
    """Groups of this metric, sampled (all, random), within the tolerance of the reference, at one equal exposure."""
    mine = [group for group in groups if group.metric == requirement.metric and group.motors > 0]
    sampled = [group for group in mine if group.selection == "sample"]
    near = [group for group in sampled if _near(requirement.reference, group.condition)]
    notes = []
    suspects = sum(group.results for group in mine) - sum(group.results for group in sampled)
    if suspects:
        notes.append(f"{suspects} results of suspects and retests are shown, but estimate no lot.")
    far = sum(group.results for group in sampled) - sum(group.results for group in near)
    if far:
        notes.append(f"{far} results lie outside the tolerance of the requirement's reference condition.")
    kept, left = _one_exposure(near)
    if left:
        notes.append(f"{left} results at another exposure (temperature, time or fault current) are not pooled.")
    return Selected(tuple(sorted(kept, key=lambda group: group.key)), tuple(notes))


def _near(reference: ReferenceCondition, condition: Mapping[str, float | None]) -> bool:
    tolerance = reference.tolerance
    hours, fault = _in(reference.soak_duration, "h"), _in(reference.fault_current, "A")
    wanted = (
        ("speed_rpm", _in(reference.speed, "/min"), tolerance.speed_rpm),
        ("torque_Nm", _in(reference.torque, "N.m"), tolerance.torque_Nm),
        ("soak_Cel", _in(reference.soak_temperature, "Cel"), tolerance.temperature_K),
        ("soak_h", hours, (hours or 0.0) * tolerance.duration_pct / 100.0),
        ("fault_A", fault, (fault or 0.0) * tolerance.current_pct / 100.0),
    )
    for name, at, within in wanted:
        if at is None:
            continue
        seen = condition.get(name)
        if seen is None or abs(seen - at) > within + 1e-9:
            return False
    return True


def _in(quantity: Measured | None, unit: str) -> float | None:
    return None if quantity is None else quantity.to(unit)


def _one_exposure(groups: Sequence[Group]) -> tuple[list[Group], int]:
    """Results are never pooled across unequal exposure: the exposure with the most motors is kept."""
    by_exposure: dict[tuple[float | None, ...], list[Group]] = {}
    for group in groups:
        by_exposure.setdefault(tuple(group.condition.get(name) for name in SOAK), []).append(group)
    if len(by_exposure) < 2:
        return list(groups), 0
    order = sorted(by_exposure.items(), key=lambda item: (-sum(g.motors for g in item[1]), str(item[0])))
    return order[0][1], sum(group.results for _, rest in order[1:] for group in rest)


@dataclass(frozen=True, slots=True)
class Merged:
    """Sums of products of motor means over the selected groups, with names of columns in order.

    "lot:…" columns are shares of pieces, "bench:…" and "operator:…" shares of tests, "y" and "dT" means in units,
    "y" from the metric's origin. `motors` and `results` count; `repeat_variance` is the pooled variance of one test
    around its motor's mean, None where no motor was tested twice.
    """

    names: tuple[str, ...]
    matrix: Matrix
    motors: int
    results: int
    repeat_variance: float | None

    @property
    def cross(self) -> CrossProducts:
        """The sums as the mathematics takes them; a row is a motor."""
        return CrossProducts(self.names, self.matrix, self.motors)


def merge(groups: Sequence[Group], tick: float, covariate_tick: float) -> Merged:
    """One cross-product of all groups: integers are scaled only here (statistics.md §0).

    Motors with more repeats weigh like the others: the motor-to-motor scatter dominates.
    """
    names = sorted({name for group in groups for pair in group.sums for name in pair})
    index = {name: number for number, name in enumerate(names)}
    matrix = np.zeros((len(names), len(names)))
    for group in groups:
        for (a, b), value in group.sums.items():
            scaled = value * _scale(a, group, tick, covariate_tick) * _scale(b, group, tick, covariate_tick)
            matrix[index[a], index[b]] += scaled
            if a != b:
                matrix[index[b], index[a]] += scaled
    within = sum(group.within_ss for group in groups) * tick * tick
    spare = sum(group.results - group.motors for group in groups)
    return Merged(
        tuple(names),
        matrix,
        sum(group.motors for group in groups),
        sum(group.results for group in groups),
        within / spare if spare > 0 else None,
    )


def _scale(name: str, group: Group, tick: float, covariate_tick: float) -> float:
    kind = name.partition(":")[0]
    if kind == "lot":
        return 1.0 / group.pieces
    if kind in ("bench", "operator"):
        return 1.0 / group.repeats
    if kind == "y":
        return tick / group.repeats
    if kind == "dT":
        return covariate_tick / group.repeats
    return 1.0
