"""Specification book, cases, feeds and audit: what was decided, as the rules decided it."""

from datetime import date

from events.rules.proposals import evolve
from events.rules.proposals.state import INITIAL
from projections.folds import all_projections
from projections.folds.audit import AUDIT, AuditEntry
from projections.folds.cases import CASES, Case, state_of
from projections.folds.feeds import FEEDS, FeedEntry, NoticeRow
from projections.folds.naming import things_of
from projections.folds.specbook import (
    SPECBOOK,
    RequirementRow,
    SensitivityRow,
    SpecHead,
    SpecRevision,
    effective,
    past,
)
from tests.folds.dictionaries import fold_all
from tests.folds.plants import event, golden, is_test, recorded, ref


def spec(id, revision, start, lower, suppliers=(), **more):
    limit = {"characteristic": "magnet.HcJ", "limits": {"lower": lower, "unit": "kA/m"}}
    kind = "specs.spec_issued" if revision == 1 else "specs.spec_revised"
    data = {"spec": ref("S"), "revision": revision, "level": "magnet", "item": ref("I"), "limits": [limit]}
    scope = {"suppliers": [ref(name) for name in suppliers], "effectivity": {"date": start, **more}}
    return event(kind, id, revision, {**data, **scope, "reason": "Ordered."})


def book(*posted):
    return fold_all(SPECBOOK, recorded(posted)).tables


THREE = (
    spec("1", 1, "2026-01-01", 1600),
    spec("2", 2, "2026-03-01", 1650, first_lot=ref("EARLY")),
    spec("3", 3, "2026-06-01", 1700, suppliers=("kirin",)),
)


def test_every_revision_stays_readable_and_the_head_is_the_newest():
    tables = book(*THREE)
    assert [row.revision for row in past(tables[SpecRevision].values())] == [1, 2, 3]
    head = tables[SpecHead]["works:S",]
    assert (head.revision, head.version, head.suppliers) == (3, 3, ["works:kirin"])
    assert head.data["limits"][0]["limits"]["lower"] == 1700


def test_the_effective_revision_follows_date_first_lot_and_supplier():
    rows = list(book(*THREE)[SpecRevision].values())

    def number(on, **scope):
        found = effective(rows, date.fromisoformat(on), **scope)
        return found.revision if found else None

    assert number("2025-12-31") is None
    assert [number(day) for day in ("2026-01-01", "2026-02-28", "2026-03-01", "2026-07-01")] == [1, 1, 2, 3]
    assert number("2026-02-01", lot="works:EARLY") == 2
    assert number("2026-07-01", supplier="works:boreal") == 2
    assert number("2026-07-01", supplier="works:kirin") == 3


def test_a_withdrawn_requirement_is_kept_and_no_longer_in_force():
    events = golden()
    row = next(iter(fold_all(SPECBOOK, events).tables[RequirementRow].values()))
    assert (row.in_force, row.version) == (False, 3)
    assert fold_all(SPECBOOK, events).tables[SensitivityRow]


def test_a_case_is_what_the_rules_make_of_its_events_and_goes_back_into_their_state():
    events = [one for one in golden() if one.type in CASES.types]
    state = INITIAL
    for count, one in enumerate(events, start=1):
        state = evolve(state, one)
        (row,) = fold_all(CASES, events[:count]).tables[Case].values()
        assert state_of(row) == state
        assert (row.state, row.version, row.stream_version) == (state.state, state.version, state.stream_version)
    assert [item["what"] for item in row.history] == [one.type.split(".")[2] for one in events]


def test_a_feed_holds_notices_and_answers_in_their_own_numbers():
    events = [one for one in golden() if one.type in FEEDS.types]
    answered = [*events, *recorded([*_again(events)])[2:]]
    tables = fold_all(FEEDS, answered).tables
    assert [(row.sequence, row.kind) for row in tables[FeedEntry].values()] == [
        (1, "issued"),
        (2, "answered"),
        (3, "answered"),
    ]
    (notice,) = tables[NoticeRow].values()
    assert notice.answer == "acknowledged" and len(notice.answers) == len(notice.answer_events) == 2


def _again(events):
    base = {"specversion": "1.0", "source": "/s", "time": "2026-03-06T00:00:00Z"}
    for number, one in enumerate(events):
        yield {**base, "type": one.type, "id": f"x{number}", "data": dict(one.data)}
    party, notice = events[0].data["party"], events[0].data["notice"]
    said = {"party": party, "notice": notice, "answer": "acknowledged", "person": "T. Kask"}
    yield {**base, "type": events[1].type, "id": "y", "data": said}


def test_every_event_is_found_from_everything_it_concerns():
    entries = fold_all(AUDIT, golden()).tables[AuditEntry]
    for one in (told for told in golden() if told.type in AUDIT.types):
        assert {thing for thing, position in entries if position == one.position} == things_of(one) != frozenset()


def test_a_test_concerns_its_motor_and_a_build_its_lots_and_a_notice_its_case():
    by_type = {one.type.split(".")[2]: things_of(one) for one in golden()}
    kinds = {name: {thing.partition("/")[0] for thing in things} for name, things in by_type.items()}
    assert {"motors", "benches"} <= kinds["efficiency_measured"] and "motors" in kinds["test_voided"]
    assert {"motors", "motor_types", "lots"} <= kinds["motor_built"]
    assert {"lots", "parties"} <= kinds["lot_certified"]
    assert {"specs", "parties", "cases", "notices"} <= kinds["notice_issued"]
    assert {"cases", "specs", "lots"} <= kinds["revision_proposed"]


def test_what_waits_for_its_motor_is_counted_over_both_kinds_of_row():
    tests = [one for one in golden() if is_test(one)]
    waiting = 0
    for projection in all_projections():
        for kind, table in fold_all(projection, tests).tables.items():
            if hasattr(kind, "waiting"):
                waiting += sum(row.waiting for row in table.values())
    assert waiting == len(tests) == 7
