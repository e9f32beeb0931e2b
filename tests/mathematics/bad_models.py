"""What cannot be answered of lots, lines and limits: the name of the refusal and the call."""

import numpy as np

from projections.mathematics.edges.conjugate import belief, conflict
from projections.mathematics.edges.network import Information, Node, joint
from projections.mathematics.edges.scalar import update
from projections.mathematics.limits import factors, guard
from projections.mathematics.limits.capability import capability
from projections.mathematics.limits.invert import Line, parent_limit
from projections.mathematics.limits.joint import Pair, joint_limits
from projections.mathematics.limits.lots import lower_limit
from projections.mathematics.limits.supply import supply_limits
from projections.mathematics.lines.laboratory import laboratory_bias
from projections.mathematics.lines.latent import Measured, latent
from projections.mathematics.lines.moment import moment_corrected
from projections.mathematics.lines.york import deming, york
from projections.mathematics.mixed.cross import CrossProducts
from projections.mathematics.mixed.model import fit
from projections.mathematics.mixed.repeats import fit_repeats
from projections.mathematics.mixed.unshrunken import unshrunken
from projections.mathematics.moments.exact import Tally
from projections.mathematics.moments.oneway import one_way

NAN = float("nan")
TEN = np.arange(1.0, 11.0)


def _cross(lot, y, extra=None):
    names = sorted(set(lot))
    z = np.array([[float(v == name) for name in names] for v in lot])
    columns = [z, np.ones(len(y)), *([extra] if extra is not None else []), np.asarray(y, dtype=float)]
    keep = [*names, "1", *(["x"] if extra is not None else []), "y"]
    return CrossProducts.of_rows(keep, np.column_stack(columns)), names


def _fit(lot, y, fixed=("1",), extra=None):
    cross, names = _cross(lot, y, extra)
    return fit(cross, "y", list(fixed), {"lot": names})


