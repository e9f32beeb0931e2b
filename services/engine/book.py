"""The rules in force at a position: requirements, specifications, policy, sensitivities, folded from their streams."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, select

from events.catalogue import CATALOGUE, upcast
from events.envelope import Recorded, decode
from events.refs import ref_text
from events.rules import policies, specs, texts
from events.rules.policies import Policy
from events.rules.texts import TextState
from projections.inference.state import Edge, EventId, SpecInForce
from services.store.tables import log_events, of_types

RULES = ("requirements", "specs", "policies", "sensitivities")
TYPES = tuple(sorted(line.type for line in CATALOGUE.values() if line.stream in RULES))


@dataclass(frozen=True, slots=True)
class Book:
    """What rules, by `issuer:id`; `issued` names the event that wrote each requirement last."""

    requirements: dict[str, TextState]
    issued: dict[str, EventId]
    specs: dict[str, specs.SpecState]
    policy: Policy
    policy_version: int
    edges: tuple[Edge, ...]

    def in_force(self, item: str) -> tuple[SpecInForce, ...]:
        """The newest revision of every specification of this item."""
        found = (_spec(name, state.current) for name, state in sorted(self.specs.items()) if state.current)
        return tuple(spec for spec in found if spec.item == item)

    def revisions(self, items: Iterable[str]) -> tuple[SpecInForce, ...]:
        """All revisions of the specifications of these items."""
        wanted = set(items)
        every = (_spec(name, text) for name, state in sorted(self.specs.items()) for text in state.revisions)
        return tuple(spec for spec in every if spec.item in wanted)


def read_book(connection: Connection, until: int) -> Book:
    """Fold the rule streams up to this position; they are few beside the facts."""
    by_stream: dict[str, list[Recorded]] = {}
    for event in events_of(connection, TYPES, 0, until):
        by_stream.setdefault(event.stream, []).append(event)
    of = {room: {k.partition("/")[2]: v for k, v in by_stream.items() if k.startswith(f"{room}/")} for room in RULES}
    requirements = {name: texts.fold(events) for name, events in of["requirements"].items()}
    issued = {name: EventId(events[-1].source, events[-1].id) for name, events in of["requirements"].items()}
    policy = policies.fold(of["policies"].get(str(Policy().policy), ()))
    return Book(
        requirements,
        issued,
        {name: specs.fold(events) for name, events in of["specs"].items()},
        policies.policy_of(policy),
        policy.version,
        tuple(edge(events[-1]) for _, events in sorted(of["sensitivities"].items())),
    )


def events_of(connection: Connection, types: Iterable[str], after: int, until: int) -> list[Recorded]:
    """The events of these types after one position and up to another, in order, upcast."""
    table = log_events
    query = select(table.c.position, table.c.body).where(
        of_types(types), table.c.position > after, table.c.position <= until
    )
    return [
        upcast(decode(row.position, bytes(row.body))) for row in connection.execute(query.order_by(table.c.position))
    ]


def _spec(name: str, data: object) -> SpecInForce:
    text = dict(data)  # type: ignore[call-overload]
    scope = tuple(ref_text(party) for party in text.get("suppliers") or ())
    return SpecInForce(name, int(text["revision"]), text["level"], ref_text(text["item"]), scope, text)


def edge(event: Recorded) -> Edge:
    """A sensitivity as inference takes it."""
    data = event.data
    return Edge(
        ref_text(data["sensitivity"]), data["parent"], data["child"], data["form"], float(data["mean"]),
        float(data["sigma"]), data["unit"], data.get("scale"), data.get("valid_from"), data.get("valid_to"),
        data["source"],
    )  # fmt: skip
