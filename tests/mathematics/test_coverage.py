"""Intervals cover at their stated level: a short simulation of each kind (the long one is a script)."""

import math

import pytest

from tests.reference.coverage import KINDS, reached

DRAWS = 150
SLOW = 40
"""Draws of profile intervals of mixed models."""
AT_LEAST = "at least"


@pytest.mark.parametrize("kind", KINDS)
def test_an_interval_covers_between_90_and_98_percent_up_to_the_error_of_the_simulation(kind):
    stated, _ = KINDS[kind]
    draws = SLOW if kind.startswith("scatter") else DRAWS
    share, told = reached(kind, draws)
    error = 3.0 * math.sqrt(stated * (1 - stated) / told)
    assert told > 0.9 * draws
    assert share >= stated - max(error, 0.05)
    assert share <= (1.0 if AT_LEAST in kind else min(stated + max(error, 0.03), 1.0))
