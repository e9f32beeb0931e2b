"""Errors in variables, conjugate edges, the chain, and inversion to limits."""

import re
from typing import Any

import numpy as np

from projections.mathematics.answers import NoAnswer
from projections.mathematics.edges.conjugate import belief, belief_limits
from projections.mathematics.edges.network import Node, joint
from projections.mathematics.limits.invert import Line, lower_bound, parent_limit
from projections.mathematics.limits.joint import Pair, joint_limits
from projections.mathematics.lines.moment import moment_corrected
from projections.mathematics.lines.york import deming, york
from projections.mathematics.studies.regression import ols
from tests.reference.reading import Answers, Case


def moment(case: Case) -> Answers:
    """Moment-corrected regression with stated uncertainties."""
    table, params = case.table(), case.params
    x = np.column_stack([table.number(name) for name in params["x"]])
    u = np.column_stack([table.number(name) for name in params["u"]])
    found = moment_corrected(x, u, table.number(params["y"]))
    assert found.covariance is not None
    return {
        "slope_corrected": found.slopes.tolist(), "intercept_corrected": found.intercept,
        "se_sandwich": np.sqrt(np.diag(found.covariance)).tolist(), "residual_variance": found.residual_variance,
        "slope_naive": found.naive.tolist(), "smallest_reliability_eigenvalue": found.reliability,
    }  # fmt: skip


def york_task(case: Case) -> Answers:
    """A line with known errors in both."""
    table, p = case.table(), case.params
    found = york(*(table.number(p[name]) for name in ("x", "y", "sd_x", "sd_y")))
    spread = (found.chi2 / found.dof) ** 0.5
    return {
        "slope": found.slope, "intercept": found.intercept, "chi2": found.chi2, "chi2_dof": found.dof,
        "se_slope_york": found.se_slope, "se_intercept_york": found.se_intercept,
        "se_slope_scaled": found.se_slope * spread, "corr_slope_intercept": found.correlation, "ols_slope": found.naive,
    }  # fmt: skip


def deming_task(case: Case) -> Answers:
    """A line with a known ratio of errors."""
    table = case.table()
    found = deming(table.number("x"), table.number("y"), case.params["variance_ratio_y_over_x"])
    return {
        "slope": found.slope, "intercept": found.intercept, "se_slope_jackknife": found.se_slope,
        "se_intercept_jackknife": found.se_intercept, "ols_slope": found.naive,
    }  # fmt: skip


def normal_inverse_gamma(case: Case) -> Answers:
    """Conjugate regression from X'X, X'y, y'y."""
    table, p = case.table(), case.params
    *parents, response = table.columns
    x = np.column_stack([np.ones(len(table)), *(table.number(name) for name in parents)])
    y = np.array(table.number(response))
    prior = belief(p["prior_mean"], p["prior_precision_diagonal"], p["a0"], p["b0"])
    after = prior.update(len(y), x.T @ x, x.T @ y, float(y @ y))
    answers: Answers = {
        "posterior_mean": after.mean.tolist(), "posterior_precision_over_s2": after.precision.ravel().tolist(),
        "a_n": after.a, "b_n": after.b,
    }  # fmt: skip
    if "lower_limit" in p:
        predictive, tolerance = belief_limits(after, p["lower_limit"], p["content"], p["confidence"])
        answers |= {"parent_limit_predictive": predictive, "parent_limit_tolerance": tolerance}
    return answers


