"""What the motor's registered design says beforehand: slopes on remanence, and the coercivity needed at temperature."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from events.rules.policies import Policy
from projections.inference.chain.line import Prior
from projections.inference.state import Edge
from projections.mathematics.answers import NoAnswer
from projections.mathematics.physics.coercivity import at_20_kA_m, rate_per_K
from projections.mathematics.physics.constants import REFERENCE_Cel
from projections.mathematics.physics.demagnetisation import needed_coercivity_kA_m
from projections.mathematics.physics.design import Design
from projections.mathematics.physics.flux import remanence_elasticity
from projections.mathematics.physics.losses import efficiency_change_pct, loss_elasticity
from projections.mathematics.physics.scatter import root_sum_of_squares

ELASTICITY_SIGMA = {"spm": 0.03, "ipm": 0.06}
COPPER_SIGMA = {"spm": 0.1, "ipm": 0.3}
IRON_SIGMA = 0.2
"""1-sigma of d ln psi/d ln Br, d ln P_cu/d ln psi and d ln P_fe/d ln Br (domain.md E.6: P36, P39, P40)."""


def of(design: Mapping[str, Any]) -> Design:
    """The stored design constants, as the closed forms read them. Raises NoAnswer without pole pairs."""
    return Design.of(design)


def slope_prior(
    metric: str, characteristic: str, design: Design, edges: Iterable[Edge], metric_level: float, level: float
) -> Prior | None:
    """d(metric)/d(characteristic) in canonical units near these levels: from the design, else from the prior table.

    None where neither says anything.
    """
    if characteristic == "magnet.Br" and level > 0.0:
        if metric in ("motor.Ke20", "motor.psi_m20"):
            elasticity = remanence_elasticity(design)
            per = metric_level / level
            sigma = ELASTICITY_SIGMA[design.topology]
            return Prior(elasticity * per, sigma * per, "design: flux elasticity (domain.md E.1)")
        if metric in ("motor.eta", "motor.d_eta"):
            found = _efficiency_slope(design, metric_level, level)
            if found is not None:
                return found
    for edge in edges:
        if edge.parent == characteristic and edge.child == metric and edge.form in ("linear", "elasticity"):
            per = metric_level / level if edge.form == "elasticity" and level else 1.0
            return Prior(edge.mean * per, edge.sigma * abs(per), f"prior {edge.sensitivity}: {edge.source}",
                         (edge.sensitivity,))  # fmt: skip
    return None


def _efficiency_slope(design: Design, efficiency_pct: float, remanence_T: float) -> Prior | None:
    """Percentage points per tesla: dη = −η(1−η)·(−2(1−s)·f_cu + n_fe·f_fe)·dBr/Br (domain.md E.1)."""
    if design.copper_loss_share is None or design.iron_loss_share is None:
        return None
    eta = design.rated_efficiency_pct or efficiency_pct
    copper, iron = design.copper_loss_share, design.iron_loss_share
    sigma = math.hypot(COPPER_SIGMA[design.topology] * copper, IRON_SIGMA * iron)
    mean = efficiency_change_pct(eta, loss_elasticity(design)) / remanence_T
    spread = abs(efficiency_change_pct(eta, sigma)) / remanence_T
    return Prior(mean, spread, "design: loss split at rated load (domain.md E.1)")


def needed_coercivity(design: Design, temperature_Cel: float, fault_A: float | None, policy: Policy) -> Prior | None:
    """H_cJ(T) in kA/m at which the worst local field reaches the knee (domain.md E.2, H.3), or None without constants.

    The largest remanence is the worst. 1-sigma combines the policy's relative model errors of local field, squareness
    and kappa.
    """
    current = fault_A if fault_A is not None else design.fault_current_peak_A
    top = design.remanence_max_T or design.remanence_nominal_T
    if current is None or top is None:
        return None
    try:
        needed = needed_coercivity_kA_m(top, temperature_Cel, current, design)
        rate = rate_per_K(at_20_kA_m(needed, temperature_Cel))
    except NoAnswer:  # a constant of the design is missing: the lots alone must speak
        return None
    kappa = rate * abs(temperature_Cel - REFERENCE_Cel) * policy.scatter_model_kappa
    relative = root_sum_of_squares((policy.scatter_model_local_field, policy.scatter_model_squareness, kappa))
    return Prior(needed, needed * relative, "design: worst field at the exposure (domain.md E.2)")
