"""Moments, analysis of variance, least squares, mixed models and estimability."""

import re
from fractions import Fraction

import numpy as np

from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.estimable import canonical_correlations, contrast, normal, parse
from projections.mathematics.mixed.model import MixedFit, fit
from projections.mathematics.moments.exact import Series, Tally, ticks
from projections.mathematics.moments.oneway import one_way
from projections.mathematics.moments.squares import Products, least_squares
from tests.reference.reading import Answers, Case, Table, levels


def _both(values: list[str]) -> list[tuple[str, list[Fraction]]]:
    """The decimal strings as they are printed, and as float64 holds them."""
    return [("", [Fraction(v) for v in values]), (".float64_inputs", [Fraction(float(v)) for v in values])]


def univariate(case: Case) -> Answers:
    """Mean, sd and lag-1 autocorrelation from exact sums."""
    answers: Answers = {}
    for suffix, values in _both(case.table().text(case.params["columns"][0])):
        series = Series.of(*ticks(values))
        answers["mean" + suffix] = float(series.tally.mean())
        answers["sd" + suffix] = series.tally.sd()
        answers["lag1_autocorrelation" + suffix] = float(series.lag1())
    return answers


def one_way_anova(case: Case) -> Answers:
    """One tally for each group."""
    table = case.table()
    group, response = case.params["columns"]
    answers: Answers = {}
    for suffix, values in _both(table.text(response)):
        counted, origin, tick = ticks(values)
        names = levels(table.text(group))
        parts = [[t for t, g in zip(counted, table.text(group), strict=True) if g == name] for name in names]
        found = one_way([Tally.of(part, origin, tick) for part in parts])
        answers |= {
            "ss_between" + suffix: float(found.ss_between), "ss_within" + suffix: float(found.ss_within),
            "F" + suffix: found.f, "r_squared" + suffix: found.r_squared, "residual_sd" + suffix: found.residual_sd,
            "df_between": found.df_between, "df_within": found.df_within,
        }  # fmt: skip
    return answers


def least_squares_task(case: Case) -> Answers:
    """Exact cross-products of the printed decimals."""
    table, params = case.table(), case.params
    y = table.exact(params["columns"][0])
    if "polynomial_degree" in params:
        x = table.exact(params["x"])
        columns = [[value**power for value in x] for power in range(1, params["polynomial_degree"] + 1)]
    else:
        columns = [table.exact(term) for term in params["terms"]]
    if params["intercept"]:
        columns = [[Fraction(1)] * len(y), *columns]
    state = Products.of_rows(list(zip(*columns, y, strict=True)))
    found = least_squares(state, intercept=params["intercept"])
    answers: Answers = {"residual_sd": found.residual_sd, "r_squared": found.r_squared, "condition": found.condition}
    first = 0 if params["intercept"] else 1
    for place, (value, error) in enumerate(zip(found.coefficients, found.errors, strict=True), first):
        answers |= {f"coef.b{place}": value, f"se.b{place}": error}
    return answers


def _factor(table: Table, name: str) -> list[str]:
    """A column, or several joined by a colon (implicit nesting)."""
    parts = [table.text(part.strip()) for part in name.replace("/", ":").split(":")]
    return [":".join(values) for values in zip(*parts, strict=True)]


def mixed_model(case: Case) -> Answers:
    """State from rows, then everything from the state."""
    table, params = case.table(), case.params
    response, origins = params["response"], {}
    columns: dict[str, list[float]] = {"1": [1.0] * len(table)}
    fixed, dummies = ["1"], {}
    known = {*params.get("fixed", []), *params.get("random", []), (params.get("membership") or {}).get("factor")}
    for term in [*params.get("fixed", []), *(name for name in params.get("categorical", []) if name not in known)]:
        if term in params.get("categorical", []):
            values = table.text(term)
            for level in levels(values)[1:]:
                dummies[f"{term}{level}"] = (term, level)
                columns[f"{term}{level}"] = [float(value == level) for value in values]
                fixed.append(f"{term}{level}")
        else:
            columns[term], origins[term] = table.shifted(term)
            fixed.append(term)
    families: dict[str, list[str]] = {}
    for name in params.get("random", []):
        values = _factor(table, name)
        families[name] = [f"{name}={level}" for level in levels(values)]
        for level in levels(values):
            columns[f"{name}={level}"] = [float(value == level) for value in values]
    if params.get("membership"):
        _membership(case, table, families, columns)
    columns[response], origins[response] = table.shifted(response)
    cross = CrossProducts.of_rows(list(columns), np.column_stack(list(columns.values())))
    answers: Answers = {}
    for method in ("reml", "ml"):
        found = fit(cross, response, fixed, families, method)
        answers |= _of_fit(found, method, families, {name: float(v) for name, v in origins.items()}, response, dummies)
    return answers


