"""Failure modes of motors: signature, the upstream characteristics to suspect in order, and what may propagate."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from events.errors import Invalid


@dataclass(frozen=True, slots=True)
class Mode:
    """A failure mode (domain dossier A.10).

    `suspects` are characteristic keys in the order in which to correlate; `also` names what has no key.
    `propagates`: may reach magnet specifications automatically; the rest need a person.
    """

    code: str
    name: str
    signature: str
    suspects: tuple[str, ...]
    also: tuple[str, ...]
    propagates: bool


_MODES = (
    Mode("FM-DEM-U", "uniform demagnetisation", "Ke20 down, all poles alike; current up at same torque",
         ("magnet.HcJ", "magnet.SQ", "magnet.beta"), ("magnet temperature", "current history"), True),
    Mode("FM-DEM-L", "local or partial demagnetisation",
         "Ke20 down 0.5-3 %, even EMF harmonics, 1x and sub-order cogging",
         ("magnet.HcJ_min", "magnet.HcJ", "magnet.lambda", "magnet.SQ"), ("edge burn",), True),
    Mode("FM-DEM-T", "ageing or viscous loss", "loss proportional to log t at temperature",
         ("magnet.HcJ", "magnet.D90_g", "alloy.O"), ("permeance coefficient",), True),
    Mode("FM-MAG-COR", "corrosion of magnet", "flux loss with swelling, coating blister, debris, insulation falls",
         ("magnet.WL", "alloy.TRE", "alloy.Co", "magnet.t_c", "process.RH_h"), (), True),
    Mode("FM-MAG-H", "hydrogen pick-up or decrepitation", "powdering, sudden loss",
         ("process.bath", "process.T_b"), ("acid pickle", "moisture"), True),
    Mode("FM-MAG-CRK", "cracking or chipping", "vibration step, debris, flux step below 1 %",
         ("magnet.sigma_b", "process.d_dam"), ("press-fit interference", "thermal shock"), True),
    Mode("FM-MAG-DET", "detachment, bond or sleeve failure", "imbalance step at 1x, overspeed failure",
         ("magnet.adh", "magnet.h_m"), ("adhesive lot", "surface energy after coating"), True),
    Mode("FM-MAG-EDD", "eddy heating of magnets", "rotor hotter than model, loss rises with switching frequency",
         ("magnet.seg_w", "magnet.R_seg", "magnet.rho_e"), (), True),
    Mode("FM-MAG-POL", "wrong polarity or grade, under-magnetised", "Ke low at t = 0, even harmonics",
         ("process.B_mag", "magnet.sat"), ("lot mix-up",), True),
    Mode("FM-WDG-TT", "turn-to-turn short", "inductance asymmetry, hot spot",
         (), ("converter dv/dt", "impregnation"), False),
    Mode("FM-WDG-GND", "ground-wall failure", "insulation resistance and index fall, leakage",
         (), ("thermal class exceeded", "moisture"), False),
    Mode("FM-BRG-MEC", "bearing wear or lubrication", "bearing defect orders, temperature",
         (), ("unbalance", "magnetic pull", "load"), False),
    Mode("FM-BRG-EL", "bearing current fluting", "high-frequency current, fluting",
         (), ("common-mode voltage", "earthing"), False),
    Mode("FM-ROT-UNB", "mass unbalance", "1x proportional to n squared",
         ("magnet.sigma_m",), ("adhesive", "machining"), True),
    Mode("FM-ROT-ECC", "eccentricity, magnetic pull", "1x and 2f components, noise",
         ("magnet.sigma_B",), ("rotor runout",), False),
    Mode("FM-ROT-SLV", "sleeve or bandage creep", "growth at overspeed", (), ("not the magnet",), False),
    Mode("FM-NVH-COG", "cogging or torque ripple out of limit", "orders at multiples of the slot number",
         ("magnet.sigma_B", "magnet.sigma_theta"), (), True),
    Mode("FM-EFF-LOW", "efficiency below class", "loss split", ("magnet.Br", "magnet.rho_e"), ("steel",), True),
    Mode("FM-SNS", "sensor or position error", "commutation offset", (), ("magnet angle on the encoder",), False),
)  # fmt: skip

MODES: Mapping[str, Mode] = {mode.code: mode for mode in _MODES}

VIBRATION_SUSPECTS = ("magnet.sigma_m", "magnet.sigma_B", "magnet.sigma_theta", "magnet.h_m")
"""What a high 1x vibration may come from in the magnets (E.4: mass scatter is the stronger path)."""


def find(code: str) -> Mode:
    """The failure mode with this code. Raises Invalid naming the near matches."""
    found = MODES.get(code)
    if found is None:
        near = ", ".join(get_close_matches(code, MODES, n=3, cutoff=0.4)) or ", ".join(MODES)
        raise Invalid(f"The failure mode '{code}' is not known; near matches: {near}.", mode=code)
    return found
