"""Claims on an identity: what facts say of one thing, which of them count, and the rows that follow from those."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from events.catalogue import CATALOGUE, DOMAIN, type_of
from events.envelope import Recorded
from events.facts.tests import TestVoided
from projections.folds.fates import Fate, Fates
from projections.folds.fold import Key, Projection, Ref, Rows
from projections.folds.memory import key_of

Claim = Mapping[str, Any]
"""What one fact says: {source, id, time, position, type, says: {…}}, and `fate` ("replaced", "voided") once dead."""

FACTS = frozenset(name for name in DOMAIN if not CATALOGUE[name].versioned)
"""Every fact may carry `replaces`, so every fold of facts reads them all."""
VOIDED = type_of(TestVoided)
SHORT = {name: name.split(".")[2] for name in FACTS}
"""A fact's type as claims have it: `motor_built` of `lodestone.motors.motor_built.v1`."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Every claim on one thing (`home`, e.g. `lots/a:1`), ordered by (time, source, id), dead ones included."""

    home: str
    claims: Any

    __key__: ClassVar[tuple[str, ...]] = ("home",)
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __hidden__: ClassVar[bool] = True
    __finite__: ClassVar[bool] = True

    @classmethod
    def keep(cls, home: str, claims: Sequence[Any], known: Any) -> "Claims":
        """The row of a home."""
        return cls(home, claims)


Reader = Callable[[Recorded], tuple[str, dict[str, Any]]]
"""From an event the home of its claim, and what it says (JSON)."""
Know = Callable[[str, Sequence[Claim]], Any]
"""What is known from all claims of one home: a pure function of the set of claims, so order never counts."""
Change = tuple[str, Any, Any]
"""A home, what was known of it before (None: nothing), and what is known now."""
Add = Callable[[Sequence[Change], Rows], None]
"""Adds to the sums what is known now of these homes, and takes away what was known before."""


def nothing(known: Any) -> Iterable[Any]:
    """For schemes whose row of claims is all that follows."""
    return ()


@dataclass(frozen=True)
class Scheme:
    """How one projection keeps claims: which facts it reads, and what follows.

    `fate` and `home` are row types of this projection's own; `keep` makes the row of a home, keyed by it, from its
    claims and what is known by them (`know`). `follow` names further rows that one home owns, `add` its contributions
    to accumulators.
    """

    fate: type[Fate]
    home: type[Any]
    read: Mapping[str, Reader]
    know: Know
    keep: Callable[[str, Sequence[Claim], Any], Any]
    follow: Callable[[Any], Iterable[Any]] = nothing
    add: Add | None = None
    voidable: frozenset[str] = frozenset()


def living(claims: Iterable[Claim]) -> list[Claim]:
    """The claims that count."""
    return [claim for claim in claims if "fate" not in claim]


def holding(claims: Iterable[Claim]) -> tuple[Claim | None, bool]:
    """The claim that holds, the lowest (time, source, id) alive, and whether it is in conflict with others."""
    alive = living(claims)
    return (min(alive, key=order), len(alive) > 1) if alive else (None, False)


def order(claim: Claim) -> tuple[str, str, str]:
    return claim["time"], claim["source"], claim["id"]


def named(event: Recorded) -> list[Ref]:
    """The facts that this one may change: what it replaces, and the test it voids."""
    refs = [ref] if (ref := _replaced(event)) is not None else []
    if event.type == VOIDED:
        refs.append((event.data["test"]["source"], event.data["test"]["id"]))
    return refs


def projection(
    name: str, version: int, scheme: Scheme, row_types: tuple[type[Any], ...], *, divisible: bool = False
) -> Projection:
    """The order-free projection of a scheme; divisible when the home of every fact is its partition key."""
    return Projection(
        name=name,
        version=version,
        row_types=tuple(dict.fromkeys((*row_types, scheme.home, scheme.fate))),
        types=FACTS,
        together=lambda events, rows: _Batch(scheme, rows).fold(events),
        named=named if divisible else None,
    )


class _Said(NamedTuple):
    """An event as a scheme reads it: its claim's home and what it says, and the facts it replaces or voids."""

    event: Recorded
    home: str | None
    says: Mapping[str, Any] | None
    replaced: Ref | None
    target: Ref | None


def _said(scheme: Scheme, event: Recorded) -> _Said | None:
    """None for an event that is nothing to this scheme."""
    reader, replaced, target = scheme.read.get(event.type), _replaced(event), _target(scheme, event)
    if reader is None:
        return None if replaced is None and target is None else _Said(event, None, None, replaced, target)
    return _Said(event, *reader(event), replaced, target)


def _replaced(event: Recorded) -> Ref | None:
    """The fact that this one replaces: of the same source, and not itself."""
    named = event.data.get("replaces")
    if not named or named["source"] != event.source or named["id"] == event.id:
        return None
    return named["source"], named["id"]


