"""The decider on a real log: what it appends, what it leaves alone, and what it never does twice."""

from events.receive import Origin, draft
from events.rules.notices import NoticeAnswered
from events.rules.policies import Policy
from projections.folds import all_projections
from projections.inference.conclude import conclude
from services.engine.decider import Decider
from services.store.database import Database
from services.store.log import Append
from services.store.projecting.projector import Projector
from tests.engine.story import APPROVER, Story, story
from tests.inference.plants import made, requirement
from tests.inference.reference import state_of
from tests.inference.test_assess import specs


def test_one_turn_opens_the_cases_of_the_result_and_of_the_source_change(folded: Story):
    assert folded.turn() > 0
    cases = folded.cases()
    kinds = sorted(case.kind for case in cases.values())
    assert kinds == ["result", "source_change"]
    result = next(case for case in cases.values() if case.kind == "result")
    change = next(case for case in cases.values() if case.kind == "source_change")
    assert result.state == "proposed" and result.related == (change.case,)
    assert {item["level"] for item in result.proposal["revisions"]} == {"magnet", "alloy", "sourcing"}
    assert result.proposal["evidence"]["position"] > 0 and result.proposal["evidence"]["events"]


def test_the_state_loaded_from_tables_concludes_what_the_plain_state_does(decided: Story):
    plain = conclude(
        state_of(list(made("low_hcj", motors_per_lot=10).events), requirement("motor.dpsi_irr"), specs()), Policy()
    )
    case = next(case for case in decided.cases().values() if case.kind == "result")
    shown = {item["characteristic"]: item["new"] for item in case.proposal["revisions"] if item["new"]}
    for limit in plain.limits:
        assert shown[limit.characteristic]["lower" if limit.side == "lower" else "upper"] == limit.value


def test_a_second_turn_writes_nothing(decided: Story):
    head = decided.log.head()
    assert decided.turn() == 0 and decided.log.head() == head
    assert decided.decider.decided() == head


def test_a_decider_that_forgot_its_place_writes_nothing_twice(decided: Story):
    head = decided.log.head()
    with decided.log.database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM projection_checkpoints WHERE name = 'decider'")
    decided.clock.pass_hours(0.5)
    assert decided.turn() == 0 and decided.log.head() == head
    assert decided.decider.decided() == head


def test_two_deciders_never_double_the_work(folded: Story):
    other = Projector(folded.log.database, folded.log, all_projections(), "other", folded.clock)
    second = Decider(folded.log.database, folded.log, other, folded.clock, settle_s=0.0)
    folded.projector.catch_up()
    assert folded.decider.decide_once() > 0
    head = folded.log.head()
    folded.projector.catch_up()
    assert second.decide_once() == 0
    assert folded.log.head() == head


def test_it_concludes_from_one_position_however_far_each_share_is(folded: Story):
    before = folded.log.head()
    folded.projector.sharing.divide(3)
    folded.facts(made("low_hcj", motors_per_lot=11).events)
    folded.projector.catch_up()
    reached, head = folded.projector.positions(), folded.log.head()
    assert (reached["correlation"], reached["genealogy"]) == (before, head) and before < head
    assert folded.decider.decide_once() > 0
    assert folded.decider.decided() == head
    assert set(folded.projector.positions().values()) == {head}


def test_a_log_that_still_grows_is_waited_for(database: Database):
    found = story(database)
    found.decider.settle_s = 5.0
    found.order(requirement("motor.dpsi_irr"))
    found.facts(made("low_hcj", motors_per_lot=10).events)
    found.projector.catch_up()
    assert found.decider.decide_once() == 0
    found.clock.pass_hours(0.01)
    assert found.decider.decide_once() > 0


def test_certificates_are_assessed_against_the_revision_effective_for_their_lot(decided: Story):
    found = decided.events("assessments.lot_assessed")
    assert found and {event.data["revision"] for event in found} == {1}
    results = {(event.data["lot"]["id"], event.data["characteristic"]): event.data["result"] for event in found}
    assert results["M-ALP-01", "magnet.HcJ"] == "conform"
    assert {key for _, key in results} == {"magnet.HcJ", "magnet.Br", "alloy.Dy", "alloy.O", "process.B_al"}
    assert all(event.causation_id for event in found)


def test_evidence_that_fades_withdraws_the_proposal(decided: Story):
    case = next(case for case in decided.cases().values() if case.kind == "result")
    results = [event for event in made("low_hcj", motors_per_lot=10).events if "thermal" in event["type"]]
    decided.facts(
        {
            "specversion": "1.0", "type": "lodestone.tests.test_voided.v1", "source": event["source"],
            "id": f"void-{event['id']}", "time": event["time"],
            "data": {"motor": event["data"]["motor"], "test": {"source": event["source"], "id": event["id"]},
                     "reason": "The bench was out of calibration."},
        }
        for event in results
    )  # fmt: skip
    decided.turn()
    assert decided.desk.case(case.case).state == "withdrawn"


def test_a_supplier_that_cannot_meet_the_limit_reopens_the_case(decided: Story):
    case = next(case for case in decided.cases().values() if case.kind == "result")
    decided.desk.decide(case.case, "approve", case.version, APPROVER, "The soak results are clear.")
    decided.turn()
    notice = next(
        e for e in decided.events("feeds.notice_issued")
        if e.data["party"]["id"] == "beta" and e.data["level"] == "magnet"
    )  # fmt: skip
    answer = NoticeAnswered(
        notice=notice.data["notice"],
        party=notice.data["party"],
        answer="cannot_meet",
        person="K. Ito",
        reason="No Dy left.",
    )
    origin = Origin("/suppliers/beta", decided.clock().isoformat())
    decided.log.append(Append((draft(answer, id="answer-1", origin=origin),)))
    decided.turn()
    again = decided.desk.case(case.case)
    assert again.state == "open" and again.reason is not None
    assert "beta cannot meet magnet.HcJ" in again.reason and "Remaining supply" in again.reason
    assert len(decided.events("proposals.case_reopened")) == 1


def test_nothing_is_concluded_without_a_requirement_but_a_source_change_opens_its_case(database: Database):
    found = story(database)
    found.facts(made("low_hcj", motors_per_lot=10).events)
    found.turn()
    assert [case.kind for case in found.cases().values()] == ["source_change"]


def test_a_rejected_case_stays_quiet(decided: Story):
    case = next(case for case in decided.cases().values() if case.kind == "result")
    decided.desk.decide(case.case, "reject", case.version, APPROVER, "The furnace was repaired since.")
    decided.clock.pass_hours(48)
    decided.facts(
        event | {"id": event["id"] + "-again"} for event in list(made("low_hcj", motors_per_lot=10).events)[-2:]
    )
    decided.turn()
    assert decided.desk.case(case.case).state == "rejected"
