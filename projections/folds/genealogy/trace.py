"""Tracing in both directions, mine to motor, with fractions; pure functions over links, wherever the links live."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from projections.folds.genealogy.cycles import on_cycles
from projections.folds.genealogy.rows import LotLink, MotorLot

Links = Callable[[Sequence[str]], Iterable[LotLink]]
"""The links of these lots: to their parents, or to their children; one question for each level of the way."""
MotorLots = Callable[[Sequence[str]], Iterable[MotorLot]]
"""The motors that hold pieces of these lots."""
CYCLE = "on a cycle"


@dataclass(frozen=True, slots=True)
class Traced:
    """A lot on the way. Upwards `fraction` is the share of the start that came from it, downwards its own share
    that came from the start; along links that count, else along all that are stated (null on a cycle).

    `why` says what keeps it from counting: the custody model of the link, or a cycle. `composition`: reached by
    links that allow at least the blend's composition to be used (domain.md F.2, segregated). `depth` in links.
    """

    lot: str
    depth: int
    fraction: float | None
    counts: bool
    composition: bool
    why: str | None


@dataclass(frozen=True, slots=True)
class MotorShare:
    """A motor that carries material of the start: `fraction` of its magnets (by pieces and mass fractions)."""

    motor: str
    lot: str
    pieces: int
    fraction: float | None
    counts: bool
    current: bool


@dataclass(frozen=True, slots=True)
class Counting:
    """A link with its verdict: it counts by custody and lies on no cycle."""

    link: LotLink
    counts: bool
    why: str | None


def counting(links: Iterable[LotLink]) -> list[Counting]:
    """Which of these links count. All links of the region must be given, or a cycle is not seen.

    The rule does not depend on the order of arrival: a link on any cycle of stored links counts nowhere.
    """
    listed = list(links)
    cyclic = on_cycles((link.child, link.parent) for link in listed)
    found = []
    for link in listed:
        why = CYCLE if (link.child, link.parent) in cyclic else None if link.custody_counts else link.custody_model
        found.append(Counting(link, why is None, why))
    return found


def ancestors(starts: Mapping[str, float], parents: Links) -> list[Traced]:
    """Every lot that these lots came from, nearest first; `starts` gives the share of each (one lot: {lot: 1.0}).

    The starts themselves are left out. A motor's are its lots by share of pieces.
    """
    return _traced(starts, _closure(starts, parents, up=True), up=True)


def descendants(lot: str, children: Links) -> list[Traced]:
    """Every lot that has this lot in it, nearest first."""
    return _traced({lot: 1.0}, _closure({lot: 1.0}, children, up=False), up=False)


def motors_of(lot: str, children: Links, motor_lots: MotorLots) -> list[MotorShare]:
    """Every motor with material of this lot, through any magnet lot."""
    reached = {item.lot: item for item in descendants(lot, children)}
    reached[lot] = Traced(lot, 0, 1.0, True, True, None)
    found = []
    for row in motor_lots(sorted(reached)):
        via = reached[row.lot]
        share = None if via.fraction is None else via.fraction * row.pieces / row.total
        found.append(MotorShare(row.motor, row.lot, row.pieces, share, via.counts, row.current))
    return sorted(found, key=lambda item: (item.motor, item.lot))


def shares_of(motor_lots: Iterable[MotorLot]) -> dict[str, float]:
    """A motor's magnet lots by share of pieces in the rotor it has now: the starts of its ancestry."""
    return {row.lot: row.pieces / row.total for row in motor_lots if row.current}


def _closure(starts: Iterable[str], links: Links, *, up: bool) -> list[LotLink]:
    """Every link reachable from the starts, level by level."""
    seen, found = set(starts), {}
    frontier = sorted(seen)
    while frontier:
        level = list(links(frontier))
        found.update({(link.child, link.parent): link for link in level})
        ahead = {link.parent if up else link.child for link in level}
        frontier = sorted(ahead - seen)
        seen |= ahead
    return [found[key] for key in sorted(found)]


def _traced(starts: Mapping[str, float], links: Sequence[LotLink], *, up: bool) -> list[Traced]:
    judged = counting(links)
    ways = [(item.link.child, item.link.parent) if up else (item.link.parent, item.link.child) for item in judged]
    on = dict(zip(ways, judged, strict=True))
    depths = _depths(starts, ways)
    counted = _shares(starts, {way: item.link.fraction for way, item in on.items() if item.counts})
    composed = _shares(
        starts, {way: item.link.fraction for way, item in on.items() if item.why != CYCLE and _composes(item)}
    )
    stated = _shares(starts, {way: item.link.fraction for way, item in on.items() if item.why != CYCLE})
    found = []
    for lot in sorted(depths.keys() - starts.keys(), key=lambda name: (depths[name], name)):
        counts = lot in counted
        why = None if counts else _why(lot, starts, on)
        found.append(Traced(lot, depths[lot], (counted if counts else stated).get(lot), counts, lot in composed, why))
    return found


def _composes(item: Counting) -> bool:
    return item.link.composition_counts


def _depths(starts: Iterable[str], ways: Iterable[tuple[str, str]]) -> dict[str, int]:
    ahead: dict[str, list[str]] = {}
    for near, far in ways:
        ahead.setdefault(near, []).append(far)
    depths = dict.fromkeys(starts, 0)
    frontier = list(depths)
    while frontier:
        following = [(far, depths[near] + 1) for near in frontier for far in ahead.get(near, ()) if far not in depths]
        frontier = list(dict.fromkeys(far for far, _ in following))
        depths.update(following)
    return depths


def _shares(starts: Mapping[str, float], fractions: Mapping[tuple[str, str], float]) -> dict[str, float]:
    """The sum over all ways of the product of fractions; the links given have no cycle."""
    ahead: dict[str, list[tuple[str, float]]] = {}
    incoming: dict[str, int] = {}
    reach = _depths(starts, fractions)
    for (near, far), fraction in fractions.items():
        if near in reach:
            ahead.setdefault(near, []).append((far, fraction))
            incoming[far] = incoming.get(far, 0) + 1
    shares = dict(starts)
    ready = sorted(lot for lot in reach if not incoming.get(lot))
    while ready:
        near = ready.pop()
        for far, fraction in ahead.get(near, ()):
            shares[far] = shares.get(far, 0.0) + shares.get(near, 0.0) * fraction
            incoming[far] -= 1
            if not incoming[far]:
                ready.append(far)
    return shares


def _why(lot: str, starts: Iterable[str], on: Mapping[tuple[str, str], Counting]) -> str | None:
    """What breaks the way to this lot: the first reason met coming back from it."""
    back: dict[str, list[tuple[str, Counting]]] = {}
    for (near, far), item in on.items():
        back.setdefault(far, []).append((near, item))
    seen, frontier = {lot}, [lot]
    while frontier:
        steps = sorted((step for far in frontier for step in back.get(far, ())), key=lambda step: step[0])
        reasons = sorted({item.why for _, item in steps if item.why})
        if reasons:
            return reasons[0]
        frontier = [near for near in dict.fromkeys(near for near, _ in steps) if near not in seen]
        seen.update(frontier)
    return None
