"""The life of a case: rounds, versions, who may approve, and what closes and reopens it."""

import dataclasses
from datetime import timedelta

import pytest

from events.errors import Forbidden, Invalid, NotFound, Refused, VersionConflict, VersionRequired
from events.rules.proposals import (
    INITIAL,
    Approve,
    CaseReopened,
    Comment,
    Defer,
    OpenCase,
    ProposalApproved,
    ProposalEnacted,
    Propose,
    Refresh,
    Reject,
    Reopen,
    RevisionProposed,
    Withdraw,
    approvals_needed,
    decide,
    evolve,
    fold,
)
from events.rules.specs import WriteSpec
from tests.rules.story import ENGINE, POLICY, SPEC, Given, content, evidence, limits, recorded, revision

DECISIONS = (Approve, Reject, Defer)


def test_a_case_is_opened_once():
    given = Given()
    assert (given.state.state, given.state.version, given.state.stream_version) == ("open", 1, 1)
    with pytest.raises(Refused, match="open already"):
        given.when(OpenCase("c-1", "result", "again"))


@pytest.mark.parametrize("kind", [Approve, Reject, Defer])
def test_a_case_that_nobody_opened_is_not_found(kind):
    with pytest.raises(NotFound, match="no case 'c-9'"):
        decide(INITIAL, kind("c-9", "Ada", "why", 1), POLICY)


def test_the_first_proposal_is_round_one():
    given = Given()
    (event,) = given.when(Propose("c-1", content(), ENGINE, given.now))
    assert isinstance(event, RevisionProposed)
    assert (event.round, event.proposed_by, given.state.state, given.state.version) == (1, ENGINE, "proposed", 2)


def test_an_open_round_is_refreshed_and_not_proposed_again():
    with pytest.raises(Refused, match="lies open"):
        Given().proposed().proposed()


def test_a_characteristic_is_proposed_once():
    twice = (revision(None, limits(1)), revision(None, limits(2)))
    with pytest.raises(Invalid, match="twice"):
        Given().proposed(revisions=twice)


@pytest.mark.parametrize("kind", DECISIONS)
def test_a_decision_names_the_version(kind):
    given = Given().proposed()
    with pytest.raises(VersionRequired, match="Name the version"):
        given.when(kind("c-1", "Ada", "why", None))


@pytest.mark.parametrize("kind", DECISIONS)
def test_a_decision_on_an_older_version_is_a_conflict(kind):
    given = Given().proposed()
    with pytest.raises(VersionConflict) as caught:
        given.when(kind("c-1", "Ada", "why", 1))
    assert caught.value.facts == {"stream": "proposals/c-1", "expected": 1, "actual": 2}


@pytest.mark.parametrize("kind", DECISIONS)
@pytest.mark.parametrize("reason", ["", "  \n"])
def test_a_decision_needs_a_reason(kind, reason):
    given = Given().proposed()
    with pytest.raises(Invalid, match="needs a reason"):
        given.when(kind("c-1", "Ada", reason, 2))


@pytest.mark.parametrize("kind", DECISIONS)
def test_without_a_proposal_there_is_nothing_to_decide(kind):
    given = Given()
    with pytest.raises(Refused, match="nothing to decide: the case is open"):
        given.when(kind("c-1", "Ada", "why", 1))


def test_a_comment_changes_no_version():
    given = Given().proposed()
    given.when(Comment("c-1", "Elin", "T-4 is free."))
    assert (given.state.version, given.state.stream_version) == (2, 3)
    assert isinstance(given.when(given.approve(version=2))[0], ProposalApproved)


def test_a_blank_comment_is_refused():
    with pytest.raises(Invalid, match="says something"):
        Given().when(Comment("c-1", "Elin", " "))


@pytest.mark.parametrize("by", ["Elin", "elin ", "ELIN"])
def test_nobody_approves_what_they_proposed(by):
    given = Given().proposed(by="Elin")
    with pytest.raises(Forbidden, match="Elin proposed this and cannot approve it"):
        given.when(given.approve(by))


def test_who_proposed_may_reject():
    given = Given().proposed(by="Elin")
    given.when(Reject("c-1", "Elin", "my mistake", 2))
    assert given.state.state == "rejected"


def test_an_approval_that_needs_another_waits_for_another_person():
    given = Given(POLICY.model_copy(update={"approvals": 2})).proposed()
    given.when(given.approve("Ada"))
    assert (given.state.state, given.state.approvals) == ("approved", ("Ada",))
    with pytest.raises(Refused, match="another person"):
        given.when(given.approve("Ada"))
    given.when(given.approve("Bo"))
    assert given.state.approvals == ("Ada", "Bo")


