"""The processes without a door, by what they last reported: which run, how they are, and what to start."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import exists, select

from services.store.database import Database
from services.store.reports import Report
from services.store.tables import log_cursors

__all__ = ["Report", "begun", "part", "relay_position", "shown"]

ALWAYS = {"worker": "Nothing is folded, concluded or sealed: start `lodestone worker`."}
WITH_KAFKA = {"relay": "The log is not published to Kafka: start `lodestone relay`."}
BY_CHOICE = {
    "ingress": "What benches publish to Kafka waits there: start `lodestone worker --ingress`.",
    "shard": "The shards that ran are gone: start `lodestone worker --shard`.",
}
"""Parts that are shown once one of them was heard, or left something behind, and what their absence means."""
WORKING = "working"


def expected(told: Iterable[Report], begun: Iterable[str], *, kafka: bool) -> dict[str, str]:
    """The parts that there should be, each with what to say when none of it lives."""
    heard = {one.name for one in told} | set(begun)
    chosen = {name: words for name, words in BY_CHOICE.items() if name in heard}
    return {**ALWAYS, **(WITH_KAFKA if kafka else {}), **chosen}


def begun(database: Database, *, kafka: bool) -> frozenset[str]:
    """The parts that once did their work, however long ago: an ingress left its cursors. Raises Unavailable."""
    if not kafka:
        return frozenset()
    with database.connect() as connection:
        cursors = exists().where(log_cursors.c.name.startswith("kafka ", autoescape=True))
        return frozenset({"ingress"} if connection.execute(select(cursors)).scalar_one() else ())


def shown(told: list[Report], begun: Iterable[str], *, kafka: bool) -> dict[str, list[dict[str, Any]]]:
    """Every process that was heard lately, by role; a role that should be there and is not has an empty list."""
    roles: dict[str, list[dict[str, Any]]] = {name: [] for name in expected(told, begun, kafka=kafka)}
    for one in told:
        roles.setdefault(one.name, []).append(
            {
                "owner": one.owner,
                "state": one.body.get("state") if one.living else "silent",
                "age_s": round(one.age_s, 1),
                "detail": one.body.get("detail"),
            }
        )
    return roles


def part(told: Iterable[Report], name: str, absent: str) -> dict[str, Any]:
    """How this role does: how many live, and the sentence that says what is wrong, if anything is."""
    living = [one for one in told if one.name == name and one.living]
    working = [one for one in living if one.body.get("state") == WORKING]
    troubles = [one.body["detail"] for one in living if one.body.get("detail")]
    found: dict[str, Any] = {"living": len(living), "working": len(working)}
    if not living:
        return {**found, "detail": absent}
    if troubles and (not working or any(one.body.get("detail") for one in working)):
        return {**found, "detail": troubles[0]}
    if not working and not any(one.body.get("state") == "stopping" for one in living):
        return {**found, "detail": f"No {name} is at work; all stand by. If that lasts, look at their logs."}
    return found


def relay_position(told: Iterable[Report]) -> int | None:
    """How far the log is published, by the furthest that a relay said within the last ten minutes."""
    said = [row[2] for one in told if one.name == "relay" for row in figures_of(one, "lodestone_relay_position")]
    return int(max(said)) if said else None


def figures_of(one: Report, name: str | None = None) -> list[list[Any]]:
    """The figures of a report as [name, label values, number]; those of one name."""
    return [row for row in one.body.get("figures") or () if name is None or row[0] == name]
