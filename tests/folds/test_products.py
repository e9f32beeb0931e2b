"""Sums of products over motors that are alike are those over one motor after the other, however large the values."""

from collections import Counter
from itertools import combinations_with_replacement

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.folds.correlation.products import Moments, Products

constants = st.dictionaries(
    st.sampled_from(["lot:a", "lot:b", "bench:B1", "stator:z", "operator:é"]), st.integers(-40, 40), max_size=3
)
values = st.integers(-40, 40) | st.sampled_from([2**20, -(2**24), 2**40])
motors = st.lists(st.tuples(values, values, st.sampled_from([1, -1])), max_size=5)
kinds = st.lists(st.tuples(st.sampled_from(["g", "h"]), constants, motors), max_size=5)


@settings(max_examples=200, deadline=None)
@given(kinds)
def test_every_pair_of_columns_is_summed_exactly(listed):
    products = Products()
    expected: Counter[tuple[str, str, str]] = Counter()
    terms: Counter[tuple[str, str, str]] = Counter()
    for group, same, alike in listed:
        moments = Moments()
        for y, dT, sign in alike:
            moments.add(y, dT, sign)
            columns = {"1": 1, "y": y, "dT": dT, **same}
            for a, b in combinations_with_replacement(sorted(columns), 2):
                expected[group, a, b] += sign * columns[a] * columns[b]
                terms[group, a, b] += sign
        products.add(group, {"1": 1, **same}, moments)
    sums = {(row.group, row.a, row.b): (row.value, row.terms) for row in products.sums()}
    assert sums == {key: (expected[key], terms[key]) for key in terms if expected[key] or terms[key]}