def test_loosening_a_limit_of_safety_takes_two_approvals():
    wider = (revision(limits(1700), limits(1650)),)
    assert approvals_needed(Given().proposed(revisions=wider, safety=True).state, POLICY) == 2
    assert approvals_needed(Given().proposed(revisions=wider, safety=False).state, POLICY) == 1
    assert approvals_needed(Given().proposed(safety=True).state, POLICY) == 1


def test_a_proposal_without_revisions_cannot_be_approved():
    given = Given().proposed(revisions=(), conclusion="no_characteristic")
    with pytest.raises(Refused, match="nothing to enact"):
        given.when(given.approve())


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        ({}, True),
        ({"lower": 1785, "conclusion": "sourcing"}, True),
        ({"lower": 1785, "evidence": evidence(motors=80)}, False),
    ],
    ids=["limit", "conclusion", "count"],
)
def test_approvals_go_stale_with_limits_or_conclusion_and_not_with_a_count(change, stale):
    given = Given(POLICY.model_copy(update={"approvals": 2})).proposed()
    given.when(given.approve("Ada"))
    said = content(**{"lower": 1850, **change})
    # Given the event itself: a mere count is never refreshed by the rules.
    (shown,) = decide(
        Given().proposed().later(2).state, Refresh("c-1", content(1850), given.now + timedelta(hours=9)), POLICY
    )
    update = {"revisions": said.revisions, "conclusion": said.conclusion, "evidence": said.evidence}
    given.keep(shown.model_copy(update=update))
    assert (given.state.approvals == ()) is stale


def test_approvals_go_stale_with_the_effectivity():
    given = Given(POLICY.model_copy(update={"approvals": 2})).proposed()
    given.when(given.approve("Ada"))
    (shown,) = decide(Given().proposed().state, Refresh("c-1", content(1850), given.now + timedelta(hours=9)), POLICY)
    same = content()
    effectivity = same.effectivity.model_copy(update={"date": same.effectivity.date + timedelta(days=1)})
    given.keep(shown.model_copy(update={"revisions": same.revisions, "effectivity": effectivity}))
    assert given.state.approvals == ()


def test_a_deferred_proposal_may_still_be_decided():
    given = Given().proposed()
    given.when(Defer("c-1", "Elin", "next week", 2, given.now + timedelta(days=7)))
    assert given.state.state == "deferred" and given.state.deferred_until
    assert given.when(given.approve())
    assert given.state.deferred_until is None


@pytest.mark.parametrize("close", ["rejected", "withdrawn", "enacted"])
def test_a_closed_case_is_reopened_and_its_next_proposal_is_the_next_round(close):
    given = Given().proposed()
    {
        "rejected": lambda: given.when(Reject("c-1", "Ada", "no", 2)),
        "withdrawn": lambda: given.when(Withdraw("c-1", "voided")),
        "enacted": lambda: given.keep(ProposalEnacted(case="c-1", round=1, specs=(SPEC,), notices=("n",))),
    }[close]()
    assert given.state.state == close
    (event,) = given.when(Reopen("c-1", "north cannot meet it"))
    assert isinstance(event, CaseReopened)
    given.proposed(1790)
    assert (given.state.round, given.state.state) == (2, "proposed")


@pytest.mark.parametrize("command", [Reopen("c-1", "why")])
def test_an_open_case_is_not_reopened(command):
    with pytest.raises(Refused, match="not closed"):
        Given().proposed().when(command)


def test_only_an_open_proposal_is_withdrawn():
    with pytest.raises(Refused, match="nothing to withdraw"):
        Given().when(Withdraw("c-1", "faded"))


def test_the_state_is_the_same_folded_at_once_or_event_by_event():
    given = Given().proposed()
    given.when(Defer("c-1", "Elin", "next week", 2))
    given.when(Comment("c-1", "Elin", "hm"))
    given.when(given.approve("Ada"))
    state = INITIAL
    for event in given.log:
        state = evolve(state, event)
    assert state == fold(given.log) == given.state


def test_events_of_other_streams_leave_a_case_as_it_is():
    from events.rules import specs

    text = specs.SpecText.model_validate(
        {
            "spec": SPEC, "level": "magnet", "item": SPEC, "reason": "first", "effectivity": {"date": "2026-01-01"},
            "limits": [{"characteristic": "magnet.HcJ", "limits": {"lower": 1, "unit": "kA/m"}}],
        }
    )  # fmt: skip
    (event,) = recorded(specs.decide(specs.INITIAL, WriteSpec(text, "Elin")))
    state = Given().proposed().state
    assert evolve(state, event) == state


def test_a_reason_that_is_too_long_is_refused_and_not_a_fault_of_ours():
    given = Given().proposed()
    with pytest.raises(Invalid, match="reason"):
        given.when(dataclasses.replace(given.approve(), reason="x" * 5000))