def _membership(case: Case, table: Table, families: dict[str, list[str]], columns: dict[str, list[float]]) -> None:
    spec = case.params["membership"]
    members = case.table(spec["file"])
    place = {unit: number for number, unit in enumerate(table.text(spec["unit"]))}
    shares = {level: np.zeros(len(table)) for level in levels(members.text(spec["level"]))}
    rows = zip(members.text(spec["unit"]), members.text(spec["level"]), members.number(spec["weight"]), strict=True)
    for unit, level, weight in rows:
        shares[level][place[unit]] += weight
    total = sum(shares.values())
    size = np.where(total > 1.5, total, 1.0)
    families[spec["factor"]] = [f"{spec['factor']}={level}" for level in shares]
    for level, values in shares.items():
        columns[f"{spec['factor']}={level}"] = (values / size).tolist()


def _of_fit(
    found: MixedFit, method: str, families: dict[str, list[str]], origins: dict[str, float], response: str,
    dummies: dict[str, tuple[str, str]],
) -> Answers:  # fmt: skip
    answers: Answers = {f"{method}.criterion": found.criterion, f"{method}.var.residual": found.residual}
    back = {"1": 1.0, **{name: -origin for name, origin in origins.items() if name != response}}
    value, error = found.contrast(back)
    answers |= {f"{method}.fixed.intercept": value + origins[response], f"{method}.fixed_se.intercept": error}
    for name in found.fixed:
        if name != "1":
            value, error = found.contrast({name: 1.0})
            aliases = [name]
            if name in dummies:
                term, level = dummies[name]
                aliases += [
                    f"{term}[{level}]",
                    f"{term}:{level}",
                    f"{term}[T.{level}]",
                    f"{term}.{level}",
                    f"{term}={level}",
                ]
            for alias in aliases:
                answers |= {f"{method}.fixed.{alias}": value, f"{method}.fixed_se.{alias}": error}
    for family, names in families.items():
        effects = found.effects[family]
        place = [effects.levels.index(name) for name in names]
        start = f"{method}.blup.{family}."
        answers |= {
            f"{method}.var.{family}": found.variances[family],
            start + "levels": [name.split("=", 1)[1] for name in names],
            start + "value": effects.value[place].tolist(),
            start + "cond_sd": effects.cond_sd[place].tolist(),
            start + "pev_sd": effects.pev_sd[place].tolist(),
        }
    return answers


def estimability(case: Case) -> Answers:
    """Everything from cross-products of over-parameterized columns."""
    table, factors = case.table(), case.params["factors"]
    columns: dict[str, list[float]] = {"1": [1.0] * len(table)}
    groups = []
    for factor in factors:
        values = table.text(factor)
        groups.append([f"{factor}:{level}" for level in levels(values)])
        for level in levels(values):
            columns[f"{factor}:{level}"] = [float(value == level) for value in values]
    effects = list(columns)
    columns["y"], _ = table.shifted(case.params["response"])
    cross = CrossProducts.of_rows(list(columns), np.column_stack(list(columns.values())))
    solved = normal(cross, "y", effects)
    correlations = canonical_correlations(cross, groups[0], groups[1])
    answers: Answers = {
        "rank": solved.rank, "columns": len(effects), "largest_canonical_correlation": float(correlations.max()),
        "n_canonical_correlations_equal_1": int((correlations > 1.0 - 1e-8).sum()),
    }  # fmt: skip
    asked = {found[1] for name in case.names if (found := re.fullmatch(r"(?:estimable|value|se)\[(.*)\]", name))}
    for text in sorted(asked):
        told = contrast(solved, parse(text))
        answers |= {f"estimable[{text}]": told.estimable, f"value[{text}]": told.value, f"se[{text}]": told.se}
    return answers
