"""Why a limit is what it is: the unbroken chain of events behind it, gathered from the log."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_args

from sqlalchemy import Connection, select, text

from events.catalogue import CATALOGUE
from events.envelope import Recorded, decode
from events.errors import NotFound
from events.refs import ref_text
from projections.folds.feeds import NoticeRow
from services.doors.audit.sentences import Role, statistic, told
from services.doors.context import Here
from services.store.tables import log_events

ORDER = {role: number for number, role in enumerate(get_args(Role))}
PROPOSED = ("proposals.revision_proposed", "proposals.evidence_refreshed")
_FACTS = frozenset(line.type for line in CATALOGUE.values() if line.stream in ("lots", "motors"))
_IDENTITIES = text(
    "SELECT i.position FROM log_identity i "
    "JOIN unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) AS k(source, id) USING (source, id)"
)


def why_of(here: Here, spec: str, characteristic: str) -> dict[str, Any]:
    """`{spec, characteristic, revision, events: [{position, type, time, role, sentence}]}`, in the argument's order.

    Raises NotFound for a specification that does not exist, or that never limited the characteristic.
    """
    revision = _revision(here.runtime.log.read_stream(f"specs/{spec}"), spec, characteristic)
    with here.connect() as connection:
        events = _Chain(here, connection).behind(revision, characteristic)
    items = [item for event in events for item in _items(event)]
    items.sort(key=lambda item: (ORDER[item["role"]], item["position"]))
    return {"spec": spec, "characteristic": characteristic, "revision": revision.data["revision"], "events": items}


def _items(event: Recorded) -> Iterable[dict[str, Any]]:
    shown = told(event)
    if shown is not None:
        yield _item(event, *shown)
    if _kind(event) in PROPOSED:
        yield _item(event, "statistic", statistic(event))


def _item(event: Recorded, role: Role, sentence: str) -> dict[str, Any]:
    return {"position": event.position, "type": event.type, "time": event.time, "role": role, "sentence": sentence}


def _kind(event: Recorded) -> str:
    return event.type.removeprefix("lodestone.").rpartition(".v")[0]


def _revision(revisions: Sequence[Recorded], spec: str, characteristic: str) -> Recorded:
    """The revision that gave the characteristic the limit that it has now."""
    if not revisions:
        raise NotFound(f"There is no specification {spec}.")
    for before, event in zip([None, *revisions[:-1]][::-1], revisions[::-1], strict=True):
        now = _limit(event.data, characteristic)
        if now is None:
            break
        if before is None or _limit(before.data, characteristic) != now:
            return event
    known = ", ".join(sorted(_named(revisions[-1].data)))
    raise NotFound(f"The specification {spec} does not limit {characteristic}; it limits {known}.")


def _named(data: Mapping[str, Any]) -> list[str]:
    sourcing = ["sourcing.source"] if data.get("sourcing") else []
    return [limit["characteristic"] for limit in data.get("limits") or ()] + sourcing


def _limit(data: Mapping[str, Any], characteristic: str) -> Any:
    if characteristic.startswith("sourcing."):
        return data.get("sourcing")
    found = (limit for limit in data.get("limits") or () if limit["characteristic"] == characteristic)
    return next(found, None)


class _Chain:
    """Follows the references from a revision back to the mine, and forward to the answers."""

    def __init__(self, here: Here, connection: Connection) -> None:
        self.here = here
        self.log = here.runtime.log
        self.connection = connection
        self.found: dict[int, Recorded] = {}

    def behind(self, revision: Recorded, characteristic: str) -> list[Recorded]:
        self._keep([revision])
        self._located(revision.data.get("evidence") or ())
        case = revision.data.get("case")
        if case:
            self._case(str(case), revision, characteristic)
        self._materials()
        self._notices(ref_text(revision.data["spec"]), int(revision.data["revision"]))
        return list(self.found.values())

    def _keep(self, events: Iterable[Recorded]) -> None:
        self.found.update({event.position: event for event in events})

    def _located(self, refs: Iterable[Mapping[str, Any]]) -> None:
        """The events with these identities."""
        pairs = [(ref["source"], ref["id"]) for ref in refs]
        if pairs:
            columns = {"sources": [source for source, _ in pairs], "ids": [identity for _, identity in pairs]}
            self._keep(self.log.read_positions(list(self.connection.scalars(_IDENTITIES, columns))))

    def _case(self, case: str, revision: Recorded, characteristic: str) -> None:
        """The case up to the revision, and all that its last proposal rests on."""
        life = [event for event in self.log.read_stream(f"proposals/{case}") if event.position < revision.position]
        self._keep(life)
        opened = next((event.data for event in life if _kind(event) == "proposals.case_opened"), {})
        if opened.get("source_change"):
            self._located([opened["source_change"]])
        proposals = [event for event in life if _kind(event) in PROPOSED]
        if not proposals:
            return
        last = proposals[-1]
        record = last.data["evidence"]
        self._located(record.get("events") or ())
        self._located(cert for lot in record.get("lot_effects") or () for cert in lot.get("certificates") or ())
        self._streams(["lots/" + ref_text(lot["lot"]) for lot in record.get("lot_effects") or ()], last.position)
        self._newest(f"policies/{ref_text(record['policy'])}", last.position)
        if opened.get("requirement"):
            self._newest(f"requirements/{ref_text(opened['requirement'])}", last.position)
        for item in last.data["revisions"]:
            if ref_text(item["spec"]) == ref_text(revision.data["spec"]) and item["characteristic"] == characteristic:
                for prior in item.get("priors") or ():
                    self._newest(f"sensitivities/{ref_text(prior)}", last.position)

    def _newest(self, stream: str, until: int) -> None:
        """The version of a rule that held when the proposal was made."""
        self._keep([event for event in self.log.read_stream(stream) if event.position < until][-1:])

    def _materials(self) -> None:
        """The motors of the results, their magnet lots, and every lot that those came from."""
        until = max(self.found)
        tested = {ref_text(e.data["motor"]) for e in self.found.values() if _kind(e).startswith("tests.")}
        self._streams([f"motors/{motor}" for motor in sorted(tested)], until)
        seen: set[str] = set()
        while ahead := self._lots() - seen:
            seen |= ahead
            self._streams([f"lots/{lot}" for lot in sorted(ahead)], until, "lots.lot_registered")

    def _lots(self) -> set[str]:
        """The lots that the events so far name."""
        lots = set()
        for event in self.found.values():
            kind, data = _kind(event), event.data
            if kind.startswith("lots."):
                lots.add(ref_text(data["lot"]))
            parts = (*(data.get("inputs") or ()), *(data.get("magnets") or ())) if kind in _NAMING else ()
            lots |= {ref_text(part["lot"]) for part in parts}
        return lots

    def _streams(self, streams: Sequence[str], until: int, kind: str | None = None) -> None:
        """The facts of these streams up to a position, of one kind or of all."""
        table = log_events
        types = [name for name in sorted(_FACTS) if kind is None or name.startswith(f"lodestone.{kind}.")]
        if not streams:
            return
        query = select(table.c.position, table.c.body).where(
            table.c.stream.in_(streams), table.c.type.in_(types), table.c.position <= until
        )
        self._keep(decode(row.position, bytes(row.body)) for row in self.connection.execute(query))

    def _notices(self, spec: str, revision: int) -> None:
        """Who was told of the revision, and what each answered."""
        table = self.here.table(NoticeRow)
        query = select(table.c.position, table.c.answer_events)
        positions: list[int] = []
        for row in self.connection.execute(query.where(table.c.spec == spec, table.c.revision == revision)):
            positions += [row.position, *(answer["position"] for answer in row.answer_events or ())]
        self._keep(self.log.read_positions(positions))


_NAMING = frozenset({"lots.lot_registered", "motors.motor_built", "motors.rotor_replaced"})
