"""What a projection is: row types with keys, the keys an event touches, and the fold of one event into rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

from events.envelope import Recorded


class Row(Protocol):
    """A frozen dataclass of plain values (str, int, float, bool, None, or JSON as tuples/dicts).

    `__key__` names the fields that make its primary key; `__undigested__` the fields that digests leave out
    (event ids, positions, record times).
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]
    __key__: ClassVar[tuple[str, ...]]
    __undigested__: ClassVar[tuple[str, ...]]


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Key:
    """The primary key of one row of one type."""

    row_type: type[Any]
    values: tuple[Any, ...]


class Rows(Protocol):
    """Keyed rows, wherever they live. Only keys that were named by `keys` or `more_keys` may be read."""

    def get(self, row_type: type[R], *key: Any) -> R | None:
        """The row with this key, or None."""

    def put(self, row: Row) -> None:
        """Store the row under its own key, in place of what was there."""

    def delete(self, row_type: type[Any], *key: Any) -> None:
        """Remove the row with this key, if there is one."""


class Fold(Protocol):
    def __call__(self, event: Recorded, rows: Rows) -> None: ...


class Keys(Protocol):
    def __call__(self, event: Recorded) -> Iterable[Key]: ...


class MoreKeys(Protocol):
    def __call__(self, event: Recorded, rows: Rows) -> Iterable[Key]: ...


def no_more_keys(event: Recorded, rows: Rows) -> Iterable[Key]:
    """For folds whose keys are all named by the event itself."""
    return ()


@dataclass(frozen=True)
class Projection:
    """One fold with its rows. `version` is part of the table names: raise it when rows or meaning change.

    `types` are the full event types (`lodestone.….vN`, newest versions; older ones are upcast before the fold)
    that it reads; others move the checkpoint only.
    """

    name: str
    version: int
    row_types: tuple[type[Any], ...]
    types: frozenset[str]
    keys: Keys
    fold: Fold
    more_keys: MoreKeys = field(default=no_more_keys)
    order_free: bool = True
