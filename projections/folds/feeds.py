"""Feeds: what each party was told and what it answered, numbered as its stream is."""

from collections.abc import Iterable
from typing import Any, ClassVar

from msgspec.structs import replace

from events.catalogue import type_of
from events.envelope import Recorded
from events.refs import ref_text
from events.rules.notices import NoticeAnswered, NoticeIssued
from projections.folds.fold import Key, Projection, Row, Rows

ISSUED, ANSWERED = type_of(NoticeIssued), type_of(NoticeAnswered)


class FeedEntry(Row, frozen=True):
    """One entry of a party's feed; `kind` is issued or answered, `data` the event's content as stored."""

    party: str
    sequence: int
    kind: str
    notice: str
    time: str
    data: Any
    event_source: str
    event_id: str
    position: int
    recorded_time: str

    __key__: ClassVar[tuple[str, ...]] = ("party", "sequence")
    __undigested__: ClassVar[tuple[str, ...]] = ("event_source", "event_id", "position", "recorded_time")


class NoticeRow(Row, frozen=True):
    """A notice and the answers to it: [{answer, person, time, data}] in order; `answer` is the last one or null.

    `answer_events`: [{source, id, position}] in the same order, outside the digest.
    """

    party: str
    notice: str
    sequence: int
    kind: str
    spec: str
    revision: int
    level: str
    item: str
    case_id: str | None
    issued_at: str
    respond_by: str
    synthetic: bool
    data: Any
    answer: str | None
    answers: Any
    answer_events: Any
    event_source: str
    event_id: str
    position: int
    recorded_time: str

    __key__: ClassVar[tuple[str, ...]] = ("party", "notice")
    __undigested__: ClassVar[tuple[str, ...]] = (
        "answer_events", "event_source", "event_id", "position", "recorded_time",
    )  # fmt: skip
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("case_id",), ("spec", "revision"), ("notice",))


def _keys(event: Recorded) -> Iterable[Key]:
    party = ref_text(event.data["party"])
    return Key(FeedEntry, (party, _number(event))), Key(NoticeRow, (party, event.data["notice"]))


def _number(event: Recorded) -> int:
    assert event.stream_version is not None, "a feed numbers its events"
    return event.stream_version


def _fold(event: Recorded, rows: Rows) -> None:
    data, party = event.data, ref_text(event.data["party"])
    where: dict[str, Any] = {
        "event_source": event.source,
        "event_id": event.id,
        "position": event.position,
        "recorded_time": event.recorded_time,
    }
    kind = "issued" if event.type == ISSUED else "answered"
    rows.put(FeedEntry(party, _number(event), kind, data["notice"], event.time, dict(data), **where))
    if event.type == ISSUED:
        rows.put(_issued(event, party, where))
        return
    notice = rows.get(NoticeRow, party, data["notice"])
    if notice is not None:
        said = {"answer": data["answer"], "person": data["person"], "time": event.time, "data": dict(data)}
        told = {"source": event.source, "id": event.id, "position": event.position}
        rows.put(
            replace(
                notice,
                answer=data["answer"],
                answers=[*notice.answers, said],
                answer_events=[*notice.answer_events, told],
            )
        )


def _issued(event: Recorded, party: str, where: dict[str, Any]) -> NoticeRow:
    data = event.data
    return NoticeRow(
        party=party,
        notice=data["notice"],
        sequence=_number(event),
        kind=data.get("kind") or "released",
        spec=ref_text(data["spec"]),
        revision=data["revision"],
        level=data["level"],
        item=ref_text(data["item"]),
        case_id=data.get("case"),
        issued_at=event.time,
        respond_by=data["respond_by"],
        synthetic=bool(data.get("synthetic")),
        data=dict(data),
        answer=None,
        answers=[],
        answer_events=[],
        **where,
    )


FEEDS = Projection(
    name="feeds",
    version=1,
    row_types=(FeedEntry, NoticeRow),
    types=frozenset({ISSUED, ANSWERED}),
    keys=_keys,
    fold=_fold,
    order_free=False,
)
