"""Digests of state: over the hashes of its rows, sorted as bytes, whatever they begin or end with."""

import hashlib
from typing import ClassVar

from events.canonical import canonical
from projections.folds.fold import Row
from projections.folds.memory import digest_rows

MANY = 20_000
"""So many that hashes begin, and end, with every byte, a zero among them."""


class Kept(Row, frozen=True):
    name: str

    __key__: ClassVar[tuple[str, ...]] = ("name",)


def test_a_digest_is_over_the_sorted_hashes_of_many_rows_in_any_order() -> None:
    rows = [{"name": str(number)} for number in range(MANY)]
    hashes = [hashlib.sha256(canonical(row)).digest() for row in rows]
    assert len({found[0] for found in hashes}) == len({found[-1] for found in hashes}) == 256
    expected = hashlib.sha256(b"Kept\0" + b"".join(sorted(hashes)) + b"\1").hexdigest()
    assert digest_rows({Kept: iter(rows)}) == digest_rows({Kept: rows[::-1]}) == expected


def test_the_digest_of_a_table_without_rows_names_the_table() -> None:
    assert digest_rows({Kept: []}) == hashlib.sha256(b"Kept\0\1").hexdigest()
