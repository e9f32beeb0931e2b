"""Rows in tables: what is written comes back exactly, of the same type."""

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, select, text

from projections.folds.fold import Key, Projection
from services.store.projecting.rows import BatchRows
from services.store.projecting.shapes import make_tables, point_views, reading_table, stored_table
from tests.store.projecting.counting import COUNTING


@dataclass(frozen=True, slots=True)
class Everything:
    """One field of each kind that a row may have."""

    name: str
    number: int
    flag: bool
    text: str | None
    whole: int | None
    real: float | None
    maybe: bool | None
    pairs: tuple[tuple[str, int], ...]
    by_number: dict[int, tuple[float, ...]]
    items: list[Any] | None
    fixed: tuple[str, float]
    anything: Any

    __key__: ClassVar[tuple[str, ...]] = ("name", "number")
    __undigested__: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class KeyOnly:
    """A row that says only that it is there."""

    name: str

    __key__: ClassVar[tuple[str, ...]] = ("name",)


HOME = Projection("rows", 1, (Everything, KeyOnly), frozenset(), COUNTING.keys, COUNTING.fold)
words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=5)
reals = st.floats(allow_nan=False, allow_infinity=False)
wholes = st.integers(-(2**63), 2**63 - 1)
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | reals | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
everything = st.builds(
    Everything,
    name=words,
    number=wholes,
    flag=st.booleans(),
    text=st.none() | words,
    whole=st.none() | wholes,
    real=st.none() | reals,
    maybe=st.none() | st.booleans(),
    pairs=st.lists(st.tuples(words, wholes), max_size=3).map(tuple),
    by_number=st.dictionaries(wholes, st.lists(reals, max_size=2).map(tuple), max_size=3),
    items=st.none() | st.lists(json, max_size=3),
    fixed=st.tuples(words, reals),
    anything=json,
)


@pytest.fixture
def home(database):
    with database.begin() as connection:
        make_tables(connection, HOME, 1)
        point_views(connection, HOME, 1)
    return database


def batch(connection):
    return BatchRows(connection.connection.driver_connection, HOME, 1)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(everything, min_size=1, max_size=4, unique_by=lambda row: (row.name, row.number)))
def test_every_kind_of_value_comes_back_exactly(home, rows):
    keys = [Key(Everything, (row.name, row.number)) for row in rows]
    with home.begin() as connection:
        written = batch(connection)
        written.load(keys)
        for row in rows:
            written.put(row)
        written.keep()
        written.write()
        read = batch(connection)
        read.load(keys)
        back = [read.get(Everything, *key.values) for key in keys]
        connection.execute(text("DELETE FROM projections.rows_everything_v1_g1"))
    assert list(map(repr, back)) == list(map(repr, rows))  # repr: 1 is not 1.0, and 0.0 is not -0.0


def test_rows_are_replaced_and_removed_and_those_left_alone_stay(home):
    keys = [Key(KeyOnly, (name,)) for name in "abc"]
    with home.begin() as connection:
        rows = batch(connection)
        rows.load(keys)
        for name in "abc":
            rows.put(KeyOnly(name))
        assert rows.write() == 3
        rows = batch(connection)
        rows.load(keys[:2])
        rows.delete(KeyOnly, "a")
        rows.put(KeyOnly("b"))
        assert rows.write() == 2
        found = connection.execute(select(stored_table(HOME, KeyOnly, 1).c.name)).scalars().all()
    assert sorted(found) == ["b", "c"]


def test_only_rows_that_were_named_are_read(home):
    with home.begin() as connection:
        rows = batch(connection)
        with pytest.raises(KeyError):
            rows.get(KeyOnly, "a")
        with pytest.raises(KeyError):
            rows.put(KeyOnly("a"))


def test_what_a_failed_fold_did_is_taken_back(home):
    with home.begin() as connection:
        rows = batch(connection)
        rows.load([Key(KeyOnly, ("a",)), Key(KeyOnly, ("b",))])
        rows.put(KeyOnly("a"))
        rows.keep()
        rows.put(KeyOnly("b"))
        rows.delete(KeyOnly, "a")
        rows.forget()
        assert rows.get(KeyOnly, "a") == KeyOnly("a")
        assert rows.get(KeyOnly, "b") is None
        rows.write()
        assert connection.execute(text("SELECT name FROM projections.rows_key_only")).scalars().all() == ["a"]


def test_readers_see_json_as_jsonb(home):
    row = Everything("a", 1, True, None, None, None, None, (("x", 1),), {3: (0.5,)}, None, ("s", 1.0), {"k": [1]})
    with home.begin() as connection:
        rows = batch(connection)
        rows.load([Key(Everything, ("a", 1))])
        rows.put(row)
        rows.write()
        table = reading_table(HOME, Everything, MetaData())
        assert connection.execute(select(table.c.pairs).where(table.c.anything.contains({"k": [1]}))).scalar() == [
            ["x", 1]
        ]
