"""A reviewer's page does not change under their hands, and a rejected case stays quiet."""

from datetime import timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from events.errors import Refused
from events.rules.proposals import Amend, AmendedLimit, Defer, Propose, Refresh, Reject, quiet, worth_refreshing
from tests.rules.story import ENGINE, POLICY, SPEC, START, Given, content, evidence, limits, revision


def worth(given, lower=1785.0, conclusion="tighten", hours=2.0, **more):
    said = content(lower, conclusion=conclusion, **more)
    return worth_refreshing(given.state, said.revisions, said.conclusion, POLICY, given.now + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("lower", "hours", "refreshed"),
    [(1785 * 1.0049, 2, False), (1785 * 1.0051, 2, True), (1785 * 0.99, 2, True), (1850, 0.99, False), (1850, 1, True)],
)
def test_a_proposal_is_refreshed_when_a_limit_moved_by_more_than_the_step_and_once_an_interval(lower, hours, refreshed):
    assert worth(Given().proposed(), lower, hours=hours) is refreshed


def test_the_step_is_measured_from_what_is_shown_so_small_moves_add_up():
    given = Given().proposed(1785)
    for lower in (1788, 1791):
        assert not worth(given, lower)
    assert worth(given, 1795)


def test_a_changed_conclusion_is_shown_but_also_once_an_interval():
    assert worth(Given().proposed(), conclusion="sourcing")
    assert not worth(Given().proposed(), conclusion="sourcing", hours=0.5)


def test_another_set_of_characteristics_is_worth_showing():
    more = (*content().revisions, revision(None, limits(1.2, unit="T"), characteristic="magnet.Br"))
    assert worth(Given().proposed(), revisions=more)


def test_the_same_limit_in_another_unit_is_the_same():
    same = (revision(limits(1_700_000, target=2_000_000, unit="A/m"), limits(1_785_000, target=2_000_000, unit="A/m")),)
    assert not worth(Given().proposed(), revisions=same)


def test_a_specification_that_moved_on_is_worth_showing():
    moved = (revision(limits(1720, target=2000), limits(1785, target=2000)),)
    assert worth(Given().proposed(), revisions=moved)


def test_what_a_person_amended_changes_only_with_the_conclusion():
    given = Given().proposed()
    change = AmendedLimit(spec=SPEC, characteristic="magnet.HcJ", lower=1800, unit="kA/m")
    given.when(Amend("c-1", "Elin", "rounded", (change,), 2))
    assert not worth(given, 1900)
    assert worth(given, 1900, conclusion="sourcing")


def test_what_was_deferred_sleeps_until_its_date():
    given = Given().proposed()
    given.when(Defer("c-1", "Elin", "next week", 2, START + timedelta(days=7)))
    assert not worth(given, 1900, hours=24)
    assert worth(given, 1900, hours=24 * 8)


def test_a_case_without_an_open_proposal_is_not_refreshed():
    assert not worth(Given())
    with pytest.raises(Refused, match="propose a new round"):
        Given().when(Refresh("c-1", content(), START))


def test_a_refresh_that_is_not_worth_it_is_refused_and_one_that_is_changes_the_version():
    given = Given().proposed()
    with pytest.raises(Refused, match="stays as it is"):
        given.when(Refresh("c-1", content(1786), given.now + timedelta(hours=5)))
    given.later(5).when(Refresh("c-1", content(1850), given.now))
    assert (given.state.version, given.state.round) == (3, 1)
    assert given.state.proposal["revisions"][0]["new"]["lower"] == 1850


def rejected():
    given = Given().proposed()
    given.when(Reject("c-1", "Ada", "one bench only", 2))
    return given


@pytest.mark.parametrize(
    ("found", "silent"),
    [
        (evidence(), True),
        (evidence(motors=60), True),
        (evidence(motors=61), False),
        (evidence(results=76), False),
        (evidence(results=20), False),
        (evidence(bad=("L1", "L2")), False),
        (evidence(bad=()), False),
    ],
)
def test_a_rejected_case_stays_quiet_until_its_evidence_differs_by_the_threshold(found, silent):
    given = rejected()
    assert quiet(given.state, found, POLICY, given.now) is silent
    command = Propose("c-1", content(evidence=found), ENGINE, given.now)
    if silent:
        with pytest.raises(Refused, match="stays quiet until its evidence differs"):
            given.when(command)
    else:
        assert given.when(command)
        assert given.state.round == 2


def test_a_quiet_period_passes_first():
    given = rejected()
    policy = POLICY.model_copy(update={"quiet_period_h": 24.0})
    found = evidence(motors=400)
    assert quiet(given.state, found, policy, given.now + timedelta(hours=23))
    assert not quiet(given.state, found, policy, given.now + timedelta(hours=24))


def test_a_case_that_was_not_rejected_is_never_quiet():
    given = Given().proposed()
    assert not quiet(given.state, evidence(), POLICY, given.now)


@for_all(st.floats(100, 5000), st.floats(0, 0.1))
def test_a_move_within_the_step_is_never_shown_in_either_direction(shown, share):
    step = POLICY.refresh_step_relative
    given = Given().proposed(revisions=(revision(None, limits(shown)),))
    for way in (1, -1):
        moved = (revision(None, limits(shown * (1 + way * share))),)
        if abs(share - step) > 1e-6:
            assert worth(given, revisions=moved) is (share > step)
