"""Claims on an identity: what facts say of one thing, which of them count, and the rows that follow from those."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

from msgspec import Raw, Struct
from msgspec.structs import replace
from orjson import Fragment

from events.catalogue import CATALOGUE, DOMAIN, type_of
from events.envelope import Recorded
from events.facts.tests import TestVoided
from projections.folds.fates import Fate, Fates
from projections.folds.fold import Projection, Ref, Row, Rows
from projections.folds.memory import key_of
from projections.folds.written import read, written


class Claim(Struct, frozen=True, gc=False):
    """What one fact says, which `type` of fact it is, and its `fate` ("replaced", "voided") once it counts nowhere.

    `text` is the JSON of what it says, where that is the event's own.
    """

    time: str
    source: str
    id: str
    position: int
    type: str
    says: Any
    fate: str | None = None
    text: Raw = Raw()

    def stored(self) -> list[Any]:
        """As rows hold it, to be written: the values, without a fate that is none."""
        says = Fragment(bytes(self.text)) if self.text else self.says
        values = [self.time, self.source, self.id, self.position, self.type, says]
        return [*values, self.fate] if self.fate else values


_NO_TEXT = Raw()
FACTS = frozenset(name for name in DOMAIN if not CATALOGUE[name].versioned)
"""Every fact may carry `replaces`, so every fold of facts reads them all."""
VOIDED = type_of(TestVoided)
SHORT = {name: name.split(".")[2] for name in FACTS}
"""A fact's type as claims have it: `motor_built` of `lodestone.motors.motor_built.v1`."""


class Claims(Row, frozen=True):
    """Every claim on one thing (`home`, e.g. `lots/a:1`), ordered by (time, source, id), dead ones included."""

    home: str
    claims: Any

    __key__: ClassVar[tuple[str, ...]] = ("home",)
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __hidden__: ClassVar[bool] = True
    __finite__: ClassVar[bool] = True

    @classmethod
    def keep(cls, home: str, claims: Sequence[Claim], known: Any) -> "Claims":
        """The row of a home."""
        return cls(home, written([claim.stored() for claim in claims]))


def claims_of(stored: Iterable[Sequence[Any]]) -> list[Claim]:
    """The claims that a row holds."""
    return [Claim(*claim) for claim in read(stored)]


Reader = Callable[[Recorded], tuple[str, Any]]
"""From an event the home of its claim, and what it says."""
Know = Callable[[str, Sequence[Claim]], Any]
"""What is known from all claims of one home: a pure function of the set of claims, so order never counts."""
Change = tuple[str, Any, Any]
"""A home, what was known of it before (None: nothing), and what is known now."""
Add = Callable[[Sequence[Change], Rows], None]
"""Adds to the sums what is known now of these homes, and takes away what was known before."""


def nothing(known: Any) -> Collection[Any]:
    """For schemes whose row of claims is all that follows."""
    return ()


@dataclass(frozen=True)
class Scheme:
    """How one projection keeps claims: which facts it reads, and what follows.

    `fate` and `home` are row types of this projection's own; `keep` makes the row of a home, keyed by it, from its
    claims and what is known by them (`know`); `told` are the claims that such a row holds. `follow` names further rows
    that one home owns, `add` its contributions to accumulators.
    """

    fate: type[Fate]
    home: type[Any]
    read: Mapping[str, Reader]
    know: Know
    keep: Callable[[str, Sequence[Claim], Any], Any]
    told: Callable[[Iterable[Sequence[Any]]], list[Claim]] = claims_of
    follow: Callable[[Any], Collection[Any]] = nothing
    add: Add | None = None
    voidable: frozenset[str] = frozenset()


def living(claims: Iterable[Claim]) -> list[Claim]:
    """The claims that count."""
    return [claim for claim in claims if claim.fate is None]


def holding(claims: Iterable[Claim]) -> tuple[Claim | None, bool]:
    """The claim that holds, the lowest (time, source, id) alive, and whether it is in conflict with others."""
    alive = living(claims)
    return min(alive, key=order, default=None), len(alive) > 1


def that_holds(claims: Iterable[Claim], kind: str) -> tuple[Claim | None, bool]:
    """Of the claims of one kind the one that holds, and whether it is in conflict with others."""
    alive = [claim for claim in claims if claim.type == kind and claim.fate is None]
    if len(alive) < 2:
        return (alive[0] if alive else None), False
    return min(alive, key=order), True


order = attrgetter("time", "source", "id")
"""Of claims; of several that are alive the lowest holds."""


identity = attrgetter("source", "id")
"""Of the fact that a claim is of."""


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


def _replaced(event: Recorded) -> Ref | None:
    """The fact that this one replaces: of the same source, and not itself."""
    named = event.data.get("replaces") if event.corrects else None
    if not named or named["source"] != event.source or named["id"] == event.id:
        return None
    return named["source"], named["id"]


_Said = tuple[str, Claim]
"""The home of a fact's claim, and the claim."""


class _Correction(NamedTuple):
    """A fact, and those that it replaces or voids."""

    me: Ref
    replaced: Ref | None
    target: Ref | None


