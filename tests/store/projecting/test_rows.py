"""Rows in tables: what is written comes back exactly, of the same type."""

from typing import Any, ClassVar

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, select, text

from projections.folds.fold import Key, Projection, Row
from services.store.projecting.rows import BatchRows, empty_tables
from services.store.projecting.shapes import make_tables, point_views, reading_table, stored_table, table_name
from tests.store.projecting.counting import COUNTING


class Everything(Row, frozen=True):
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


class KeyOnly(Row, frozen=True):
    """A row that says only that it is there."""

    name: str

    __key__: ClassVar[tuple[str, ...]] = ("name",)


class Summed(Row, frozen=True):
    """An accumulator."""

    name: str
    value: int
    terms: int

    __key__: ClassVar[tuple[str, ...]] = ("name",)
    __sums__: ClassVar[tuple[str, ...]] = ("value", "terms")


HOME = Projection("rows", 1, (Everything, KeyOnly, Summed), frozenset(), COUNTING.keys, COUNTING.fold)
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


def raw(connection):
    return connection.connection.driver_connection


def batch(connection):
    return BatchRows(raw(connection), HOME, 1, lambda refs: {})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(everything, min_size=1, max_size=4, unique_by=lambda row: (row.name, row.number)))
def test_every_kind_of_value_comes_back_exactly(home, rows):
    keys = [Key(Everything, (row.name, row.number)) for row in rows]
    with home.begin() as connection:
        written = batch(connection)
        written.load(keys)
        for row in rows:
            written.put(row)
        written.write(raw(connection))
        read = batch(connection)
        read.load(keys)
        back = [read.get(Everything, *key.values) for key in keys]
        connection.execute(text("DELETE FROM projections.rows_everything_v1_g1"))
    assert list(map(repr, back)) == list(map(repr, rows))  # repr: 1 is not 1.0, and 0.0 is not -0.0


def names(connection):
    return sorted(connection.execute(select(stored_table(HOME, KeyOnly, 1).c.name)).scalars())


@pytest.mark.parametrize("many", [0, 40], ids=["few", "many"])
def test_rows_are_added_replaced_and_removed_and_those_left_alone_stay(home, many):
    others = [f"n{number}" for number in range(many)]
    with home.begin() as connection:
        rows = batch(connection)
        rows.load([Key(KeyOnly, (name,)) for name in ["a", *others]])
        for name in ["a", "b", *others]:
            rows.put(KeyOnly(name))
        rows.insert(KeyOnly("c"))
        rows.write(raw(connection))
        rows = batch(connection)
        rows.load([Key(KeyOnly, ("b",))])
        rows.delete(KeyOnly, "a")
        rows.put(KeyOnly("b"))
        rows.write(raw(connection))
        assert names(connection) == sorted(["b", "c", *others])


def test_only_rows_that_were_loaded_are_read(home):
    with home.begin() as connection:
        rows = batch(connection)
        with pytest.raises(KeyError):
            rows.get(KeyOnly, "a")
        rows.put(KeyOnly("a"))
        assert rows.get(KeyOnly, "a") == KeyOnly("a")


def test_a_row_that_is_there_is_not_stored_as_a_new_one(home):
    with home.begin() as connection:
        for _ in range(2):
            rows = batch(connection)
            for number in range(20):
                rows.insert(KeyOnly(str(number)))
            if _ == 0:
                rows.write(raw(connection))
        with pytest.raises(psycopg.errors.UniqueViolation):
            rows.write(raw(connection))


@pytest.mark.parametrize("many", [1, 30])
def test_sums_are_added_to_what_lies_there_and_a_row_of_zeros_goes(home, many):
    def add(connection, *changes):
        rows = batch(connection)
        for change in changes:
            rows.add(change)
        rows.write(raw(connection))
        found = connection.execute(select(stored_table(HOME, Summed, 1)).order_by(text("name"))).all()
        return {row.name: (row.value, row.terms) for row in found}

    with home.begin() as connection:
        others = [Summed(f"n{number}", 1, 1) for number in range(many)]
        add(connection, Summed("a", 2**40, 1), Summed("b", 5, 1), *others)
        found = add(connection, Summed("a", -(2**40), -1), Summed("b", 2, 1), Summed("b", -4, 1), Summed("z", 0, 0))
        assert "a" not in found and "z" not in found
        assert (found["b"], len(found)) == ((3, 3), many + 1)