def chain(case: Case) -> Answers:
    """A network in topological order, evidence, and the limit on a parent."""
    table, p = case.table(case.params.get("nodes_in")), case.params
    nodes: dict[str, dict[str, Any]] = {}
    for number in range(len(table)):
        row = table.row(number)
        node = nodes.setdefault(row["node"], {"intercept": 0.0, "noise_sd": 0.0, "parents": {}})
        node |= {name: float(row[name]) for name in ("intercept", "noise_sd") if row[name] != ""}
        if row["parent"]:
            node["parents"][row["parent"]] = float(row["weight"])
    prior = joint([Node(name, node["intercept"], node["parents"], node["noise_sd"]) for name, node in nodes.items()])
    after = prior.given(p["evidence"])
    _, slope, sd = prior.regress(p["child"], p["parent"])
    return {
        "prior_mean": prior.mean.tolist(), "prior_sd": prior.sd().tolist(), "posterior_nodes": list(after.names),
        "posterior_mean": after.mean.tolist(), "posterior_sd": after.sd().tolist(), "log_evidence": after.log_evidence,
        "child_given_parent.slope": slope, "child_given_parent.sd": sd,
        "parent_limit": prior.parent_limit(p["child"], p["parent"], p["threshold"], p["probability"]),
    }  # fmt: skip


def inversion(case: Case) -> Answers:
    """Regression on parents and the tolerance limit on one of them."""
    table, p = case.table(), case.params
    parents = p["parents"]
    x = np.column_stack([np.ones(len(table)), *(table.number(name) for name in parents)])
    centre = np.concatenate([[0.0], x[:, 1:].mean(axis=0)])
    found = ols(x - centre, table.number(p["response"]))
    turn = np.eye(len(centre))
    turn[0] -= centre
    line = Line(turn @ found.beta, turn @ found.inverse @ turn.T, found.variance**0.5, float(len(table) - x.shape[1]))
    side, limit = ("lower", p["lower_limit"]) if "lower_limit" in p else ("upper", p["upper_limit"])
    held = {name: float(value) for name, value in (p.get("held") or {}).items()}
    answers: Answers = {"coef": line.beta.tolist(), "residual_sd": line.s}
    free = next((place for place, name in enumerate(parents, 1) if name not in held), 1)
    row = np.array([1.0, *(held.get(name, float(centre[k])) for k, name in enumerate(parents, 1))])
    content, confidence = p["content"], p["confidence"]
    for name in case.names:
        if at := re.fullmatch(r"lower_bound_at_(.*)", name):
            point = row.copy()
            for short, value in re.findall(r"([A-Za-z]+)_(-?[\d.]+)", at[1]):
                point[_place(parents, short, free)] = float(value)
            answers[name] = lower_bound(line, point, form="tolerance", content=content, confidence=confidence)
        elif asked := re.fullmatch(r"parent_(?:lower|upper)_limit(?:_(.*))?", name):
            parent = _place(parents, asked[1], free)
            try:
                answers[name] = parent_limit(
                    line, limit, form="tolerance", content=content, confidence=confidence, parent=parent, held=row,
                    side=side,  # type: ignore[arg-type]
                )  # fmt: skip
            except NoAnswer as refusal:
                answers |= {name: None, "refused": refusal.detail}
    answers["naive_limit_mean_only"] = parent_limit(line, limit, form="mean", parent=free, held=row)
    return answers


def _place(parents: list[str], short: str | None, default: int) -> int:
    return next((k for k, name in enumerate(parents, 1) if short and name.startswith(short)), default)


def joint_task(case: Case) -> Answers:
    """Two parents at once on a normal supply."""
    row = {name: float(value) for name, value in case.table(case.params["parameters_in"]).row().items()}
    pair = Pair(
        (row["mu1"], row["mu2"]), (row["sd1"], row["sd2"]), row["rho"], row["b0"], (row["b1"], row["b2"]), row["s"],
        row["lsl"],
    )  # fmt: skip
    found = joint_limits(pair, row["target"])
    return {
        "conformance_without_limits": found.unlimited, "minimal_excluded_share": found.excluded,
        "limit_parent_1": found.limits[0], "limit_parent_2": found.limits[1],
        "excluded_share_half_plane_bound": found.half_plane, "excluded_share_only_parent_1": found.only[0],
        "excluded_share_only_parent_2": found.only[1],
    }  # fmt: skip