CASES = {
    "one lot": ("too_few_levels", lambda: _fit(["a"] * 5, [1, 2, 3, 4, 5])),
    "one lot, unshrunken": ("too_few_levels", lambda: unshrunken(_cross(["a"] * 5, TEN[:5])[0], "y", ["1"], ["a"])),
    "one motor": (
        "too_few",
        lambda: fit(CrossProducts.of_rows(["a", "b", "1", "y"], [[1, 0, 1, 2]]), "y", ["1"], {"lot": ["a", "b"]}),
    ),
    "no variation": ("no_variation", lambda: _fit(["a", "a", "b", "b"], [5, 5, 5, 5])),
    "no variation within lots": ("no_variation", lambda: _fit(["a", "a", "b", "b"], [5, 5, 7, 7])),
    "more columns than rows": (
        "too_few",
        lambda: fit(
            CrossProducts.of_rows(["a", "b", "1", "x", "y"], [[1, 0, 1, 2, 3], [0, 1, 1, 4, 5]]),
            "y",
            ["1", "x"],
            {"lot": ["a", "b"]},
        ),
    ),
    "aliased columns": (
        "not_estimable",
        lambda: _fit(["a", "a", "b", "b", "a"], [1, 2, 3, 5, 4], ("1", "x"), np.ones(5)),
    ),
    "a column of zeros": (
        "not_estimable",
        lambda: _fit(["a", "a", "b", "b", "a"], [1, 2, 3, 5, 4], ("1", "x"), np.zeros(5)),
    ),
    "nan in rows": ("bad_input", lambda: _fit(["a", "b"], [NAN, 1.0])),
    "no such column": ("bad_input", lambda: _cross(["a", "b"], [1, 2])[0].select(["z"])),
    "no repeats": (
        "not_identified",
        lambda: fit_repeats({1: _cross(["a", "a", "b"], [1, 2, 3])[0]}, 0.0, "y", ["1"], {"lot": ["a", "b"]}),
    ),
    "one group": ("too_few_levels", lambda: one_way([Tally.of([1, 2, 3])])),
    "groups without scatter": ("no_variation", lambda: one_way([Tally.of([1, 1]), Tally.of([2, 2])])),
    "groups of one": ("too_few", lambda: one_way([Tally.of([1]), Tally.of([2])])),
    "an empty tally": ("too_few", lambda: Tally.of([]).mean()),
    "uncertainty above the scatter": ("not_identified", lambda: moment_corrected(TEN, np.full(10, 9.0), TEN)),
    "a negative uncertainty": ("bad_input", lambda: moment_corrected(TEN, np.full(10, -1.0), TEN)),
    "a certificate that never varies": ("no_variation", lambda: moment_corrected(np.ones(10), np.full(10, 0.1), TEN)),
    "two points": ("too_few", lambda: moment_corrected([1, 2], [0.1, 0.1], [1, 2])),
    "york with nan": ("bad_input", lambda: york(TEN, [NAN] * 10, TEN, TEN)),
    "york without an error": ("bad_input", lambda: york(TEN, TEN, np.zeros(10), np.zeros(10))),
    "york at one x": ("no_variation", lambda: york(np.ones(10), TEN, TEN, TEN)),
    "deming at one x": ("no_variation", lambda: deming(np.ones(10), TEN)),
    "nothing states a value": ("not_identified", lambda: latent([Measured(None, 1.0, low=3.0)])),
    "one laboratory": ("too_few_levels", lambda: laboratory_bias({"lab": Tally.of([1, 2, 3])})),
    "a sigma of zero": ("bad_input", lambda: update(1.0, 0.0, 1.0, 0.1)),
    "a prior that is no prior": ("bad_input", lambda: belief([0, 0], [[1, 0], [0, -1]], 1, 1)),
    "conflict of one point": ("not_estimable", lambda: conflict(belief([0, 0], [1, 1], 1, 1), 1, np.eye(2), [1, 1], 2)),
    "a circle of nodes": ("bad_input", lambda: joint([Node("a", 0, {"b": 1}, 1), Node("b", 0, {"a": 1}, 1)])),
    "evidence twice": (
        "not_identified",
        lambda: joint([Node("a", 0, {}, 1), Node("b", 0, {"a": 1}, 0)]).given({"a": 1, "b": 1}),
    ),
    "no information": ("not_identified", lambda: Information(("a",), np.zeros((1, 1)), np.zeros(1)).joint()),
    "child without the parent": (
        "no_finite_limit",
        lambda: joint([Node("a", 0, {}, 1), Node("b", 0, {}, 1)]).parent_limit("b", "a", 0, 0.9),
    ),
    "a flat slope": (
        "no_finite_limit",
        lambda: parent_limit(Line(np.array([1.0, 0.01]), np.eye(2), 1.0, 10), 0.0, form="tolerance"),
    ),
    "content of one": ("bad_input", lambda: factors.one_sided(10, 1.0, 0.95)),
    "a sample of one": ("too_few", lambda: factors.one_sided(1, 0.9, 0.95)),
    "tolerance of one lot": ("too_few_levels", lambda: lower_limit([Tally.of([1, 2])], 0.9, 0.95)),
    "tolerance of lots of one": ("too_few", lambda: lower_limit([Tally.of([1]), Tally.of([2])], 0.9, 0.95)),
    "capability of equal units": ("no_variation", lambda: capability(10, 1.0, 0.0, 0.0, None)),
    "capability without a limit": ("bad_input", lambda: capability(10, 1.0, 1.0, None, None)),
    "guard band without uncertainty": ("bad_input", lambda: guard.simple_guard(1.0, 0.0, 0.95)),
    "guard band nobody needs": (
        "no_limit_needed",
        lambda: guard.acceptance_limit(guard.supply("normal", mean=9, sd=0.1), 0, 0.1, 0.01, "lower"),
    ),
    "parents that hardly matter": (
        "no_supply_qualifies",
        lambda: joint_limits(Pair((0, 0), (1, 1), 0.0, 0.0, (1e-4, 1e-4), 1.0, 1.0), 0.99),
    ),
    "lots that all fail": ("no_supply_qualifies", lambda: supply_limits([[1.0], [2.0]], [0.1, 0.2], 0.9)),
}