def _target(scheme: Scheme, event: Recorded) -> Ref | None:
    """The test that this fact voids."""
    if event.type != VOIDED or not scheme.voidable:
        return None
    return event.data["test"]["source"], event.data["test"]["id"]


class _Batch:
    """The claims of the homes that a batch touches, as they were and as they are now.

    Every home is followed once, however many of its facts are in the batch.
    """

    def __init__(self, scheme: Scheme, rows: Rows) -> None:
        self.scheme = scheme
        self.rows = rows
        self.fates = Fates(scheme.fate, rows)
        self.told: dict[Ref, Recorded] = {}
        self.old: dict[str, Sequence[Claim]] = {}
        self.new: dict[str, dict[Ref, Claim]] = {}

    def fold(self, events: Sequence[Recorded]) -> None:
        """Take the events in their order, and write what follows."""
        mine = self.scheme.read.keys() | {VOIDED}
        named = [event for event in events if event.type in mine or event.data.get("replaces")]
        said = [one for event in named if (one := _said(self.scheme, event)) is not None]
        self._load(said)
        for one in said:
            if one.replaced is not None or one.target is not None:
                for ref in self.fates.take((one.event.source, one.event.id), one.replaced, one.target):
                    self._mark(ref)
            if one.home is not None:
                self._claim(one, one.home)
            self.told[one.event.source, one.event.id] = one.event
        self.fates.write()
        self._write()

    def _load(self, said: Sequence[_Said]) -> None:
        """Fates of the batch's facts and of those they name; then homes, those of the named ones too."""
        fate, home = self.scheme.fate, self.scheme.home
        named = [ref for one in said for ref in (one.replaced, one.target) if ref is not None]
        keys = [Key(fate, (one.event.source, one.event.id)) for one in said]
        self.rows.load([*keys, *(Key(fate, ref) for ref in named)])
        lifted = [row.target for ref in named if (row := self.rows.get(fate, *ref)) is not None and row.target]
        refs = [*named, *((target[0], target[1]) for target in lifted)]
        if refs:
            self.rows.load([Key(fate, ref) for ref in refs])
            self.told.update(self.rows.find(refs))
        homes = [one.home for one in said if one.home is not None]
        homes += [home_of for event in self.told.values() if (home_of := self._home(event)) is not None]
        self.rows.load([Key(home, (name,)) for name in homes])

    def _home(self, event: Recorded) -> str | None:
        reader = self.scheme.read.get(event.type)
        return None if reader is None else reader(event)[0]

    def _claims(self, home: str) -> dict[Ref, Claim]:
        """The claims of a home by identity, as they are now."""
        found = self.new.get(home)
        if found is None:
            row = self.rows.get(self.scheme.home, home)
            self.old[home] = row.claims if row else ()
            found = self.new[home] = {(claim["source"], claim["id"]): claim for claim in self.old[home]}
        return found

    def _claim(self, one: _Said, home: str) -> None:
        event, kind = one.event, SHORT[one.event.type]
        me = (event.source, event.id)
        claim: dict[str, Any] = {
            "source": event.source,
            "id": event.id,
            "time": event.time,
            "position": event.position,
            "type": kind,
            "says": one.says,
        }
        fate = self.fates.standing(me, kind in self.scheme.voidable)
        self._claims(home)[me] = claim if fate is None else {**claim, "fate": fate}

    def _mark(self, ref: Ref) -> None:
        """Let the claim of an earlier fact say what became of it."""
        fact = self.told.get(ref)
        home = None if fact is None else self._home(fact)
        if fact is None or home is None or ref not in (claims := self._claims(home)):
            return
        claim = {name: value for name, value in claims[ref].items() if name != "fate"}
        fate = self.fates.standing(ref, SHORT[fact.type] in self.scheme.voidable)
        claims[ref] = claim if fate is None else {**claim, "fate": fate}

    def _write(self) -> None:
        scheme, rows = self.scheme, self.rows
        changes: list[Change] = []
        for home, claims in self.new.items():
            now = sorted(claims.values(), key=order)
            known = scheme.know(home, now)
            before = self.old[home]
            changes.append((home, scheme.know(home, before) if before else None, known))
            rows.put(scheme.keep(home, now, known))
        if scheme.follow is not nothing:
            for _, old, new in changes:
                _put_rows(() if old is None else scheme.follow(old), scheme.follow(new), rows)
        if scheme.add is not None:
            scheme.add(changes, rows)


def _put_rows(old: Iterable[Any], new: Iterable[Any], rows: Rows) -> None:
    before = {_key(row): row for row in old}
    after = {_key(row): row for row in new}
    for key in before.keys() - after.keys():
        rows.delete(key.row_type, *key.values)
    for key, row in after.items():
        if key not in before:
            rows.insert(row)
        elif before[key] != row:
            rows.put(row)


def _key(row: Any) -> Key:
    return Key(type(row), key_of(row))
