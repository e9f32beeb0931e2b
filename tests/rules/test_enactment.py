"""The last approval: revised specifications, notices and enactment in one append, or nothing."""

from datetime import date, timedelta

import pytest

from events.errors import Forbidden, Refused, VersionConflict
from events.receive import Origin, draft
from events.refs import Ref
from events.rules import specs
from events.rules.enactment import enact, specs_of
from events.rules.proposals import Amend, AmendedLimit, ProposalApproved, ProposalEnacted
from events.rules.specs import SpecIssued, SpecRevised, SpecText, WriteSpec, decide
from tests.rules.story import ITEM, NORTH, POLICY, SOUTH, SPEC, Given, limits, recorded, revision

TODAY = date(2026, 3, 1)
NAME = str(SPEC)
SOURCING = Ref(issuer="maker", id="sourcing-A-north")


def in_force(lower=1700, **more):
    hcj = {
        "characteristic": "magnet.HcJ",
        "limits": {"lower": lower, "target": 2000, "unit": "kA/m"},
        "method": "IEC 60404-5",
        "n": 5,
    }
    br = {"characteristic": "magnet.Br", "limits": {"lower": 1.2, "unit": "T"}}
    content = {"spec": SPEC, "level": "magnet", "item": ITEM, "effectivity": {"date": "2026-01-01"}, "reason": "first"}
    text = SpecText.model_validate({**content, "limits": [hcj, br], **more})
    return specs.fold(recorded(decide(specs.INITIAL, WriteSpec(text, "Elin"))))


def sourcing(party=NORTH, **more):
    said = {"required_evidence": ["8D report"], **more}
    return revision(
        spec=SOURCING, level="sourcing", suppliers=(party,), characteristic="sourcing.source", sourcing=said
    )


def enacted(given=None, spec=None, recipients=(NORTH, SOUTH), today=TODAY, by="Ada", policy=POLICY):
    given = given or Given().proposed()
    states = {NAME: in_force() if spec is None else spec}
    parties = dict.fromkeys(specs_of(given.state), recipients)
    return enact(given.state, given.approve(by), states, policy, parties, today)


def test_one_append_holds_the_approval_the_revisions_and_the_notices():
    done = enacted()
    kinds = [type(model).__name__ for model in done.models]
    assert kinds == ["ProposalApproved", "ProposalEnacted", "SpecRevised", "NoticeIssued", "NoticeIssued"]
    assert done.enacted
    event = done.models[1]
    assert isinstance(event, ProposalEnacted)
    assert (event.round, event.specs) == (1, (SPEC,))
    assert event.notices == tuple(notice.notice for notice in done.notices)


def test_it_expects_the_case_and_every_specification_as_they_were_seen():
    given = Given().proposed(revisions=(revision(limits(1700, target=2000), limits(1785, target=2000)), sourcing()))
    done = enacted(given)
    assert done.expected == {"proposals/c-1": given.state.stream_version, f"specs/{NAME}": 1, f"specs/{SOURCING}": 0}


def test_the_revision_is_the_whole_text_with_the_proposed_limits_in_place():
    (text,) = enacted().revisions
    assert isinstance(text, SpecRevised)
    by = {limit.characteristic: limit for limit in text.limits}
    assert (text.revision, text.case, text.round, text.by) == (2, "c-1", 1, "Ada")
    assert (by["magnet.HcJ"].limits.lower, by["magnet.HcJ"].limits.target) == (1785, 2000)
    assert (by["magnet.HcJ"].method, by["magnet.HcJ"].n) == ("IEC 60404-5", 5)
    assert by["magnet.Br"].limits.lower == 1.2


def test_the_revision_names_its_evidence():
    given = Given().proposed()
    (text,) = enacted(given).revisions
    assert [ref.model_dump() for ref in text.evidence] == [given.state.shown_by]


def test_a_characteristic_and_a_specification_that_are_new_are_added():
    new = revision(None, limits(upper=3, unit="%"), characteristic="magnet.sigma_B")
    given = Given().proposed(revisions=(new, sourcing()))
    texts = enacted(given).revisions
    assert [type(text) for text in texts] == [SpecRevised, SpecIssued]
    assert [limit.characteristic for limit in texts[0].limits] == ["magnet.HcJ", "magnet.Br", "magnet.sigma_B"]
    assert (texts[1].revision, texts[1].suppliers) == (1, (NORTH,))


def test_amended_limits_are_what_is_enacted():
    given = Given().proposed()
    change = AmendedLimit(spec=SPEC, characteristic="magnet.HcJ", lower=1790, unit="kA/m")
    given.when(Amend("c-1", "Elin", "rounded", (change,), 2))
    assert enacted(given).revisions[0].limits[0].limits.lower == 1790
    with pytest.raises(Forbidden):
        enacted(given, by="Elin")


def test_a_limit_that_moved_on_since_it_was_proposed_is_a_conflict():
    with pytest.raises(VersionConflict, match="have changed since this was proposed"):
        enacted(spec=in_force(1720))


def test_the_same_limit_written_in_another_unit_has_not_moved_on():
    old = {"characteristic": "magnet.HcJ", "limits": {"lower": 1.7e6, "target": 2e6, "unit": "A/m"}}
    assert enacted(spec=in_force(limits=[old])).enacted


def test_another_approval_is_awaited_where_the_policy_asks_for_two():
    policy = POLICY.model_copy(update={"approvals": 2})
    given = Given(policy).proposed()
    first = enacted(given, policy=policy)
    assert [type(model) for model in first.models] == [ProposalApproved] and not first.enacted
    assert first.expected == {"proposals/c-1": 2}
    given.keep(*first.models)
    with pytest.raises(Refused):
        enacted(given, policy=policy, by="Ada")
    assert enacted(given, policy=policy, by="Bo").enacted


