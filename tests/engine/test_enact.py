"""The decision call on a real log: one append, at the version that the reviewer saw, by who may."""

from typing import Any

import pytest

from events.errors import Forbidden, NotFound, Refused, VersionConflict, VersionRequired
from events.refs import Ref
from events.rules.access import Principal
from events.rules.proposals import AmendedLimit, CaseState
from events.rules.specs import SpecState
from services.engine.enact import Desk
from services.store.log import Companion
from tests.engine.story import APPROVER, ENGINEER, Story

OTHER = Principal("otto", "approver")


@pytest.fixture
def proposed(decided: Story) -> tuple[Story, CaseState]:
    return decided, next(case for case in decided.cases().values() if case.kind == "result")


def test_an_approval_enacts_everything_in_one_append(proposed: Any):
    story, case = proposed
    head = story.log.head()
    done = story.desk.decide(case.case, "approve", case.version, APPROVER, "The soak results are clear.")
    assert done.state == "enacted" and done.position == story.log.head()
    assert {spec for spec, _ in done.revisions} == {
        "reference-works:magnet-REF", "reference-works:alloy-REF", "reference-works:sourcing-MAG-REF-beta",
    }  # fmt: skip
    appended = story.log.read(head, 100)
    assert len(appended) == 2 + len(done.revisions) + len(done.notices)
    assert len({event.recorded_time for event in appended}) == 1
    assert {event.correlation_id for event in appended} == {case.case}


def test_every_supplier_is_told_of_its_own_and_nothing_of_others(proposed: Any):
    story, case = proposed
    story.desk.decide(case.case, "approve", case.version, APPROVER, "The soak results are clear.")
    notices = story.events("feeds.notice_issued")
    told = {(event.data["party"]["id"], event.data["level"]) for event in notices}
    both = {(party, level) for party in ("alpha", "beta", "gamma") for level in ("magnet", "alloy")}
    assert told == both | {("beta", "sourcing")}
    for event in notices:
        if event.data["party"]["id"] != "beta":
            assert "OX-NEW" not in str(event.data) and "BET-02" not in str(event.data)


def test_a_decision_names_the_version_it_saw(proposed: Any):
    story, case = proposed
    with pytest.raises(VersionRequired):
        story.desk.decide(case.case, "approve", None, APPROVER, "Yes.")
    with pytest.raises(VersionConflict):
        story.desk.decide(case.case, "approve", case.version - 1, APPROVER, "Yes.")
    assert story.desk.case(case.case).state == "proposed"


def test_only_an_approver_approves_and_nobody_what_they_amended(proposed: Any):
    story, case = proposed
    with pytest.raises(Forbidden):
        story.desk.decide(case.case, "approve", case.version, ENGINEER, "Yes.")
    limit = next(item for item in case.proposal["revisions"] if item["characteristic"] == "magnet.HcJ")
    amended = AmendedLimit(
        spec=limit["spec"], characteristic="magnet.HcJ", lower=limit["new"]["lower"] + 20.0, unit="kA/m"
    )
    after = story.desk.decide(case.case, "amend", case.version, APPROVER, "A little more margin.", [amended])
    with pytest.raises(Forbidden, match="paula amended"):
        story.desk.decide(case.case, "approve", after.version, APPROVER, "Yes.")
    done = story.desk.decide(case.case, "approve", after.version, OTHER, "Agreed.")
    assert done.state == "enacted"
    text = story.events("specs.spec_revised")[0].data
    new = next(item["limits"] for item in text["limits"] if item["characteristic"] == "magnet.HcJ")
    assert new["lower"] == limit["new"]["lower"] + 20.0


def test_a_rejection_keeps_the_specifications_as_they_are(proposed: Any):
    story, case = proposed
    head = story.log.head()
    done = story.desk.decide(case.case, "reject", case.version, APPROVER, "The furnace was repaired since.")
    assert (done.state, done.revisions, done.notices) == ("rejected", (), ())
    assert story.log.head() == head + 1


def test_a_decision_on_a_case_that_moved_on_meanwhile_writes_nothing(proposed: Any):
    story, case = proposed
    story.desk.decide(case.case, "reject", case.version, APPROVER, "No.")
    head = story.log.head()
    with pytest.raises((VersionConflict, Refused)):
        story.desk.decide(case.case, "approve", case.version, OTHER, "Yes.")
    assert story.log.head() == head


class Overtaken(Desk):
    """A desk whose decision is overtaken by another one between reading and writing."""

    def recipients(self, spec: SpecState, case: CaseState) -> tuple[Ref, ...]:
        if case.state == "proposed" and self.case(case.case).state == "proposed":
            Desk(self.log, self.projector).decide(case.case, "reject", case.version, OTHER, "Not yet.")
        return super().recipients(spec, case)


def test_a_decision_that_is_overtaken_before_its_append_writes_nothing_of_it(proposed: Any):
    story, case = proposed
    head = story.log.head()
    with pytest.raises(VersionConflict):
        Overtaken(story.log, story.projector).decide(case.case, "approve", case.version, APPROVER, "Yes.")
    assert story.log.head() == head + 1 and story.desk.case(case.case).state == "rejected"
    assert not story.events("specs.spec_revised") and not story.events("feeds.notice_issued")


def test_companions_are_written_with_the_decision(proposed: Any):
    story, case = proposed
    row = {"principal": "paula", "key": "k-1", "request_hash": b"x", "created_at": story.clock()}
    companion = Companion("idempotency", row)
    story.desk.decide(case.case, "reject", case.version, APPROVER, "No.", companions=[companion])
    with story.log.database.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM idempotency").scalar() == 1


def test_a_comment_changes_nothing(proposed: Any):
    story, case = proposed
    after = story.desk.comment(case.case, ENGINEER, "I have asked the furnace crew.")
    assert after.version == case.version and after.state == "proposed"


def test_an_unknown_case_is_not_found(proposed: Any):
    story, _ = proposed
    with pytest.raises(NotFound):
        story.desk.decide("nothing", "reject", 1, APPROVER, "No.")
