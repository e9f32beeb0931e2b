"""The dictionary home of rows, which tables must equal; and folding into it, event after event or many together."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from msgspec.structs import asdict

from events.envelope import Recorded
from projections.folds.accumulators import is_zero, summed
from projections.folds.fold import Key, Projection, Ref
from projections.folds.memory import Find, digest_rows, key_of

R = TypeVar("R")


class Undeclared(KeyError):
    """A fold read a key that it had not loaded."""


class DictRows:
    """Rows in dictionaries, one for each row type; with `declared`, only what was loaded may be read.

    `looked_up` finds events that came before; without it those that were folded are kept.
    """

    def __init__(self, row_types: Iterable[type[Any]], looked_up: Find | None = None) -> None:
        self.tables: dict[type[Any], dict[tuple[Any, ...], Any]] = {row_type: {} for row_type in row_types}
        self.declared: set[Key] | None = None
        self.told: dict[Ref, Recorded] = {}
        self.looked_up = looked_up

    def tell(self, events: Iterable[Recorded]) -> None:
        """These events were folded: later ones may refer to them."""
        if self.looked_up is None:
            self.told.update({(event.source, event.id): event for event in events})

    def load(self, keys: Iterable[Key]) -> None:
        """All rows are at hand here; what was loaded is noted where it is checked."""
        if self.declared is not None:
            self.declared.update(keys)

    def find(self, refs: Iterable[Ref]) -> Mapping[Ref, Recorded]:
        """Those of these events that were folded before."""
        if self.looked_up is not None:
            return self.looked_up(refs)
        return {ref: self.told[ref] for ref in refs if ref in self.told}

    def get(self, row_type: type[R], *key: Any) -> R | None:
        """The row with this key, or None. Raises Undeclared for a key that was not named."""
        self._check(row_type, key)
        return self.tables[row_type].get(key)

    def those(self, row_type: type[R], keys: Iterable[tuple[Any, ...]]) -> Iterable[R | None]:
        """The rows with these keys, which may be read from now on."""
        keys = list(keys)
        self.load(Key(row_type, key) for key in keys)
        return [self.tables[row_type].get(key) for key in keys]

    def may_hold(self, row_type: type[Any]) -> bool:
        """Whether there is any such row."""
        return bool(self.tables[row_type])

    def pick(self, row_type: type[R], keys: Iterable[tuple[Any, ...]]) -> Iterable[R]:
        """The rows with these keys."""
        table = self.tables[row_type]
        return [table[key] for key in keys if key in table]

    def put(self, row: Any) -> None:
        """Store the row under its own key."""
        self.tables[type(row)][key_of(row)] = row

    def put_all(self, row_type: type[Any], rows: Mapping[tuple[Any, ...], Any]) -> None:
        """Store rows under their own keys."""
        assert all(key_of(row) == key and row.__class__ is row_type for key, row in rows.items())
        self.tables[row_type].update(rows)

    def insert(self, row: Any) -> None:
        """Store a row whose key is not there."""
        assert key_of(row) not in self.tables[type(row)], f"{row} is there already"
        self.put(row)

    def append(self, row_type: type[Any], values: Iterable[tuple[Any, ...]]) -> None:
        """Store rows, as the values of their fields, whose keys are not there."""
        for one in values:
            self.insert(row_type(*one))

    def delete(self, row_type: type[Any], *key: Any) -> None:
        """Remove the row with this key, if there is one."""
        self.tables[row_type].pop(key, None)

    def add(self, row: Any) -> None:
        """Add the row's sums to those of its key; a row whose sums are all zero is no row."""
        table, key = self.tables[type(row)], key_of(row)
        total = summed(table.get(key), row)
        if is_zero(total):
            table.pop(key, None)
        else:
            table[key] = total

    def add_all(self, row_type: type[Any], rows: Iterable[Any]) -> None:
        """Add rows of one type."""
        for row in rows:
            assert row.__class__ is row_type
            self.add(row)

    def _check(self, row_type: type[Any], key: tuple[Any, ...]) -> None:
        if self.declared is not None and Key(row_type, key) not in self.declared:
            raise Undeclared(f"{row_type.__name__}{key} was not named by keys or more_keys")


def state_digest(rows: DictRows) -> str:
    """The digest of rows in the dictionary home."""
    return digest_rows(
        {
            row_type: [] if getattr(row_type, "__hidden__", False) else [asdict(row) for row in table.values()]
            for row_type, table in rows.tables.items()
        }
    )


def fold_one(projection: Projection, event: Recorded, rows: DictRows) -> None:
    """Fold one event, checking that only loaded keys are read."""
    if event.type not in projection.types:
        return
    rows.declared = set()
    projection.fold_events((event,), rows)
    rows.declared = None
    rows.tell((event,))


def fold_together(projection: Projection, events: Iterable[Recorded], rows: DictRows | None = None) -> DictRows:
    """The rows after folding these events as one batch, from nothing or after `rows`."""
    rows = rows or DictRows(projection.row_types)
    mine = [event for event in events if event.type in projection.types]
    projection.fold_events(mine, rows)
    rows.tell(mine)
    return rows


def fold_all(projection: Projection, events: Iterable[Recorded], rows: DictRows | None = None) -> DictRows:
    """The rows after folding these events, from nothing or from `rows`."""
    rows = rows or DictRows(projection.row_types)
    for event in events:
        fold_one(projection, event, rows)
    return rows
