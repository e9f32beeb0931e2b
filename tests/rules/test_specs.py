"""Specifications: what a text may say, revisions without holes, and which revision binds when."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from events.envelope import Recorded
from events.errors import Refused, VersionConflict, VersionRequired
from events.rules.specs import INITIAL, SpecIssued, SpecRevised, SpecText, WriteSpec, decide, effective, fold
from tests.rules.story import ITEM, SPEC, recorded


def text(lower=1700, day="2026-01-01", **more):
    limit = {"characteristic": "magnet.HcJ", "limits": {"lower": lower, "unit": "kA/m"}}
    content = {"spec": SPEC, "level": "magnet", "item": ITEM, "effectivity": {"date": day}, "reason": "why"}
    return SpecText.model_validate({**content, "limits": [limit], **more})


def written(*texts):
    log: list[Recorded] = []
    for number, one in enumerate(texts):
        log += recorded(decide(fold(log), WriteSpec(one, "Elin", number or None)), first=number + 1)
    return fold(log)


def test_the_first_revision_is_issued_and_later_ones_revise():
    (first,) = decide(INITIAL, WriteSpec(text(), "Elin"))
    (second,) = decide(written(text()), WriteSpec(text(1750), "Ada", 1))
    assert isinstance(first, SpecIssued) and isinstance(second, SpecRevised)
    assert (first.revision, second.revision, first.by, second.by) == (1, 2, "Elin", "Ada")


@given(st.integers(1, 8))
def test_revisions_are_numbered_without_holes(count):
    state = written(*(text(1700 + n) for n in range(count)))
    assert [revision["revision"] for revision in state.revisions] == list(range(1, count + 1))
    assert state.version == count


def test_a_revision_names_the_one_it_changes():
    state = written(text())
    with pytest.raises(VersionRequired, match="exists at version 1"):
        decide(state, WriteSpec(text(), "Elin"))
    with pytest.raises(VersionConflict) as caught:
        decide(state, WriteSpec(text(), "Elin", 2))
    assert caught.value.facts == {"stream": "specs/maker:magnet-A", "expected": 2, "actual": 1}
    with pytest.raises(VersionConflict):
        decide(INITIAL, WriteSpec(text(), "Elin", 1))


@pytest.mark.parametrize(
    "change",
    [
        {"item": {"issuer": "maker", "id": "B"}},
        {
            "level": "alloy",
            "limits": [{"characteristic": "alloy.Dy", "limits": {"lower": 1, "unit": "%"}}],
        },
    ],
)
def test_a_revision_keeps_level_and_item(change):
    with pytest.raises(Refused, match="a revision keeps both"):
        decide(written(text()), WriteSpec(text(**change), "Elin", 1))


@pytest.mark.parametrize(
    ("limits", "match"),
    [
        ([{"lower": 2, "upper": 1, "unit": "T"}], "lower ≤ target ≤ upper"),
        ([{"lower": 1, "target": 0.5, "unit": "T"}], "lower ≤ target ≤ upper"),
        ([{"target": 2, "upper": 1, "unit": "T"}], "lower ≤ target ≤ upper"),
        ([{"unit": "T"}], "no limit is given"),
        ([{"lower": 1, "unit": "kA/m"}], "write it in T"),
        ([{"lower": 1, "unit": "Tesla"}], "not known"),
        ([{"lower": 1, "unit": "T"}, {"upper": 2, "unit": "T"}], "limited twice"),
        ([{"lower": float("nan"), "unit": "T"}], "finite"),
    ],
)
def test_limits_that_cannot_be_met_or_read_are_refused(limits, match):
    with pytest.raises(ValidationError, match=match):
        text(limits=[{"characteristic": "magnet.Br", "limits": item} for item in limits])


@pytest.mark.parametrize("limits", [{"lower": 1, "target": 1, "upper": 1}, {"lower": 1}, {"target": 1}, {"upper": 1}])
def test_limits_may_be_one_sided_and_may_touch(limits):
    assert text(limits=[{"characteristic": "magnet.Br", "limits": {**limits, "unit": "T"}}])


def test_limits_are_kept_in_the_unit_they_were_written_in():
    limit = text(limits=[{"characteristic": "magnet.HcJ", "limits": {"lower": 20, "unit": "kOe"}}]).limits[0]
    assert (limit.limits.lower, limit.limits.unit) == (20, "kOe")


@pytest.mark.parametrize(
    "change",
    [
        {"limits": [{"characteristic": "alloy.Dy", "limits": {"lower": 1, "unit": "%"}}]},
        {"limits": []},
        {"level": "sourcing", "limits": []},
    ],
)
def test_a_specification_says_something_that_belongs_to_its_level(change):
    with pytest.raises(ValidationError):
        text(**change)


def binding(state, day, **named) -> Any:
    return effective(state, day, **named)


def test_the_latest_revision_whose_date_has_come_binds():
    state = written(text(1700, "2026-01-01"), text(1750, "2026-06-01"), text(1800, "2026-09-01"))
    days = ["2025-12-31", "2026-01-01", "2026-05-31", "2026-06-01", "2026-12-01"]
    found = [effective(state, date.fromisoformat(day)) for day in days]
    assert [revision and revision["revision"] for revision in found] == [None, 1, 1, 2, 3]


def test_a_lot_or_serial_named_first_is_bound_whatever_the_date():
    lot, serial = {"issuer": "n", "id": "L 5"}, {"issuer": "m", "id": "S5"}
    effectivity = {"date": "2026-09-01", "first_lot": lot, "first_serial": serial}
    state = written(text(1700), text(1750, effectivity=effectivity))
    for named in ({"lot": "n:L%205"}, {"serial": "m:S5"}):
        assert binding(state, date(2026, 2, 1), **named)["revision"] == 2
    assert binding(state, date(2026, 2, 1), lot="n:L4")["revision"] == 1
