"""Genealogy: parties, lots, links, motors and their sources, from mine to motor and back."""

from projections.folds.genealogy.fold import GENEALOGY
from projections.folds.genealogy.rows import (
    Bench,
    Calibration,
    Evidence,
    Lot,
    LotLink,
    Motor,
    MotorLot,
    MotorType,
    Party,
    SourceChange,
)

__all__ = [
    "GENEALOGY",
    "Bench",
    "Calibration",
    "Evidence",
    "Lot",
    "LotLink",
    "Motor",
    "MotorLot",
    "MotorType",
    "Party",
    "SourceChange",
]
