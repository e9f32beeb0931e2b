"""Gauge studies, difference in differences and interrupted series."""

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np

from projections.mathematics.moments.exact import Tally, ticks
from projections.mathematics.studies.counts import harmonics, poisson
from projections.mathematics.studies.effect import difference_in_differences
from projections.mathematics.studies.gauge import Components, average_range, gauge
from projections.mathematics.studies.regression import durbin_watson, newey_west, ols
from projections.mathematics.studies.series import gls_ar1
from tests.reference.reading import Answers, Case, Table, levels


def gauge_rr(case: Case) -> Answers:
    """Parts crossed with operators."""
    table, p = case.table(), case.params
    values = table.exact(p["value"])
    counted, origin, tick = ticks(values)
    keys = list(zip(table.text(p["part"]), table.text(p["operator"]), strict=True))
    cells: dict[tuple[str, str], list[int]] = {}
    readings: dict[tuple[str, str], list[Fraction]] = {}
    for key, t, value in zip(keys, counted, values, strict=True):
        cells.setdefault(key, []).append(t)
        readings.setdefault(key, []).append(value)
    found = gauge({key: Tally.of(part, origin, tick) for key, part in cells.items()})
    simple = average_range(readings)
    answers: Answers = {
        "ss.part": found.ss_part, "ss.operator": found.ss_operator, "ss.interaction": found.ss_interaction,
        "ss.repeatability": found.ss_repeatability, "f.interaction": found.f_interaction,
        "p.interaction": found.p_interaction, "average_range.EV": simple.ev, "average_range.AV": simple.av,
        "average_range.GRR": simple.grr, "average_range.PV": simple.pv, "average_range.TV": simple.tv,
        "average_range.pct_GRR": 100.0 * simple.grr / simple.tv, "average_range.ndc": 1.41 * simple.pv / simple.grr,
    }  # fmt: skip
    for form, parts in (("full", found.full), ("pooled", found.pooled)):
        if parts is not None:
            answers |= _components(form, parts)
    return answers


def _components(form: str, parts: Components) -> Answers:
    variances = {
        "repeatability": parts.repeatability, "reproducibility": parts.reproducibility, "grr": parts.grr,
        "part": parts.part, "total": parts.total,
    }  # fmt: skip
    share = parts.grr / parts.total
    return {
        **{f"{form}.var.{name}": value for name, value in variances.items()},
        **{f"{form}.sd.{name}": math.sqrt(value) for name, value in variances.items()},
        f"{form}.pct_contribution.grr": 100.0 * share,
        f"{form}.pct_study_variation.grr": 100.0 * math.sqrt(share),
        f"{form}.ndc": parts.ndc,
    }


def did(case: Case) -> Answers:
    """The group is the column that holds the treated label, the period the one that holds after."""
    table, p = case.table(), case.params
    treated = p["treated"]
    group = next(name for name, column in table.columns.items() if treated in column)
    period = next(name for name, column in table.columns.items() if "after" in column)
    found = difference_in_differences(
        table.number(p["response"]), [v == treated for v in table.text(group)],
        [v == "after" for v in table.text(period)], table.text(p["cluster"]),
    )  # fmt: skip
    return {
        "did_estimate": found.effect, "did_se_iid": found.se_independent,
        f"did_se_cluster_{p['cluster']}": found.se_clustered, "did_se_cluster_lot": found.se_clustered,
        f"before_after_{treated}_only": found.before_after, "before_after_revised_only": found.before_after,
    }  # fmt: skip


def _design(table: Table, terms: list[str]) -> np.ndarray:
    return np.column_stack([np.ones(len(table)), *(table.number(term) for term in terms)])


def interrupted(case: Case) -> Answers:
    """Least squares with Newey-West beside maximum likelihood with AR(1) residuals."""
    table, p = case.table(), case.params
    x, y = _design(table, p["terms"]), np.array(table.number(p["response"]))
    place = 1 + p["terms"].index(p["effect"])
    plain, correlated = ols(x, y), gls_ar1(x, y)
    robust = newey_west(plain, p["newey_west_lags"])
    return {
        "ols.coef": plain.beta.tolist(), "ols.step": float(plain.beta[place]),
        "ols.se_step": float(plain.errors[place]), "newey_west.se_step": math.sqrt(float(robust[place, place])),
        "durbin_watson": durbin_watson(plain.residuals), "gls_ar1.phi": correlated.phi,
        "gls_ar1.step": float(correlated.beta[place]), "gls_ar1.se_step_ml": float(correlated.errors[place]),
        "gls_ar1.loglik": correlated.log_likelihood,
    }  # fmt: skip


def interrupted_poisson(case: Case) -> Answers:
    """Counts with exposure; the seasonal form adds harmonics and the dispersion."""
    table, p = case.table(), case.params
    offset = p["offset"]
    logged = re.fullmatch(r"(?:log|ln)\((.*)\)", offset)
    exposure = np.array(table.number(logged[1] if logged else offset))
    if offset.startswith(("log_", "ln_")):
        exposure = np.exp(exposure)
    x, counts = _design(table, p["terms"]), table.number(p["response"])
    place = 1 + p["terms"].index(p["effect"])
    found = poisson(x, counts, exposure)
    ratio, low, high = found.ratio(place)
    answers: Answers = {
        "coef": found.beta.tolist(), "rate_ratio": ratio, "rate_ratio_ci95_poisson": [low, high],
        "deviance": found.deviance,
    }  # fmt: skip
    if p.get("seasonal"):
        seasonal = poisson(np.column_stack([x, _seasons(table, p["seasonal"])]), counts, exposure)
        ratio, low, high = seasonal.ratio(place, quasi=True)
        answers |= {
            "seasonal_quasi.rate_ratio": ratio, "seasonal_quasi.dispersion": seasonal.dispersion,
            "seasonal_quasi.rate_ratio_ci95": [low, high],
        }  # fmt: skip
    return answers


def _seasons(table: Table, stated: Any) -> np.ndarray:
    """`harmonic(month, 2, 12)`, {column, harmonics, period}, or a list of columns or of one factor."""
    text = str(stated)
    words = [word for word in re.findall(r"[A-Za-z_]\w*", text) if word in table.columns]
    numbers = [float(number) for number in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", text)]
    if len(numbers) >= 2:
        return harmonics(table.number(words[0]), int(min(numbers)), max(numbers))
    if len(words) == 1 and len(set(table.text(words[0]))) > 2:
        values = table.text(words[0])
        return np.column_stack([[float(v == level) for v in values] for level in levels(values)[1:]])
    return np.column_stack([table.number(word) for word in words])
