"""Claims on an identity: what facts say of one thing, which of them count, and the rows that follow from those."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from events.catalogue import CATALOGUE, DOMAIN, type_of
from events.envelope import Recorded
from events.facts.tests import TestVoided
from projections.folds.accumulators import Part, moved
from projections.folds.fold import Key, Projection, Rows

Claim = Mapping[str, Any]
"""What one fact says: {source, id, time, position, type, fate: null|"replaced"|"voided", says: {…}}."""

FACTS = frozenset(name for name in DOMAIN if not CATALOGUE[name].versioned)
"""Every fact may carry `replaces`, so every fold of facts reads them all."""
VOIDED = type_of(TestVoided)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one fact, known before or after it arrives.

    `home` is where its claim is kept (null: not arrived, or not of this projection); `voids` are the voids that
    stand, as [source, id]; `target` is the test that this fact itself voids.
    """

    source: str
    id: str
    home: str | None = None
    replaced: bool = False
    voids: Any = None
    target: Any = None
    hidden: bool = True

    __key__: ClassVar[tuple[str, ...]] = ("source", "id")
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __undigested_rows__: ClassVar[str] = "hidden"


@dataclass(frozen=True, slots=True)
class Claims:
    """Every claim on one thing (`home`, e.g. `lots/a:1`), ordered by (time, source, id), dead ones included."""

    home: str
    claims: Any
    hidden: bool = True

    __key__: ClassVar[tuple[str, ...]] = ("home",)
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __undigested_rows__: ClassVar[str] = "hidden"


Reader = Callable[[Recorded], tuple[str, dict[str, Any]]]
"""From an event the home of its claim, and what it says (JSON)."""
Follow = Callable[[str, Sequence[Claim]], Iterable[Any]]
"""The rows that follow from all claims of one home: a pure function of the set of claims, so order never counts."""
Add = Callable[[str, Sequence[Claim]], Iterable[Part]]
"""What one home adds to the sums: likewise a pure function of the set of its claims."""


@dataclass(frozen=True)
class Scheme:
    """How one projection keeps claims: which facts it reads, and what follows.

    `follow` names rows that one home owns; with `single` it is at most one row of that type, keyed by the home's name.
    `add` names contributions to accumulators. `fate` and `claims` are row types of this projection's own.
    """

    fate: type[Fate]
    claims: type[Claims]
    read: Mapping[str, Reader]
    follow: Follow
    add: Add | None = None
    single: type[Any] | None = None
    voidable: frozenset[str] = frozenset()


def living(claims: Iterable[Claim]) -> list[Claim]:
    """The claims that count."""
    return [claim for claim in claims if claim["fate"] is None]


def holding(claims: Iterable[Claim]) -> tuple[Claim | None, bool]:
    """The claim that holds, the lowest (time, source, id) alive, and whether it is in conflict with others."""
    alive = living(claims)
    return (min(alive, key=order), len(alive) > 1) if alive else (None, False)


def order(claim: Claim) -> tuple[str, str, str]:
    return claim["time"], claim["source"], claim["id"]


def projection(name: str, version: int, scheme: Scheme, row_types: tuple[type[Any], ...]) -> Projection:
    """The order-free projection of a scheme."""
    return Projection(
        name=name,
        version=version,
        row_types=(*row_types, scheme.claims, scheme.fate),
        types=FACTS,
        keys=lambda event: _keys(scheme, event),
        more_keys=lambda event, rows: _more_keys(scheme, event, rows),
        fold=lambda event, rows: _fold(scheme, event, rows),
    )


def _keys(scheme: Scheme, event: Recorded) -> Iterable[Key]:
    own, refs = scheme.read.get(event.type), [_replaced(event), _target(scheme, event)]
    if own is None and refs == [None, None]:
        return
    yield Key(scheme.fate, (event.source, event.id))
    for ref in refs:
        if ref is not None:
            yield Key(scheme.fate, ref)
    if own is not None:
        yield Key(scheme.claims, (own(event)[0],))


def _replaced(event: Recorded) -> tuple[str, str] | None:
    """The fact that this one replaces: of the same source, and not itself."""
    named = event.data.get("replaces")
    if not named or named["source"] != event.source or named["id"] == event.id:
        return None
    return named["source"], named["id"]


def _target(scheme: Scheme, event: Recorded) -> tuple[str, str] | None:
    """The test that this fact voids."""
    if event.type != VOIDED or not scheme.voidable:
        return None
    return event.data["test"]["source"], event.data["test"]["id"]


def _more_keys(scheme: Scheme, event: Recorded, rows: Rows) -> Iterable[Key]:
    if not any(True for _ in _keys(scheme, event)):
        return
    looked = _Looked(rows)
    changes = _Changes(scheme, looked)
    changes.take(event)
    if looked.missing:
        yield from looked.missing
        return
    for home, (old, new) in changes.homes().items():
        if scheme.single:
            yield Key(scheme.single, (_name(home),))
        else:
            yield from (_key(row) for claims in (old, new) for row in scheme.follow(home, claims))
        if scheme.add:
            yield from (_key(row) for row in moved(scheme.add(home, old), scheme.add(home, new)))