class _Batch:
    """The claims of the homes that a batch touches, as they were and as they are now.

    Every home is followed once, however many of its facts are in the batch.
    """

    def __init__(self, scheme: Scheme, rows: Rows) -> None:
        self.scheme = scheme
        self.rows = rows
        self.fates = Fates(scheme.fate, rows)
        self.old: dict[str, list[Claim] | None] = {}
        self.new: dict[str, list[Claim]] = {}

    def fold(self, events: Sequence[Recorded]) -> None:
        """Take the events, and write what follows. What becomes of facts is settled first: then order is nothing."""
        read = self.scheme.read
        said, corrections = list[_Said](), list[_Correction]()
        for event in events:
            type = event.type
            reader = read.get(type)
            if reader is not None:
                home, says = reader(event)
                text = event.text if says is event.parsed else _NO_TEXT
                claim = Claim(event.time, event.source, event.id, event.position, SHORT[type], says, None, text)
                said.append((home, claim))
            if (event.corrects or type == VOIDED) and (found := self._correction(event)) is not None:
                corrections.append(found)
        self._load_fates(said, corrections)
        touched = [ref for one in corrections for ref in self.fates.take(*one)]
        earlier = self._load_homes(said, touched)
        new = self.new
        for home, claim in said if not self.fates.here else self._fated(said):
            new[home].append(claim)
        for ref, fact in earlier.items():
            self._mark(ref, fact)
        self.fates.write()
        self._write()

    def _fated(self, said: Iterable[_Said]) -> Iterable[_Said]:
        """The claims with what has become of them."""
        for home, claim in said:
            fate = self.fates.standing(identity(claim), claim.type in self.scheme.voidable)
            yield home, claim if fate is None else replace(claim, fate=fate)

    def _correction(self, event: Recorded) -> _Correction | None:
        """What this fact does to others; None where it is nothing to this scheme."""
        replaced, target = _replaced(event), None
        if event.type == VOIDED and self.scheme.voidable:
            target = event.data["test"]["source"], event.data["test"]["id"]
        return None if replaced is None and target is None else _Correction((event.source, event.id), replaced, target)

    def _load_fates(self, said: Sequence[_Said], corrections: Sequence[_Correction]) -> None:
        """Fates of the batch's facts, of those they name, and of the tests that voids named so had voided."""
        if not corrections and not self.rows.may_hold(self.scheme.fate):
            return
        named = [ref for one in corrections for ref in (one.me, one.replaced, one.target) if ref is not None]
        self.fates.load([*(identity(claim) for _, claim in said), *named])
        self.fates.load([ref for one in named if (ref := self.fates.of(one).voided) is not None])

    def _load_homes(self, said: Sequence[_Said], touched: Sequence[Ref]) -> dict[Ref, tuple[Recorded, str]]:
        """Have at hand the claims of all homes; the facts told earlier whose standing changes, with their homes."""
        read, earlier = self.scheme.read, dict[Ref, tuple[Recorded, str]]()
        for ref, event in (self.rows.find(dict.fromkeys(touched)) if touched else {}).items():
            if (reader := read.get(event.type)) is not None:
                earlier[ref] = event, reader(event)[0]
        homes = dict.fromkeys([*(home for home, _ in said), *(home for _, home in earlier.values())])
        stored = self.rows.those(self.scheme.home, [(home,) for home in homes])
        for home, row in zip(homes, stored, strict=True):
            old = self.old[home] = None if row is None else self.scheme.told(row.claims)
            self.new[home] = [] if old is None else list(old)
        return earlier

    def _mark(self, ref: Ref, fact: tuple[Recorded, str]) -> None:
        """Let the claim of an earlier fact say what became of it; one that was set aside has none."""
        event, home = fact
        claims = self.new[home]
        for at, claim in enumerate(claims):
            if identity(claim) == ref:
                fate = self.fates.standing(ref, SHORT[event.type] in self.scheme.voidable)
                claims[at] = replace(claim, fate=fate)

    def _write(self) -> None:
        scheme, rows = self.scheme, self.rows
        changes, kept = list[Change](), dict[tuple[str], Any]()
        for home, claims in self.new.items():
            claims.sort(key=order)
            known, before = scheme.know(home, claims), self.old[home]
            changes.append((home, None if before is None else scheme.know(home, before), known))
            kept[home,] = scheme.keep(home, claims, known)
        rows.put_all(scheme.home, kept)
        if scheme.follow is not nothing:
            for _, old, new in changes:
                _put_rows(() if old is None else scheme.follow(old), scheme.follow(new), rows)
        if scheme.add is not None:
            scheme.add(changes, rows)


def _put_rows(old: Collection[Any], new: Collection[Any], rows: Rows) -> None:
    if not old and not new:
        return
    before = {(row.__class__, key_of(row)): row for row in old}
    after = {(row.__class__, key_of(row)): row for row in new}
    for row_type, key in before.keys() - after.keys():
        rows.delete(row_type, *key)
    for name, row in after.items():
        if name not in before:
            rows.insert(row)
        elif before[name] != row:
            rows.put(row)
