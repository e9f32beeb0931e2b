"""Digests of state: over the hashes of its rows, sorted as bytes, whatever they begin or end with."""

import hashlib
from typing import ClassVar

from hypothesis import given
from hypothesis import strategies as st

from events.canonical import canonical
from projections.folds.fold import Row
from projections.folds.memory import _sort, digest_rows

HASHES = st.one_of(st.binary(min_size=32, max_size=32), st.binary(max_size=3).map(lambda end: end.ljust(32, b"\0")))


@given(st.lists(HASHES, max_size=50))
def test_hashes_are_sorted_as_bytes(found: list[bytes]) -> None:
    hashes = bytearray(b"".join(found))
    _sort(hashes)
    assert bytes(hashes) == b"".join(sorted(found))


class Kept(Row, frozen=True):
    name: str

    __key__: ClassVar[tuple[str, ...]] = ("name",)


def test_a_digest_is_over_the_hashes_of_the_rows_in_any_order() -> None:
    rows = [{"name": name} for name in "abc"]
    hashes = sorted(hashlib.sha256(canonical(row)).digest() for row in rows)
    expected = hashlib.sha256(b"Kept\0" + b"".join(hashes) + b"\1").hexdigest()
    assert digest_rows({Kept: rows}) == digest_rows({Kept: rows[::-1]}) == expected
