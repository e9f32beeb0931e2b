"""The working point of a magnet in a gap: permeance, flux density and field (domain dossier B.1)."""

from projections.mathematics.answers import positive
from projections.mathematics.physics.constants import MU0_H_m


def permeance(thickness_mm: float, gap_mm: float, area_ratio: float = 1.0) -> float:
    """Permeance coefficient Pc = (h_m/g_e)·(A_g/A_m), dimensionless, positive here (B.1)."""
    positive("thickness, gap and area ratio", [thickness_mm, gap_mm, area_ratio])
    return thickness_mm / gap_mm * area_ratio


def load_line(permeance_1: float, mu_rec: float) -> float:
    """r = Pc/(Pc + mu_rec), dimensionless: the share of the remanence that stands in the gap (E.1)."""
    return permeance_1 / (permeance_1 + mu_rec)


def opposing_T(mmf_A: float, thickness_mm: float, mu_rec: float) -> float:
    """mu_rec·mu0·F_d/h_m in T: what a reverse magnetomotive force takes off the remanence (B.1)."""
    return mu_rec * MU0_H_m * mmf_A / (thickness_mm * 1e-3)


def flux_density_T(
    remanence_T: float, permeance_1: float, mu_rec: float, mmf_A: float = 0.0, thickness_mm: float = 1.0
) -> float:
    """B_m = (Br − mu_rec·mu0·F_d/h_m)·Pc/(Pc + mu_rec) in T; F_d acts on one magnet and one gap (B.1)."""
    return (remanence_T - opposing_T(mmf_A, thickness_mm, mu_rec)) * load_line(permeance_1, mu_rec)


def field_kA_m(flux_density: float, remanence_T: float, mu_rec: float) -> float:
    """H_m = (B_m − Br)/(mu0·mu_rec) in kA/m: negative, opposing the magnetisation (B.1)."""
    return (flux_density - remanence_T) / (MU0_H_m * mu_rec) / 1000.0


def knee_flux_density_T(remanence_T: float, knee_kA_m: float) -> float:
    """B at the knee, 0.9·Br − mu0·Hk in T, where J has fallen to 0.9·Jr (B.1)."""
    return 0.9 * remanence_T - MU0_H_m * knee_kA_m * 1000.0


def thickness_elasticity(permeance_1: float, mu_rec: float) -> float:
    """d ln B_g/d ln h_m = 1 − r; the same with the other sign for the gap (E.1, P37, P38)."""
    return 1.0 - load_line(permeance_1, mu_rec)


def field_per_remanence_kA_m_T(permeance_1: float, mu_rec: float) -> float:
    """d|H_m|/dBr = (1 − r)/(mu0·mu_rec) in kA/m per T: more remanence demagnetises itself more (E.2)."""
    return (1.0 - load_line(permeance_1, mu_rec)) / (MU0_H_m * mu_rec) / 1000.0
