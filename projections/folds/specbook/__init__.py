"""The specification book: revisions, requirements, policies, sensitivities and assessments, as they were decided."""

from projections.folds.specbook.effective import effective, past
from projections.folds.specbook.fold import SPECBOOK
from projections.folds.specbook.rows import (
    Assessment,
    PolicyRow,
    RequirementRow,
    SensitivityRow,
    SpecHead,
    SpecRevision,
)

__all__ = [
    "SPECBOOK",
    "Assessment",
    "PolicyRow",
    "RequirementRow",
    "SensitivityRow",
    "SpecHead",
    "SpecRevision",
    "effective",
    "past",
]
