"""Correlation: each motor's results, and exact integer statistics over motors tested alike."""

from projections.folds.correlation.fold import CORRELATION
from projections.folds.correlation.rows import CrossSum, MotorResults, ResultGroup

__all__ = ["CORRELATION", "CrossSum", "MotorResults", "ResultGroup"]
