"""Sums of products in arrays are those in Python's integers, whatever the columns and however large the values."""

from collections import Counter
from itertools import combinations_with_replacement

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.folds.correlation.products import EXACT, FEW, Products

names = st.sampled_from(["1", "y", "dT", "lot:a", "lot:b", "bench:B1", "operator:é"])
values = st.integers(-40, 40) | st.sampled_from([EXACT - 1, EXACT, -EXACT, 1 - EXACT, 2**24])
columns = st.dictionaries(names, values, min_size=2, max_size=4)
motors = st.lists(st.tuples(st.sampled_from(["g", "h"]), columns, st.sampled_from([1, -1])), max_size=5 * FEW)


@settings(max_examples=200, deadline=None)
@given(motors)
def test_every_pair_of_columns_is_summed_exactly(listed):
    products = Products()
    expected: Counter[tuple[str, str, str]] = Counter()
    terms: Counter[tuple[str, str, str]] = Counter()
    for group, found, sign in listed:
        products.add(group, found, sign)
        for a, b in combinations_with_replacement(sorted(found), 2):
            expected[group, a, b] += sign * found[a] * found[b]
            terms[group, a, b] += sign
    sums = {(row.group, row.a, row.b): (row.value, row.terms) for row in products.sums()}
    assert sums == {key: (expected[key], terms[key]) for key in terms if expected[key] or terms[key]}
