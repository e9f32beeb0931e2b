"""The shipped priors of the sensitivity graph (domain dossier E.6), as data; they become events when first needed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Form = Literal[
    "linear", "elasticity", "elasticity_per_unit", "saturating", "quadratic", "log", "logit", "one_minus_cos"
]


@dataclass(frozen=True, slots=True)
class Prior:
    """One row: slope d(child)/d(parent) in canonical units, its 1-sigma, where it holds, and how well it is known.

    `saturating`: mean is the amplitude A of A·(1 − exp(−x/scale)). `quadratic`: mean·x². `elasticity`: d ln/d ln.
    Rows that follow from a motor's design are computed from its constants instead: see BY_DESIGN.
    """

    id: str
    parent: str
    child: str
    form: Form
    mean: float
    sigma: float
    unit: str
    basis: str
    scale: float | None = None
    valid_from: float | None = None
    valid_to: float | None = None

    @property
    def expected_sign(self) -> int:
        """+1 or −1; a slope the other way is an alarm about the data, not a discovery."""
        return 1 if self.mean > 0 else -1

    @property
    def provenance(self) -> tuple[str, ...]:
        """Tags of the dossier: `V:Snn` seen in that source, `D` derived, `K` recalled, `J` judged."""
        return _tags(self.basis)


@dataclass(frozen=True, slots=True)
class DesignPrior:
    """A row that a motor's design constants give; `mean` is what the dossier prints for its example, where it does.

    1-sigma is `sigma` in the row's unit, or `sigma_relative` as a share of the value.
    """

    id: str
    parent: str
    child: str
    form: Form
    expression: str
    mean: float | None
    sigma: float | None
    sigma_relative: float | None
    unit: str
    basis: str

    @property
    def provenance(self) -> tuple[str, ...]:
        """Tags of the dossier, as in `Prior`."""
        return _tags(self.basis)


def _tags(basis: str) -> tuple[str, ...]:
    found = re.findall(r"\b(?:S\d+[a-z]?|[DKJ])\b", basis)
    return tuple(f"V:{tag}" if tag[0] == "S" else tag for tag in found)


PRIORS: tuple[Prior, ...] = (
    Prior("P01", "alloy.Dy", "magnet.HcJ", "linear", 160, 40, "kA/m per %", "S29, S31", None, 0, 4),
    Prior("P02", "alloy.Dy", "magnet.Br", "linear", -0.024, 0.006, "T per %", "D", None, 0, 4),
    Prior("P03", "alloy.Dy_gb", "magnet.HcJ", "linear", 300, 80, "kA/m per %", "S30, S32", None, 0, 1.5),
    Prior("P04", "alloy.Tb", "magnet.HcJ", "linear", 270, 70, "kA/m per %", "S41 ratio, J", None, 0, 3),
    Prior("P05", "alloy.Tb", "magnet.Br", "linear", -0.025, 0.006, "T per %", "D", None, 0, 3),
    Prior("P06", "process.Tb_gain", "magnet.HcJ", "saturating", 900, 153, "kA/m", "S34, J", 0.25, 0, 0.8),
    Prior("P07", "process.Dy_gain", "magnet.HcJ", "saturating", 520, 120, "kA/m", "S35, J", 0.30, 0, 0.8),
    Prior("P08", "process.w_HRE", "magnet.Br", "linear", -0.06, 0.03, "T per %", "S34, J", None, 0, 0.8),
    Prior("P09", "alloy.TRE", "magnet.Br", "linear", -0.020, 0.005, "T per %", "D", None, 29.5, 32),
    Prior("P10", "alloy.TRE_eff", "magnet.HcJ", "linear", 60, 30, "kA/m per %", "K", None, 29.5, 31.5),
    Prior("P11", "alloy.Pr", "magnet.HcJ", "linear", 8, 5, "kA/m per %", "K"),
    Prior("P12", "alloy.Ce", "magnet.HcJ", "linear", -35, 15, "kA/m per %", "K", None, 0, 8),
    Prior("P13", "alloy.Ce", "magnet.Br", "linear", -0.010, 0.004, "T per %", "K", None, 0, 8),
    Prior("P14", "alloy.Co", "magnet.Tc", "linear", 11.1, 1.7, "K per %", "S43, 10 K per at % at 65.34 g/mol"),
    Prior("P15", "alloy.Co", "magnet.HcJ", "linear", -15, 10, "kA/m per %", "K"),
    Prior("P16", "alloy.Co", "magnet.WL", "log", -0.5, 0.2, "ln(mg/cm2) per %", "J"),
    Prior("P17", "alloy.Al", "magnet.HcJ", "linear", 250, 100, "kA/m per %", "K", None, 0.1, 0.6),
    Prior("P18", "alloy.Al", "magnet.Br", "linear", -0.05, 0.02, "T per %", "K", None, 0.1, 0.6),
    Prior("P19", "alloy.Cu", "magnet.HcJ", "linear", 300, 150, "kA/m per %", "K", None, 0, 0.15),
    Prior("P20", "alloy.Ga", "magnet.HcJ", "linear", 250, 120, "kA/m per %", "K", None, 0, 0.5),
    Prior("P21", "alloy.B", "magnet.Br", "linear", -0.30, 0.10, "T per %", "K", None, 1.0, 1.1),
    Prior("P22", "alloy.O", "alloy.TRE_eff", "linear", -6.01e-4, 1e-5, "% per [ppm]", "D"),
    Prior("P23", "alloy.O", "magnet.HcJ", "linear", -0.040, 0.025, "kA/m per [ppm]", "J", None, 500, 6000),
    Prior("P24", "alloy.C", "magnet.HcJ", "linear", -0.12, 0.08, "kA/m per [ppm]", "K", None, 800, 2000),
    Prior("P25", "alloy.N", "magnet.HcJ", "linear", -0.08, 0.06, "kA/m per [ppm]", "K", None, 500, 2000),
    Prior("P26", "magnet.lnD2", "magnet.HcJ", "linear", -140, 40, "kA/m per unit", "S26, S27"),
    Prior("P27", "process.D50", "magnet.D", "linear", 1.30, 0.10, "um per um", "K", None, 2, 5),
    Prior("P28", "process.PSD", "magnet.SQ", "linear", -0.033, 0.015, "per unit", "J"),
    Prior("P29", "process.B_al", "magnet.Br", "linear", 0.045, 0.020, "T per T", "K", None, 1.0, 1.8),
    Prior("P30", "process.rho_g", "magnet.Br", "linear", -0.035, 0.020, "T per g/cm3", "K"),
    Prior("P31", "process.T_s", "magnet.D", "elasticity_per_unit", 0.006, 0.003, "per K", "K"),
    Prior("P32", "magnet.rho_m", "magnet.Br", "elasticity", 1.0, 0.1, "1", "D"),
    Prior("P33", "process.dT_a2", "magnet.HcJ", "quadratic", -0.10, 0.05, "kA/m per K2", "J"),
    Prior("P35", "magnet.HcJ", "magnet.kappa", "linear", -1.37e-6, 0.2e-6, "/K per kA/m", "D", None, 900, 2800),
    Prior("P36", "magnet.Br", "motor.Ke20", "elasticity", 1.0, 0.06, "1", "D"),
    Prior("P40", "magnet.Br", "motor.P_fe_nl", "elasticity", 1.8, 0.2, "1", "D"),
    Prior("P42", "motor.T_mag", "motor.Ke", "linear", -0.12, 0.01, "% per K", "S17"),
    Prior("P45", "magnet.rho_e", "motor.P_eddy", "elasticity", -1.0, 0.1, "1", "D"),
    Prior("P46", "magnet.seg_w", "motor.P_eddy", "elasticity", 2.0, 0.3, "1", "D"),
    Prior("P51", "magnet.sigma_B", "motor.v_1x", "linear", 0.01, 0.02, "mm/s per %", "D, stiff rotor"),
    Prior("P52", "magnet.sigma_m", "motor.v_1x", "linear", 0.5, 0.3, "mm/s per %", "D/J, before balancing"),
    Prior("P53", "magnet.theta_mean", "motor.Ke", "one_minus_cos", -0.14, 0.03, "% at 3 deg", "D"),
    Prior("P54", "magnet.WL", "motor.h_MAG_COR", "log", 0.5, 0.3, "ln per ln", "J"),
    Prior("P55", "magnet.t_c", "motor.h_MAG_COR", "log", -1.0, 0.5, "ln per ln", "J"),
    Prior("P56", "magnet.HcJ_margin", "motor.h_DEM", "logit", -1.5, 0.5, "logit per sigma", "J"),
    Prior("P57", "process.RH_h", "magnet.WL", "log", 0.3, 0.2, "ln per ln", "J"),
)

BY_DESIGN: tuple[DesignPrior, ...] = (
    DesignPrior("P34", "process.d_dam", "magnet.m_eff", "linear", "-2/t", None, None, 0.30, "1 per um", "D"),
    DesignPrior("P37", "magnet.h_m", "motor.Ke20", "elasticity", "1 - r", 0.26, 0.04, None, "1", "D"),
    DesignPrior("P38", "motor.gap_eff", "motor.Ke20", "elasticity", "-(1 - r)", -0.26, 0.04, None, "1", "D"),
    DesignPrior("P39", "motor.Ke", "motor.P_cu", "elasticity", "-2(1 - s_rel)", -2.0, 0.1, None, "1", "D"),
    DesignPrior("P41", "magnet.Br", "motor.eta", "linear", "-eta(1 - eta)(-2 f_cu + n_fe f_fe)", 0.037, 0.020, None,
                "% per %", "D"),
    DesignPrior("P43", "magnet.HcJ", "motor.T_demag", "linear", "1/(kappa HcJ20)", 0.061, 0.010, None,
                "K per kA/m", "D"),
    DesignPrior("P44", "magnet.SQ", "motor.T_demag", "linear", "1/(kappa SQ)", 120.0, 30.0, None, "K per 1", "D"),
    DesignPrior("P47", "motor.P_eddy", "motor.T_mag", "linear", "R_th", None, None, 0.40, "K per W", "J"),
    DesignPrior("P48", "magnet.sigma_B", "motor.cog_Q", "linear", "2 sqrt(N) T_1", None, None, 0.25, "N.m per 1", "D"),
    DesignPrior("P49", "magnet.sigma_theta", "motor.cog_Q", "linear", "Q sqrt(N) T_1", None, None, 0.25, "N.m per rad",
                "D"),
    DesignPrior("P50", "magnet.sigma_B", "motor.F_1x", "linear", "B^2 A_p sqrt(N)/mu0", None, None, 0.30, "N per 1",
                "D"),
)  # fmt: skip
"""The rows of E.6 that a motor's design gives (projections/mathematics/physics computes them)."""

PRINTED_ALIASES: Mapping[str, str] = {
    "gbd.Tb_gain": "process.Tb_gain",
    "gbd.Dy_gain": "process.Dy_gain",
    "gbd.HRE_gain": "process.w_HRE",
    "powder.D50": "process.D50",
    "powder.D90_D10": "process.PSD",
    "align.field": "process.B_al",
    "press.density": "process.rho_g",
    "sinter.T": "process.T_s",
    "anneal2.dT": "process.dT_a2",
    "machining.damage": "process.d_dam",
    "coat.thickness": "magnet.t_c",
    "storage.RH_h": "process.RH_h",
    "magnet.density": "magnet.rho_m",
}
"""Prefixes printed in the dossier and the keys that they mean; never accepted on input."""
