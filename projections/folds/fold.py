"""What a projection is: row types with keys, the keys an event touches, and the fold of one event into rows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, TypeVar

from msgspec import Struct

from events.envelope import Recorded


class Row(Struct, frozen=True, gc=False):
    """A row of plain values (str, int, float, bool, None, or JSON as tuples/dicts), which are never changed.

    `__key__` names the fields that make its primary key; `__undigested__` the fields that digests leave out
    (event ids, positions, record times). `__hidden__` rows are in no digest at all. `__state__`, where there is one,
    makes what the digest covers from the row's fields. The JSON of `__finite__` rows holds no NaN nor infinity, which
    the fold has seen to.
    """

    __key__: ClassVar[tuple[str, ...]]
    __undigested__: ClassVar[tuple[str, ...]]


R = TypeVar("R", bound=Row)
Ref = tuple[str, str]
"""(source, id) of an event."""


class Key(NamedTuple):
    """The primary key of one row of one type."""

    row_type: type[Any]
    values: tuple[Any, ...]


class Rows(Protocol):
    """Keyed rows, wherever they live. Only what was loaded may be read; what is only written need not be."""

    def load(self, keys: Iterable[Key]) -> None:
        """Have the rows with these keys at hand."""

    def find(self, refs: Iterable[Ref]) -> Mapping[Ref, Recorded]:
        """Those of the events with these identities that were folded, or set aside, before."""

    def get(self, row_type: type[R], *key: Any) -> R | None:
        """The row with this key, or None."""

    def those(self, row_type: type[R], keys: Sequence[tuple[Any, ...]]) -> Iterable[R | None]:
        """The rows with these keys, in their order, which are at hand from then on; None for a key that has no row."""

    def may_hold(self, row_type: type[R]) -> bool:
        """False only where no row of this type is stored: then none need be looked for."""

    def pick(self, row_type: type[R], keys: Sequence[tuple[Any, ...]]) -> Iterable[R]:
        """The stored rows with these keys, perhaps others too, without loading them: most keys have none."""

    def put(self, row: Row) -> None:
        """Store the row under its own key, in place of what was there."""

    def put_all(self, row_type: type[R], rows: Mapping[tuple[Any, ...], R]) -> None:
        """Store many rows, by their keys."""

    def insert(self, row: Row) -> None:
        """Store a row whose key is not there."""

    def append(self, row_type: type[Any], values: Iterable[tuple[Any, ...]]) -> None:
        """Store many rows, as the values of their fields, whose keys are not there, and which no fold reads."""

    def delete(self, row_type: type[Any], *key: Any) -> None:
        """Remove the row with this key, if there is one."""

    def add(self, row: Row) -> None:
        """Add this row's integer sums (`__sums__`) to those of its key; a row whose sums are all zero is no row.

        The row of an accumulator is never read in a fold, nor put.
        """

    def add_all(self, row_type: type[R], rows: Iterable[R]) -> None:
        """Add many rows of one type."""


class Fold(Protocol):
    def __call__(self, event: Recorded, rows: Rows) -> None: ...


class FoldTogether(Protocol):
    def __call__(self, events: Sequence[Recorded], rows: Rows) -> None: ...


class Keys(Protocol):
    def __call__(self, event: Recorded) -> Iterable[Key]: ...


class Named(Protocol):
    def __call__(self, event: Recorded) -> Iterable[Ref]: ...


class MoreKeys(Protocol):
    def __call__(self, event: Recorded, rows: Rows) -> Iterable[Key]: ...


def no_more_keys(event: Recorded, rows: Rows) -> Iterable[Key]:
    """For folds whose keys are all named by the event itself."""
    return ()


def no_keys(event: Recorded) -> Iterable[Key]:
    """For folds that load by themselves, or only write."""
    return ()


@dataclass(frozen=True)
class Projection:
    """One fold with its rows. `version` is part of the table names: raise it when rows or meaning change.

    `types` are the full event types (`lodestone.….vN`, newest versions; older ones are upcast before the fold)
    that it reads; others move the checkpoint only.

    `together` folds many events at once, loading by itself what it reads, with the same result as `fold` on one after
    the other and at a fraction of the cost; a projection has the one or the other.

    `named`, where there is one, says that the rows of every fact follow from facts of its own partition key alone, but
    for those facts that an event names; so shares by that key can be folded apart, into the same tables.

    `readable_since` is the first version whose rows this release can read while its own are folded beside them: raised
    with `version` where what is in a column of the same name and type changed.
    """

    name: str
    version: int
    row_types: tuple[type[Any], ...]
    types: frozenset[str]
    keys: Keys = no_keys
    fold: Fold | None = None
    more_keys: MoreKeys = field(default=no_more_keys)
    order_free: bool = True
    together: FoldTogether | None = None
    named: Named | None = None
    readable_since: int = 1

    @property
    def divisible(self) -> bool:
        """Whether it can be folded in shares by partition key."""
        return self.named is not None

    def fold_events(self, events: Sequence[Recorded], rows: Rows) -> None:
        """Fold these events, all of its types, in their order."""
        if self.together is not None:
            self.together(events, rows)
            return
        assert self.fold is not None, "a projection folds"
        rows.load([key for event in events for key in self.keys(event)])
        if self.more_keys is not no_more_keys:
            rows.load([key for event in events for key in _named_now(self.more_keys, event, rows)])
        for event in events:
            known: set[Key] = set()
            while self.more_keys is not no_more_keys and (more := set(self.more_keys(event, rows))) - known:
                rows.load(more)
                known |= more
            self.fold(event, rows)


def _named_now(more_keys: MoreKeys, event: Recorded, rows: Rows) -> Sequence[Key]:
    """The keys that can be named now; those that depend on earlier events of the batch are named again later."""
    try:
        return list(more_keys(event, rows))
    except KeyError:
        return ()
