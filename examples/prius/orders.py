"""What the example's engineers ordered before the story begins: specifications in force and the requirements."""

from typing import Any

from examples.prius.fleet import ITEM, MANUFACTURER, plant

Body = dict[str, Any]
START = "2025-12-01"


def _ref(name: str) -> dict[str, str]:
    return {"issuer": MANUFACTURER, "id": name}


def _limit(key: str, unit: str, lower: float | None, target: float | None, upper: float | None, **more: Any) -> Body:
    limits = {"lower": lower, "target": target, "upper": upper, "unit": unit}
    return {"characteristic": key, "limits": limits, **more}


def _spec(level: str, **content: Any) -> Body:
    return {
        "spec": _ref(f"{level}-{ITEM}"),
        "level": level,
        "item": _ref(ITEM),
        "suppliers": [],
        "effectivity": {"date": START},
        "reason": "First issue, from the supplier's data sheet and the design calculation.",
        "origin": "synthetic",
        **content,
    }


def specs() -> list[Body]:
    """One specification for each level, all suppliers; the limits that turn out too wide."""
    reference = {"value": 20, "unit": "Cel"}
    magnet = [
        _limit("magnet.HcJ", "kA/m", 1750, 2100, None, temperature=reference, special_class="critical"),
        _limit("magnet.Br", "T", 1.22, 1.30, 1.35, temperature=reference),
        _limit("magnet.sigma_B", "%", None, None, 3.0),
        _limit("magnet.sigma_m", "%", None, None, 1.0),
        _limit("magnet.adh", "MPa", 12, None, None),
    ]
    alloy = [
        _limit("alloy.Dy", "%", 1.2, 1.9, 2.6),
        _limit("alloy.TRE", "%", 29.8, 30.5, 31.2),
        _limit("alloy.O", "[ppm]", None, None, 3500),
    ]
    process = [
        _limit("process.Tb_gain", "%", 0.28, 0.40, 0.55),
        _limit("process.D50", "um", 2.2, 2.6, 3.1),
        _limit("process.B_al", "T", 1.4, 1.8, 2.2),
        _limit("process.T_s", "Cel", 1055, 1065, 1075),
    ]
    sources = [supplier.oxide for supplier in plant().suppliers]
    sourcing = {"permitted_sources": sources, "custody_model": "controlled_blending", "required_evidence": []}
    return [
        _spec("magnet", limits=magnet),
        _spec("alloy", limits=alloy),
        _spec("process", limits=process),
        _spec("sourcing", sourcing=sourcing),
    ]


def _requirement(name: str, title: str, metric: str, limits: Body, reference: Body, **more: Any) -> Body:
    return {
        "requirement": _ref(name),
        "motor_type": _ref(plant().motor_type),
        "title": title,
        "metric": metric,
        "limits": limits,
        "conformance": 0.95,
        "confidence": 0.9,
        "reference": reference,
        "reason": "Customer specification of the simulated fleet.",
        **more,
    }


SPEED = {"value": 1500, "unit": "/min"}
LOAD = {"speed": SPEED, "torque": {"value": 120, "unit": "N.m"}}
SOAK = {
    "soak_temperature": {"value": 150, "unit": "Cel"},
    "soak_duration": {"value": 2, "unit": "h"},
    "fault_current": {"value": 150, "unit": "A"},
}


def requirements() -> list[Body]:
    """Efficiency, flux, thermal degradation, vibration and life of the fleet's motor type."""
    return [
        _requirement(
            "R-THERMAL",
            "At most 1 % irreversible flux loss after 2 h at 150 °C with a three-phase short",
            "motor.dpsi_irr",
            {"upper": 1.0, "unit": "%"},
            SOAK,
        ),
        _requirement(
            "R-EFFICIENCY",
            "At least 92.5 % efficiency at 1 500 min⁻¹ and 120 N·m",
            "motor.eta",
            {"lower": 92.5, "unit": "%"},
            LOAD,
        ),
        _requirement(
            "R-FLUX",
            "Back-EMF constant at 20 °C of at least 86 V per 1 000 min⁻¹",
            "motor.Ke20",
            {"lower": 86.0, "unit": "mV.min"},
            {"speed": {"value": 1000, "unit": "/min"}},
        ),
        _requirement(
            "R-VIBRATION",
            "At most 0.8 mm/s vibration velocity at the first order, 1 500 min⁻¹",
            "motor.v_1x",
            {"upper": 0.8, "unit": "mm/s"},
            {"speed": SPEED},
        ),
        _requirement(
            "R-LIFE",
            "At least 3 000 h without a magnet letting go",
            "motor.life",
            {"lower": 3000, "unit": "h"},
            {},
            failure_modes=["FM-MAG-DET"],
        ),
    ]