@pytest.mark.parametrize(("lower", "enough"), [(1650, False), (1785, True)])
def test_loosening_a_critical_characteristic_takes_two_approvals_whoever_proposed_it(lower, enough):
    hcj = {"characteristic": "magnet.HcJ", "limits": {"lower": 1700, "unit": "kA/m"}, "special_class": "critical"}
    given = Given().proposed(revisions=(revision(limits(1700), limits(lower)),), conclusion="manual")
    assert enacted(given, spec=in_force(limits=[hcj])).enacted is enough


def test_a_revision_never_binds_in_the_past():
    late = date(2026, 9, 1)
    done = enacted(today=late)
    assert done.revisions[0].effectivity.date == late
    assert enacted().revisions[0].effectivity.date == date(2026, 6, 1)


def test_each_notice_says_old_and_new_direction_acceptance_and_by_when():
    accepted = {"lower": 1_812_000, "upper": None, "unit": "A/m", "rule": "guard_0.82U", "u": 16.4}
    change = revision(limits(1700, target=2000), limits(1785, target=2000), acceptance=accepted)
    notice = enacted(Given().proposed(revisions=(change,))).notices[0]
    (told,) = notice.changes
    assert (told.old.lower, told.new.lower, told.direction) == (1700, 1785, "tightened")
    assert (told.acceptance_lower, told.acceptance_upper, told.decision_rule) == (1812, None, "guard_0.82U")
    assert (notice.revision, notice.previous_revision, notice.kind) == (2, 1, "released")
    assert notice.respond_by == TODAY + timedelta(days=30)
    assert notice.effectivity.date == date(2026, 6, 1)


def test_an_answer_is_due_before_the_revision_binds():
    soon = TODAY + timedelta(days=7)
    done = enacted(Given().proposed(effectivity=specs.Effectivity(date=soon)))
    assert done.notices[0].respond_by == soon


def test_a_notice_does_not_repeat_the_approvers_words():
    done = enacted()
    assert done.revisions[0].reason == "agreed"
    assert {notice.reason for notice in done.notices} == {"Results of motor tests ask for tighter limits."}


def test_every_party_that_a_specification_binds_is_told_whoever_the_proposal_was_about():
    about_north = revision(limits(1700, target=2000), limits(1785, target=2000), suppliers=(NORTH,))
    done = enacted(Given().proposed(revisions=(about_north,)))
    assert [notice.party for notice in done.notices] == [NORTH, SOUTH]


def test_only_the_parties_that_a_specification_binds_are_told():
    done = enacted(spec=in_force(suppliers=[NORTH]))
    assert [notice.party for notice in done.notices] == [NORTH]


def test_a_sourcing_change_is_told_to_its_supplier_alone():
    given = Given().proposed(revisions=(sourcing(permitted_sources=["north's mine"]),))
    (notice,) = enacted(given).notices
    assert notice.party == NORTH and notice.level == "sourcing"
    assert notice.sourcing.required_evidence == ("8D report",)


def test_a_permitted_source_of_one_party_is_told_to_no_other():
    shared = revision(
        spec=SOURCING,
        level="sourcing",
        characteristic="sourcing.source",
        sourcing={"permitted_sources": ["north's mine"], "excluded_sources": ["bad mine"]},
    )
    for notice in enacted(Given().proposed(revisions=(shared,))).notices:
        assert notice.sourcing.permitted_sources == ()
        assert notice.sourcing.excluded_sources == ("bad mine",)


def test_sourcing_adds_up_and_a_source_is_permitted_or_excluded_and_not_both():
    given = Given().proposed(
        revisions=(sourcing(excluded_sources=["A"], permitted_sources=["C"], custody_model="segregated"),)
    )
    before = {"permitted_sources": ["A", "B"], "excluded_sources": ["C"], "required_evidence": ["audit"]}
    content = {"spec": SOURCING, "level": "sourcing", "item": ITEM, "suppliers": [NORTH], "reason": "first"}
    text = SpecText.model_validate({**content, "sourcing": before, "effectivity": {"date": "2026-01-01"}})
    state = specs.fold(recorded(decide(specs.INITIAL, WriteSpec(text, "Elin"))))
    done = enact(given.state, given.approve(), {str(SOURCING): state}, POLICY, {str(SOURCING): (NORTH,)}, TODAY)
    merged = done.revisions[0].sourcing
    assert merged is not None
    assert merged.permitted_sources == ("B", "C")
    assert merged.excluded_sources == ("A",)
    assert merged.required_evidence == ("audit", "8D report")
    assert merged.custody_model == "segregated"


def test_the_same_decision_makes_the_same_events_with_the_same_ids():
    given = Given().proposed()
    first, second = enacted(given), enacted(given)
    assert first == second
    assert len(set(first.ids)) == len(first.models)


def test_every_event_of_the_append_can_be_drafted():
    done = enacted()
    origin = Origin("/services/review", "2026-03-01T08:00:00.000000Z", correlation="c-1")
    drafts = [draft(model, id=identity, origin=origin) for model, identity in zip(done.models, done.ids, strict=True)]
    assert [item.stream for item in drafts] == [
        "proposals/c-1", "proposals/c-1", f"specs/{NAME}", "feeds/north:north", "feeds/south:south",
    ]  # fmt: skip


def test_who_proposed_cannot_enact():
    with pytest.raises(Forbidden, match="Ada proposed"):
        enacted(Given().proposed(by="Ada"))