def _key(row: Any) -> Key:
    return Key(type(row), tuple(getattr(row, name) for name in type(row).__key__))


class _Looked:
    """Reads rows, and notes those that are not loaded yet."""

    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.missing: list[Key] = []

    def get(self, row_type: type[Any], *key: Any) -> Any:
        try:
            return self.rows.get(row_type, *key)
        except KeyError:
            self.missing.append(Key(row_type, key))
            return None


class _Changes:
    """What one event changes: fates of facts, and the claims of the homes that they touch."""

    def __init__(self, scheme: Scheme, rows: Any) -> None:
        self.scheme = scheme
        self.rows = rows
        self.fates: dict[tuple[str, str], Fate] = {}
        self._old: dict[str, list[Claim]] = {}
        self._new: dict[str, list[Claim]] = {}

    def take(self, event: Recorded) -> None:
        """The event's own claim, what it replaces, and what it voids."""
        me, target = (event.source, event.id), _target(self.scheme, event)
        if target is not None:
            self._set(me, target=list(target))
            if not self._fate(me).replaced:
                self._set(target, voids=sorted([*(self._fate(target).voids or []), list(me)]))
        gone = _replaced(event)
        if gone is not None:
            self._set(gone, replaced=True)
            lifted = self._fate(gone).target
            if lifted is not None:
                ref = (lifted[0], lifted[1])
                self._set(ref, voids=[void for void in self._fate(ref).voids or [] if void != list(gone)] or None)
        reader = self.scheme.read.get(event.type)
        if reader is not None:
            self._keep(event, *reader(event))

    def homes(self) -> dict[str, tuple[list[Claim], list[Claim]]]:
        """Claims before and after, by home."""
        return {home: (self._old[home], new) for home, new in self._new.items()}

    def _fate(self, ref: tuple[str, str]) -> Fate:
        found = self.fates.get(ref)
        if found is None:
            found = self.rows.get(self.scheme.fate, *ref) or self.scheme.fate(*ref)
        return found

    def _set(self, ref: tuple[str, str], **values: Any) -> None:
        fate = self.fates[ref] = replace(self._fate(ref), **values)
        if fate.home is None:
            return
        claims = self._claims(fate.home)
        self._new[fate.home] = [
            {**claim, "fate": self._standing(fate, claim["type"])} if (claim["source"], claim["id"]) == ref else claim
            for claim in claims
        ]

    def _keep(self, event: Recorded, home: str, says: dict[str, Any]) -> None:
        fate = self.fates[event.source, event.id] = replace(self._fate((event.source, event.id)), home=home)
        claim = {
            "source": event.source,
            "id": event.id,
            "time": event.time,
            "position": event.position,
            "type": event.type.split(".")[2],
            "fate": self._standing(fate, event.type.split(".")[2]),
            "says": says,
        }
        others = [one for one in self._claims(home) if (one["source"], one["id"]) != (event.source, event.id)]
        self._new[home] = sorted([*others, claim], key=order)

    def _claims(self, home: str) -> list[Claim]:
        if home not in self._new:
            found = self.rows.get(self.scheme.claims, home)
            self._old[home] = self._new[home] = list(found.claims) if found else []
        return self._new[home]

    def _standing(self, fate: Fate, kind: str) -> str | None:
        if fate.replaced:
            return "replaced"
        return "voided" if fate.voids and kind in self.scheme.voidable else None


def _fold(scheme: Scheme, event: Recorded, rows: Rows) -> None:
    if not any(True for _ in _keys(scheme, event)):
        return
    changes = _Changes(scheme, rows)
    changes.take(event)
    for fate in changes.fates.values():
        rows.put(fate)
    for home, (old, new) in changes.homes().items():
        rows.put(scheme.claims(home, new))
        if scheme.single:
            _put_single(scheme.single, _name(home), scheme.follow(home, new), rows)
        else:
            _put_rows(scheme.follow(home, old), scheme.follow(home, new), rows)
        if scheme.add:
            for row in moved(scheme.add(home, old), scheme.add(home, new)):
                _add(row, rows)


def _name(home: str) -> str:
    return home.partition("/")[2]


def _put_single(row_type: type[Any], name: str, new: Iterable[Any], rows: Rows) -> None:
    row = next(iter(new), None)
    if row is None:
        rows.delete(row_type, name)
    else:
        rows.put(row)


def _put_rows(old: Iterable[Any], new: Iterable[Any], rows: Rows) -> None:
    before = {_key(row): row for row in old}
    after = {_key(row): row for row in new}
    for key in before.keys() - after.keys():
        rows.delete(key.row_type, *key.values)
    for key, row in after.items():
        if before.get(key) != row:
            rows.put(row)


def _add(change: Any, rows: Rows) -> None:
    """Add a change to the accumulator's row; a row whose sums are all zero is no row."""
    key = _key(change)
    there = rows.get(key.row_type, *key.values)
    if there is not None:
        change = replace(change, **{name: getattr(there, name) + getattr(change, name) for name in change.__sums__})
    if any(getattr(change, name) for name in change.__sums__):
        rows.put(change)
    else:
        rows.delete(key.row_type, *key.values)
