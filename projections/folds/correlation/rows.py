"""The rows of the correlation: each motor's results, and the exact integer sums over motors."""

from typing import Any, ClassVar

from projections.folds.correlation.motor import MotorResults
from projections.folds.fates import Fate
from projections.folds.fold import Row


class CorrelationFate(Fate, frozen=True):
    """What became of a result or a build record."""


class ResultGroup(Row, frozen=True):
    """Motors tested alike: one motor type, metric, condition, selection, pieces per rotor and repeats per motor.

    `condition` holds set points in canonical units, rounded to their frozen tick (speed_rpm, torque_Nm, voltage_V,
    soak_Cel, soak_h, fault_A, band_low_Hz, band_high_Hz, rigid_mounting), null where not stated. `selection` is
    `sample` for tests of all or random motors, `suspect` for suspects and retests. A motor with two rotors tested
    counts once for each. The within-motor sum of squares in ticks² is `within_ss_by_repeats` / repeats, exactly.
    """

    group: str
    motor_type: str
    metric: str
    condition: Any
    selection: str
    pieces: int
    repeats: int
    motors: int
    results: int
    within_ss_by_repeats: int

    __key__: ClassVar[tuple[str, ...]] = ("group",)
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("motor_type", "metric"),)
    __sums__: ClassVar[tuple[str, ...]] = ("motors", "results", "within_ss_by_repeats")


class CrossSum(Row, frozen=True):
    """Σ over the group's motors of column a times column b, an exact integer; a ≤ b in text order.

    Columns: "1"; "y" ticks summed over the repeats; "dT" ticks summed; "bench:<ref>" and "operator:<name>" tests;
    "stator:<batch>" 1; "lot:<ref>" pieces. `terms` counts the motors that have both columns.
    """

    group: str
    a: str
    b: str
    value: int
    terms: int

    __key__: ClassVar[tuple[str, ...]] = ("group", "a", "b")
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __sums__: ClassVar[tuple[str, ...]] = ("value", "terms")


__all__ = ["CORRELATION_ROWS", "CorrelationFate", "CrossSum", "MotorResults", "ResultGroup"]

CORRELATION_ROWS = (MotorResults, ResultGroup, CrossSum)
