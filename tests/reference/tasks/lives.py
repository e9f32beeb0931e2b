"""Weibull lives, lots, zero failures, and accelerated tests."""

import numpy as np

from projections.mathematics.answers import NoAnswer
from projections.mathematics.lives import accelerated, weibull
from projections.mathematics.lives.lots import by_lot, shapes_differ
from tests.reference.reading import Answers, Case, Table, formula, levels


def _lives(table: Table, params: dict[str, str]) -> weibull.Lives:
    time, failed = params.get("time", "time"), params.get("failed", "failed")
    count = [float(value) for value in table.get(params.get("count", "count"), "1")]
    return weibull.lives(table.number(time), table.number(failed), count)


def weibull_task(case: Case) -> Answers:
    """One sample with right-censoring."""
    p = case.params
    found = weibull.fit(_lives(case.table(), p))
    level, q = p["confidence"], p["quantile"]
    ci, b = f"ci{100 * level:g}", f"b{100 * q:g}"
    se = np.sqrt(np.diag(found.covariance))
    return {
        "n_units": found.units, "n_failures": found.failures, "shape": found.shape, "scale": found.scale,
        "log_likelihood": found.log_likelihood, "se_log_scale": float(se[0]), "se_log_shape": float(se[1]),
        f"shape_profile_{ci}": list(weibull.shape_interval(found, level)),
        f"scale_profile_{ci}": list(weibull.life_interval(found, None, level)),
        f"{b}_life": found.quantile(q), f"{b}_profile_{ci}": list(weibull.life_interval(found, q, level)),
        "exponential_mean": found.exponential_mean, "sigma": 1.0 / found.shape, "mu": float(np.log(found.scale)),
    }  # fmt: skip


def lots_task(case: Case) -> Answers:
    """Common shape, scale by lot, and the ratio tests."""
    table, p = case.table(), case.params
    whole, lots = _lives(table, p), table.text(p["lot"])
    names = levels(lots)
    parts = {}
    for name in names:
        mine = np.array([lot == name for lot in lots])
        parts[name] = weibull.Lives(whole.time[mine], whole.failed[mine], whole.weight[mine])
    found = by_lot(parts)
    answers: Answers = {
        "lots": names, "failures_by_lot": [found.failures[name] for name in names], "common_shape": found.shape,
        "scale_by_lot": [scale for name in names if (scale := found.scale[name]) is not None],
        "loglik_common_scale": found.common, "loglik_scale_by_lot_common_shape": found.by_lot,
        "lr_statistic_scale": found.ratio.statistic, "lr_df_scale": found.ratio.dof, "lr_p_value_scale": found.ratio.p,
    }  # fmt: skip
    try:
        total, ratio = shapes_differ(parts)
    except NoAnswer:
        return answers
    return answers | {
        "loglik_shape_and_scale_by_lot": total, "lr_statistic_shape": ratio.statistic, "lr_df_shape": ratio.dof,
        "lr_p_value_shape": ratio.p,
    }  # fmt: skip


def zero_failures(case: Case) -> Answers:
    """Lower bounds at assumed shapes; there is no estimate."""
    data, p = _lives(case.table(), case.params), case.params
    answers: Answers = {}
    for shape in p["shapes"]:
        found = weibull.zero_failures(data, shape, p["quantile"], p["confidence"])
        answers[f"scale_lower_bound.shape_{shape}"] = found.scale
        answers[f"b{100 * p['quantile']:g}_lower_bound.shape_{shape}"] = found.life
    try:
        answers["scale_mle"] = weibull.fit(data).scale
    except NoAnswer:
        answers["scale_mle"] = None
    return answers


def accelerated_life(case: Case) -> Answers:
    """Log life linear in stated covariates."""
    table, p = case.table(), case.params
    data = _lives(table, p)
    rows = [{name: float(value) for name, value in table.row(k).items() if _number(value)} for k in range(len(table))]
    names = [covariate["name"] for covariate in p["covariates"]]
    definitions = [covariate["definition"] for covariate in p["covariates"]]
    x = np.array([[1.0, *(formula(text, **row) for text in definitions)] for row in rows])
    use = [1.0, *(formula(text, **{k: float(v) for k, v in p["use"].items()}) for text in definitions)]
    answers: Answers = {}
    for law in p["distributions"]:
        found = accelerated.fit(data, x, law)
        for name, value, error in zip(["intercept", *names], found.beta, found.errors(), strict=True):
            answers |= {f"{law}.{name}": float(value), f"{law}.se.{name}": float(error)}
        answers |= {f"{law}.sigma": found.sigma, f"{law}.log_likelihood": found.log_likelihood}
        for q in p["quantiles"]:
            life, low, high = found.life(use, q, p["confidence"])
            start = f"{law}.t{100 * q:g}_at_use"
            answers |= {start: life, f"{start}_ci{100 * p['confidence']:g}": [low, high]}
    return answers


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