def test_readers_see_json_as_jsonb(home):
    row = Everything("a", 1, True, None, None, None, None, (("x", 1),), {3: (0.5,)}, None, ("s", 1.0), {"k": [1]})
    with home.begin() as connection:
        rows = batch(connection)
        rows.load([Key(Everything, ("a", 1))])
        rows.put(row)
        rows.write(raw(connection))
        table = reading_table(HOME, Everything, MetaData())
        assert connection.execute(select(table.c.pairs).where(table.c.anything.contains({"k": [1]}))).scalar() == [
            ["x", 1]
        ]


@pytest.mark.parametrize("many", [3, 300])
def test_rows_appended_as_values_are_there_with_those_that_were_put(home, many):
    with home.begin() as connection:
        written = batch(connection)
        written.put(Summed("put", 1, 2))
        written.append(Summed, [(f"a{n}", n, 1) for n in range(many)])
        written.write(raw(connection))
        picked = batch(connection).pick(Summed, [("a1",), ("put",), ("none",)])
    assert {row.name: row for row in picked} == {"a1": Summed("a1", 1, 1), "put": Summed("put", 1, 2)}


def test_a_table_without_rows_is_not_asked_but_the_batch_that_is_being_written_is(home):
    with home.begin() as connection:
        tables = [table_name(HOME, kind, 1) for kind in (Summed, KeyOnly)]
        assert empty_tables(raw(connection), tables) == set(tables)
        first = batch(connection)
        first.put(Summed("a", 1, 1))
        first.write(raw(connection))
        assert empty_tables(raw(connection), tables) == {tables[1]}
        before = batch(connection)
        before.put(KeyOnly("b"))
        rows = BatchRows(raw(connection), HOME, 1, lambda refs: {}, before, {KeyOnly})
        assert list(rows.those(Summed, [("a",), ("z",)])) == [Summed("a", 1, 1), None]
        assert list(rows.those(KeyOnly, [("z",), ("b",)])) == [None, KeyOnly("b")]
        assert (rows.may_hold(Summed), rows.may_hold(KeyOnly)) == (True, True)
        rows.settled()
        assert (rows.may_hold(Summed), rows.may_hold(KeyOnly)) == (True, False)
        assert list(rows.pick(KeyOnly, [("b",)])) == []


def test_rows_that_are_stored_together_are_there_for_who_asks_next(home):
    with home.begin() as connection:
        rows = batch(connection)
        rows.those(KeyOnly, [("a",)])
        rows.put_all(KeyOnly, {("a",): KeyOnly("a"), ("b",): KeyOnly("b")})
        assert list(rows.those(KeyOnly, [("b",), ("a",), ("c",)])) == [KeyOnly("b"), KeyOnly("a"), None]
        rows.write(raw(connection))
        assert names(connection) == ["a", "b"]


def test_rows_are_picked_from_the_batch_that_is_being_written_first(home):
    with home.begin() as connection:
        first = batch(connection)
        for name in ("a", "b", "c"):
            first.put(Summed(name, 1, 1))
        first.write(raw(connection))
        second = batch(connection)
        second.put(Summed("a", 2, 2))
        second.delete(Summed, "b")
        keys = [(f"{n}",) for n in range(100)] + [("a",), ("b",), ("c",)]
        for asked in (keys, keys[-3:]):
            third = BatchRows(raw(connection), HOME, 1, lambda refs: {}, second)
            assert {row.name: row.value for row in third.pick(Summed, asked)} == {"a": 2, "c": 1}
            third.load([Key(Summed, key) for key in keys])
            assert [third.get(Summed, name) for name in "abc"] == [Summed("a", 2, 2), None, Summed("c", 1, 1)]
