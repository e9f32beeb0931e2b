"""The projections folded again into tables of their own, compared with the live ones and with recorded digests."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import orjson
from sqlalchemy import Connection, select

from events.catalogue import type_of
from events.errors import Refused
from events.rules.ledger import StateDigestRecorded
from services.store import leases
from services.store.leases import Lease
from services.store.projecting import generations
from services.store.projecting.folding import Refusal, Target
from services.store.projecting.pages import Beat, Pages
from services.store.projecting.projector import OUTDATED, Projector
from services.store.tables import log_events, of_types

RECORDED = type_of(StateDigestRecorded)
Digest = tuple[str, int, str]
"""A projection's name, the version of its fold, and the digest of its state."""


@dataclass(slots=True)
class State:
    """What was found: the live digests, how many recorded ones were compared, and what is wrong."""

    live: dict[str, str] = field(default_factory=dict)
    checked: int = 0
    problems: list[str] = field(default_factory=list)


def check_state(projector: Projector, beat: Beat) -> State:
    """Fold the log again up to where the live projections are, and compare what comes out on the way and in the end.

    Folds into fresh tables beside the live ones, as a rebuild does, and drops them: memory does not grow with the log.
    Raises Refused while a projection is being rebuilt.
    """
    live = projector.standing()
    found = State({name: digest for name, (_, digest) in live.items()})
    ends = {position for position, _ in live.values()}
    recorded = _recorded(projector)
    stops = ends | {at for at in recorded if at <= max(ends, default=0)}
    with _again(projector, beat) as again:
        for at in sorted(stops):
            again(at)
            for said in recorded.get(at, ()):
                _compare(projector, found, again.targets, at, said)
            for target in again.targets:
                name = target.projection.name
                if live[name][0] == at and live[name][1] not in (OUTDATED, _digest(projector, target)):
                    sentence = f"The projection {name} differs from the log folded again; `lodestone rebuild {name}`."
                    found.problems.append(sentence)
    return found


def _compare(projector: Projector, found: State, targets: Sequence[Target], at: int, said: Digest) -> None:
    """One recorded digest; one that another version of the fold made says nothing about ours."""
    name, version, digest = said
    for target in targets:
        if (target.projection.name, target.projection.version) == (name, version):
            found.checked += 1
            if _digest(projector, target) != digest:
                found.problems.append(f"Position {at}: the recorded digest of {name} is not that of the log.")


class _Again:
    """Fresh generations of all projections, folded up to any position and further."""

    def __init__(self, pages: Pages, beat: Beat) -> None:
        self.pages = pages
        self.beat = beat

    def __call__(self, until: int) -> None:
        self.pages.run(until, self.beat)

    @property
    def targets(self) -> Sequence[Target]:
        return self.pages.targets


@contextmanager
def _again(projector: Projector, beat: Beat) -> Iterator[_Again]:
    held = [_hold(projector, name) for name in projector.projections]
    with projector.database.begin() as connection:
        targets = [
            Target(one, generations.begin(connection, one, passing=True).generation, 0)
            for one in projector.projections.values()
        ]

    def hold(connection: Connection, _: Sequence[Target]) -> None:
        for lease in held:
            leases.check(connection, lease)

    def done(connection: Connection, moved: Sequence[Target], position: int) -> None:
        generations.move(connection, [target.place for target in moved], position)

    def aside(connection: Connection, target: Target, refused: Sequence[Refusal]) -> None:
        target.refused += refused

    def renewed(position: int) -> None:
        for lease in held:
            leases.take(projector.database, lease.name, lease.owner)
        beat(position)

    try:
        yield _Again(Pages(projector.database, projector.log, targets, hold, done, aside), renewed)
    finally:
        with projector.database.begin() as connection:
            for target in targets:
                generations.drop(connection, target.projection, target.generation)
        for lease in held:
            leases.release(projector.database, lease)


def _hold(projector: Projector, name: str) -> Lease:
    """Nobody rebuilds a projection meanwhile: that would take our tables away. Raises Refused."""
    lease = leases.take(projector.database, f"rebuild:{name}", f"{projector.owner}:verify")
    if lease is None:
        raise Refused(f"Another process is rebuilding or verifying {name}; wait for it, or try again in a minute.")
    return lease


def _digest(projector: Projector, target: Target) -> str:
    with projector.database.connect() as connection:
        digest = generations.digest(connection, target.projection, target.generation)
    return f"incomplete:{digest}" if target.refused else digest


def _recorded(projector: Projector) -> dict[int, list[Digest]]:
    """The recorded digests by the position that they are of."""
    table = log_events
    query = select(table.c.body).where(of_types([RECORDED])).order_by(table.c.position)
    found = dict[int, list[Digest]]()
    with projector.database.connect() as connection:
        for body in connection.execute(query).scalars():
            data = orjson.loads(bytes(body))["data"]
            digests = [(name, one["version"], one["digest"]) for name, one in data["digests"].items()]
            found.setdefault(data["position"], []).extend(digests)
    return found
