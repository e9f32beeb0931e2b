"""Traces of causes: the `traceparent` of the event from which a conclusion follows, to be carried on."""

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import Connection, select

from events.catalogue import CATALOGUE, stored_types, type_of
from events.facts.base import EventRef
from events.rules import proposals
from events.rules.proposals import Command, OpenCase, Propose, Refresh, Reopen, Withdraw
from services.store.log import Log
from services.store.tables import identity_key, log_events, log_identity, of_types

RESULTS = frozenset(line.type for line in CATALOGUE.values() if line.stream == "tests")
ROUNDS = stored_types({type_of(proposals.RevisionProposed), type_of(proposals.EvidenceRefreshed)})
LOOKED_AT = 50
"""As many of the newest are looked through for one that carries a trace."""


def of_commands(log: Log, commands: Sequence[Command]) -> str | None:
    """The trace of what these commands follow from: of the newest result in their evidence, else of the newest event.

    None when none of them was sent with one.
    """
    refs = causes(commands)
    if not refs:
        return None
    with log.database.connect() as connection:
        return _newest(connection, refs)


def causes(commands: Sequence[Command]) -> list[EventRef]:
    """The events that these commands name as what they follow from."""
    found: list[EventRef] = []
    for command in commands:
        match command:
            case OpenCase(source_change=EventRef() as change):
                found.append(change)
            case Reopen(cause=EventRef() as answer):
                found.append(answer)
            case Propose() | Refresh():
                found += command.content.evidence.events
            case Withdraw(evidence=evidence) if evidence is not None:
                found += evidence.events
    return found


def of_case(log: Log, case: str) -> str | None:
    """The trace of the newest round of a case."""
    table = log_events
    rounds = select(table.c.body).where(table.c.stream == f"proposals/{case}", of_types(ROUNDS))
    with log.database.connect() as connection:
        bodies = connection.execute(rounds.order_by(table.c.position.desc()).limit(LOOKED_AT)).scalars()
        return next(filter(None, map(_traceparent, bodies)), None)


def of_events(connection: Connection, refs: Iterable[EventRef]) -> dict[tuple[str, str], str]:
    """The traces of these events by (source, id); those that carry none are left out."""
    keys = {identity_key(ref.source, ref.id): (ref.source, ref.id) for ref in refs}
    identity, table = log_identity, log_events
    query = select(identity.c.key, table.c.body).join(table, table.c.position == identity.c.position)
    found = {}
    for start in range(0, len(keys), 1000):
        part = list(keys)[start : start + 1000]
        for row in connection.execute(query.where(identity.c.key.in_(part))):
            trace = _traceparent(row.body)
            if trace is not None:
                found[keys[row.key]] = trace
    return found


def _newest(connection: Connection, refs: Iterable[EventRef]) -> str | None:
    keys = [identity_key(ref.source, ref.id) for ref in refs]
    positions = select(log_identity.c.position).where(log_identity.c.key.in_(keys))
    table = log_events
    query = select(table.c.body).where(table.c.position.in_(sorted(connection.execute(positions).scalars())))
    newest = query.order_by(table.c.position.desc()).limit(LOOKED_AT)
    for wanted in (newest.where(of_types(RESULTS)), newest):
        trace = next(filter(None, map(_traceparent, connection.execute(wanted).scalars())), None)
        if trace is not None:
            return trace
    return None


def _traceparent(body: bytes) -> str | None:
    if b'"traceparent"' not in bytes(body):
        return None
    found = orjson.loads(bytes(body)).get("traceparent")
    return found if isinstance(found, str) else None
