"""Tolerance factors, tolerance with lots, capability and guard bands."""

import re
from fractions import Fraction

from projections.mathematics.limits import factors, guard
from projections.mathematics.limits.capability import capability
from projections.mathematics.limits.lots import lower_limit
from projections.mathematics.moments.exact import Tally, ticks
from tests.reference.reading import Answers, Case, levels


def _rows(case: Case) -> list[tuple[int, float, float]]:
    table = case.table(case.params["rows"])
    n, p, g = (next(c for c in table.columns if c.startswith(start)) for start in ("n", "content", "confidence"))
    return list(zip([int(float(v)) for v in table.text(n)], table.number(p), table.number(g), strict=True))


def _share(digits: str) -> float:
    return float(Fraction(int(digits), 10 ** len(digits)))


def one_sided(case: Case) -> Answers:
    """Exact one-sided factors, and those that a name asks for."""
    answers: Answers = {"k_one_sided": [factors.one_sided(*row) for row in _rows(case)]}
    for name in case.names:
        if found := re.fullmatch(r"n(\d+)_p(\d+)_g(\d+)(\.natrella_approximation|\.exact)?", name):
            row = int(found[1]), _share(found[2]), _share(found[3])
            approximate = found[4] == ".natrella_approximation"
            answers[name] = (factors.one_sided_natrella if approximate else factors.one_sided)(*row)
    return answers


def two_sided(case: Case) -> Answers:
    """Exact, Howe and Guenther; the wafers are the example of NIST 7.2.6.3 (n = 43, content 0.90, confidence 0.99)."""
    rows = _rows(case)
    return {
        "k_two_sided_exact": [factors.two_sided(*row) for row in rows],
        "k_two_sided_howe": [factors.two_sided_howe(*row) for row in rows],
        "k_two_sided_guenther": [factors.two_sided_guenther(*row) for row in rows],
        "nist_wafer_howe": factors.two_sided_howe(43, 0.90, 0.99),
    }


def with_lots(case: Case) -> Answers:
    """A tolerance limit for a unit of a new lot."""
    table, p = case.table(), case.params
    lots = table.text(p["lot"])
    sign = 1 if p["side"] == "lower" else -1
    counted, origin, tick = ticks([sign * value for value in table.exact(p["response"])])
    parts = [[t for t, lot in zip(counted, lots, strict=True) if lot == name] for name in levels(lots)]
    found = lower_limit([Tally.of(part, origin, tick) for part in parts], p["content"], p["confidence"])
    return {
        "mean": sign * found.mean, "ss_between": found.ss_between, "ss_within": found.ss_within,
        f"{p['side']}_tolerance_limit_gpq": sign * found.limit,
        f"{p['side']}_limit_ignoring_lots": sign * found.ignoring_lots,
    }  # fmt: skip


def capability_task(case: Case) -> Answers:
    """Indices with intervals from n, mean and sd."""
    row = case.table(case.params["parameters_in"]).row()
    limits = [float(row[name]) if row.get(name) not in (None, "") else None for name in ("lsl", "usl")]
    level = float(row.get("confidence_level") or 0.95)
    found = capability(int(float(row["n"])), float(row["mean"]), float(row["sd"]), limits[0], limits[1], level)
    return {
        "cp": found.cp, "cpu": found.cpu, "cpl": found.cpl, "cpk": found.cpk,
        "cp_ci": list(found.cp_interval) if found.cp_interval else None,
        "cpk_ci_bissell": list(found.cpk_interval_bissell),
        "cpk_worse_side_exact_lower_bound": found.worse_side_lower_bound,
    }  # fmt: skip


def guard_task(case: Case) -> Answers:
    """Three rules of JCGM 106 for a supply and a measurement."""
    row = case.table(case.params["parameters_in"]).row()

    def value(*starts: str) -> float | None:
        names = (name for start in starts for name in row if name == start or name.startswith(start + "_"))
        found = next((name for name in names if row[name] != ""), None)
        return float(row[found]) if found else None

    side: guard.Side = "upper" if value("upper_limit", "usl") is not None else "lower"
    limit, u = value("upper_limit", "usl", "lower_limit", "lsl", "limit"), value("u")
    assert limit is not None and u is not None
    mean, sd, shape, rate = (
        value("mean", "mu", "prior_mean"),
        value("sd", "sigma", "prior_sd"),
        value("shape"),
        value("rate"),
    )
    kind = row.get("prior", "normal")
    if kind == "gamma":
        assert shape is not None and rate is not None
        supply = guard.supply("gamma", shape=shape, rate=rate)
    else:
        assert mean is not None and sd is not None
        supply = guard.supply("normal", mean=mean, sd=sd)
    plain = guard.risks(supply, limit, u, limit, side)
    answers: Answers = {
        "p_nonconforming": guard.nonconforming(supply, limit, side),
        "false_accept_no_guard_band": plain.false_accept,
        "conditional_risk_no_guard_band": plain.conditional,
    }
    target = value("target")
    if target is not None:
        at = guard.acceptance_limit(supply, limit, u, target, side)
        found = guard.risks(supply, limit, u, at, side)
        answers |= {"acceptance_limit_for_target": at, "false_reject_at_target": found.false_reject}
    normal = (mean, sd) if mean is not None and sd is not None else None
    return answers | _named_limits(case.names, supply, limit, u, side, normal)


def _named_limits(
    names: list[str], supply: guard.Distribution, limit: float, u: float, side: guard.Side,
    normal: tuple[float, float] | None,
) -> Answers:  # fmt: skip
    """Acceptance limits whose probability or risk stands in their name."""
    answers: Answers = {}
    for name in names:
        if asked := re.fullmatch(r"acceptance_limit_(simple_guard|posterior)_(\d+)", name):
            p = _share(asked[2])
            if asked[1] == "simple_guard":
                answers[name] = guard.simple_guard(limit, u, p, side)
            elif normal is not None:
                answers[name] = guard.informed_guard(limit, u, *normal, p, side)
        elif asked := re.fullmatch(r"acceptance_limit_conditional_risk_([\d.e-]+)", name):
            at = guard.acceptance_limit(supply, limit, u, float(asked[1]), side, conditional=True)
            answers |= {name: at, "accepted_share_at_that_limit": guard.risks(supply, limit, u, at, side).accepted}
    return answers
