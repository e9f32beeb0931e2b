"""Amending: a reviewer's limits take the place of the proposed ones, and the amender does not approve."""

import pytest

from events.errors import Forbidden, Invalid
from events.rules.proposals import Amend, AmendedLimit, ProposalAmended, Withdraw, approvals_needed
from tests.rules.story import POLICY, SPEC, Given, limits, revision


def amended(lower=None, target=None, upper=None, unit="kA/m", characteristic="magnet.HcJ"):
    return AmendedLimit(spec=SPEC, characteristic=characteristic, lower=lower, target=target, upper=upper, unit=unit)


def amend(given, *changes, by="Elin", version=None):
    return Amend("c-1", by, "rounded", changes, given.state.version if version is None else version)


def test_nobody_approves_what_they_amended():
    given = Given().proposed()
    given.when(amend(given, amended(lower=1790), by="Ada"))
    given.when(amend(given, amended(lower=1795), by="Bo"))
    with pytest.raises(Forbidden, match="Ada amended this proposal and cannot approve it"):
        given.when(given.approve("Ada"))
    assert given.when(given.approve("Cleo"))


def test_who_amended_an_earlier_round_may_approve_a_later_one():
    given = Given().proposed()
    given.when(amend(given, amended(lower=1790), by="Ada"))
    given.when(Withdraw("c-1", "voided"))
    assert given.proposed(1800).when(given.approve("Ada"))


def test_an_amendment_that_loosens_a_limit_of_safety_takes_two_approvals():
    given = Given().proposed(safety=True)
    given.when(amend(given, amended(lower=1690)))
    assert approvals_needed(given.state, POLICY) == 2
    given.when(amend(given, amended(lower=1710)))
    assert approvals_needed(given.state, POLICY) == 1


def test_an_amendment_keeps_what_it_leaves_out_and_converts_units():
    given = Given().proposed()
    (event,) = given.when(amend(given, amended(lower=1_790_000, unit="A/m")))
    assert isinstance(event, ProposalAmended)
    assert event.limits[0].lower == 1_790_000
    assert event.limits[0].target == pytest.approx(2_000_000)
    new = given.state.proposal["revisions"][0]["new"]
    assert (new["lower"], new["unit"], new["upper"]) == (1_790_000, "A/m", None)
    assert given.state.amended_by == ("Elin",)


def test_an_amended_limit_keeps_its_guard_band():
    accepted = {"lower": 1812, "upper": None, "unit": "kA/m", "rule": "guard_0.82U", "u": 16.4}
    given = Given().proposed(revisions=(revision(limits(1700), limits(1785), acceptance=accepted),))
    given.when(amend(given, amended(lower=1800)))
    assert given.state.proposal["revisions"][0]["acceptance"]["lower"] == pytest.approx(1827)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (amended(lower=2100), "lower ≤ target ≤ upper does not hold: lower 2100, target 2000 kA/m"),
        (amended(lower=1.2, unit="T"), "field strength"),
        (amended(lower=1.2, unit="T", characteristic="magnet.Br"), "proposed are: magnet.HcJ of maker:magnet-A"),
    ],
)
def test_an_amendment_that_does_not_fit_is_refused_with_its_place(change, match):
    given = Given().proposed()
    with pytest.raises(Invalid, match=match) as caught:
        given.when(amend(given, change))
    assert caught.value.errors[0].pointer.startswith("/limits/0")


def test_an_amendment_names_limits_and_each_once():
    given = Given().proposed()
    with pytest.raises(Invalid, match="names the limits"):
        given.when(amend(given))
    with pytest.raises(Invalid, match="amended twice"):
        given.when(amend(given, amended(lower=1790), amended(lower=1795)))


def test_an_amendment_makes_approvals_stale():
    given = Given(POLICY.model_copy(update={"approvals": 2})).proposed()
    given.when(given.approve("Ada"))
    given.when(amend(given, amended(lower=1790)))
    assert (given.state.state, given.state.approvals) == ("proposed", ())
