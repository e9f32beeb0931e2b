"""Answers to notices: only by the party itself, to a notice it was sent, complete, and never back."""

import pytest
from pydantic import ValidationError

from events.errors import Forbidden, Invalid, NotFound, Refused
from events.refs import Ref
from events.rules.access import Principal
from events.rules.notices import INITIAL, NoticeAnswered, NoticeIssued, decide, fold
from tests.golden.pins import example
from tests.rules.story import NORTH, recorded

NOTICE = NoticeIssued.model_validate(
    example("lodestone.feeds.notice_issued.v1")["data"] | {"party": NORTH, "notice": "n-1"}
)
SUPPLIER = Principal("north", "supplier", NORTH)
MEETS = {"answer": "can_meet_from", "from_date": "2026-07-01"}
CANNOT = {"answer": "cannot_meet", "reason": "no furnace"}


def answer(answer="acknowledged", notice="n-1", party=NORTH, **more):
    content = {"notice": notice, "party": party, "answer": answer, "person": "T. Kask", **more}
    return NoticeAnswered.model_validate(content)


def feed(*answers):
    return fold(recorded([NOTICE, *answers]))


def test_the_feed_counts_notices_and_answers_in_one_number():
    assert feed(answer()).version == 2
    assert list(feed().notices) == ["n-1"]


def test_a_party_answers_its_notice():
    assert decide(feed(), answer(), SUPPLIER) == (answer(),)


@pytest.mark.parametrize(
    "principal",
    [
        Principal("south", "supplier", Ref(issuer="south", id="south")),
        Principal("Ada", "approver"),
        Principal("root", "admin"),
    ],
)
def test_nobody_else_answers_for_it(principal):
    with pytest.raises(Forbidden, match="Only the party"):
        decide(feed(), answer(), principal)


@pytest.mark.parametrize("state", [INITIAL, feed()])
def test_a_notice_that_was_not_sent_to_it_is_not_found(state):
    with pytest.raises(NotFound):
        decide(state, answer(notice="n-2"), SUPPLIER)


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("can_meet_from", "from_date or from_lot"),
        ("can_meet_with_deviation", "value and characteristic"),
        ("cannot_meet", "reason"),
        ("counter_proposal", "value and characteristic"),
    ],
)
def test_an_answer_that_lacks_its_content_is_refused(kind, missing):
    with pytest.raises(ValidationError, match=missing):
        answer(kind)


@pytest.mark.parametrize("kind", ["received", "acknowledged"])
def test_a_plain_answer_needs_no_more_than_a_person(kind):
    assert decide(feed(), answer(kind), SUPPLIER)
    with pytest.raises(ValidationError):
        answer(kind, person="")


def test_the_same_answer_again_writes_nothing():
    assert decide(feed(answer()), answer(), SUPPLIER) == ()


@pytest.mark.parametrize(
    ("first", "then"), [({"answer": "acknowledged"}, {"answer": "received"}), (MEETS, {"answer": "acknowledged"})]
)
def test_an_answer_never_goes_back(first, then):
    with pytest.raises(Refused, match="cannot go back"):
        decide(feed(answer(**first)), answer(**then), SUPPLIER)


@pytest.mark.parametrize(
    ("first", "then"), [({"answer": "received"}, {"answer": "acknowledged"}), (MEETS, CANNOT), (CANNOT, MEETS)]
)
def test_whether_it_can_be_met_may_change(first, then):
    assert decide(feed(answer(**first)), answer(**then), SUPPLIER) == (answer(**then),)


def test_a_counter_proposal_is_about_a_characteristic_of_the_notice():
    value = {"lower": 1750, "unit": "kA/m"}
    assert decide(feed(), answer("counter_proposal", value=value, characteristic="magnet.HcJ"), SUPPLIER)
    with pytest.raises(Invalid, match=r"magnet\.HcJ, not magnet\.Br"):
        decide(feed(), answer("counter_proposal", value=value, characteristic="magnet.Br"), SUPPLIER)
