"""What the motor's registered design says beforehand: slopes on remanence, and the coercivity needed at temperature."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from events.facts.design import Design
from events.rules.policies import Policy
from projections.inference.chain.line import Prior
from projections.inference.state import Edge

MU0 = 4e-7 * math.pi
ELASTICITY_SIGMA = {"spm": 0.03, "ipm": 0.06}
COPPER_SIGMA = {"spm": 0.1, "ipm": 0.3}
IRON_SIGMA = 0.2
"""1-sigma of d ln psi/d ln Br, d ln P_cu/d ln psi and d ln P_fe/d ln Br (domain.md E.6: P36, P39, P40)."""
KAPPA_RATE, KAPPA_SLOPE = 11.31e-3, -1.37e-6


def of(design: Mapping[str, Any]) -> Design:
    """The stored design constants as a checked value."""
    return Design.model_validate(dict(design))


def slope_prior(
    metric: str, characteristic: str, design: Design, edges: Iterable[Edge], metric_level: float, level: float
) -> Prior | None:
    """d(metric)/d(characteristic) in canonical units near these levels: from the design, else from the prior table.

    None where neither says anything.
    """
    if characteristic == "magnet.Br" and level > 0.0:
        if metric in ("motor.Ke20", "motor.psi_m20"):
            elasticity = design.flux_elasticity or 1.0
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
    eta = (design.rated_efficiency_pct or efficiency_pct) / 100.0
    copper, iron = design.copper_loss_share, design.iron_loss_share
    elasticity = -2.0 * (1.0 - design.reluctance_share) * copper + design.iron_loss_exponent * iron
    sigma = math.hypot(COPPER_SIGMA[design.topology] * copper, IRON_SIGMA * iron)
    per = 100.0 * eta * (1.0 - eta) / remanence_T
    return Prior(-per * elasticity, per * sigma, "design: loss split at rated load (domain.md E.1)")


@dataclass(frozen=True, slots=True)
class Demagnetisation:
    """The coercivity that the design needs at a temperature: kA/m, and the numbers that lead to it."""

    needed_kA_m: float
    u_kA_m: float
    field_kA_m: float
    remanence_T: float
    permeance: float


def demagnetisation(
    design: Design, temperature_Cel: float, fault_A: float | None, policy: Policy
) -> Demagnetisation | None:
    """H_cJ(T) at which the worst local field reaches the knee (domain.md B.1, E.2, H.3), or None without constants.

    F_d = 1.5·(4/π)·k_w·N/(2p)·i; B_m = (Br − μ_rec·μ0·F_d/h_m)·Pc/(Pc + μ_rec); H_m = (B_m − Br)/(μ0·μ_rec).
    The scatter combines the policy's relative model errors of local field, squareness and kappa.
    """
    current = fault_A if fault_A is not None else design.fault_current_peak_A
    thickness, gap = design.magnet_thickness_mm, design.gap_mm
    turns, winding, squareness = design.turns_in_series, design.winding_factor, design.squareness
    top = design.remanence_max_T or design.remanence_nominal_T
    if None in (current, thickness, gap, turns, winding, squareness, top):
        return None
    assert current is not None and thickness and gap and turns and winding and squareness and top
    mmf = 1.5 * (4.0 / math.pi) * winding * turns / (2.0 * design.pole_pairs) * current
    remanence = top * (1.0 + design.alpha_pct_per_K / 100.0 * (temperature_Cel - 20.0))
    permeance = thickness / gap * design.area_ratio
    opposing = design.mu_rec * MU0 * mmf / (thickness * 1e-3)
    working = (remanence - opposing) * permeance / (permeance + design.mu_rec)
    field = (remanence - working) / (MU0 * design.mu_rec) / 1000.0
    needed = field * (design.local_field_factor or 1.0) / squareness
    kappa = coercivity_rate(1800.0) * abs(temperature_Cel - 20.0) * policy.scatter_model_kappa
    relative = math.sqrt(policy.scatter_model_local_field**2 + policy.scatter_model_squareness**2 + kappa**2)
    return Demagnetisation(needed, needed * relative, field, remanence, permeance)


def coercivity_rate(coercivity20_kA_m: float) -> float:
    """kappa in 1/K against H_cJ at 20 °C, the linear fit of the public series (domain.md C.5)."""
    return KAPPA_RATE + KAPPA_SLOPE * coercivity20_kA_m


def coercivity_at(coercivity20_kA_m: float, temperature_Cel: float, rate_per_K: float | None = None) -> float:
    """H_cJ(T) = H_cJ(20)·exp(−kappa·(T − 20)), with the lot's own kappa where it is known."""
    rate = coercivity_rate(coercivity20_kA_m) if rate_per_K is None else rate_per_K
    return coercivity20_kA_m * math.exp(-rate * (temperature_Cel - 20.0))


def coercivity_at_20(coercivity_kA_m: float, temperature_Cel: float) -> float:
    """The H_cJ at 20 °C that leaves this much at the temperature, by fixed-point iteration (domain.md H.3)."""
    start = coercivity_kA_m * math.exp(9e-3 * (temperature_Cel - 20.0))
    for _ in range(200):
        new = coercivity_kA_m * math.exp(coercivity_rate(start) * (temperature_Cel - 20.0))
        if abs(new - start) < 1e-9:
            break
        start = new
    return start
