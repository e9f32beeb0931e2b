"""The decider on a real log: what it appends, what it leaves alone, and what it never does twice."""

from projections.folds import all_projections
from services.engine import Decider
from services.store.database import Database
from services.store.projector import Projector
from tests.engine.story import APPROVER, Story, story
from tests.inference.plants import made, requirement
from tests.inference.test_assess import specs


def test_one_turn_opens_the_cases_of_the_result_and_of_the_source_change(low_coercivity: Story):
    assert low_coercivity.turn() > 0
    cases = low_coercivity.cases()
    kinds = sorted(case.kind for case in cases.values())
    assert kinds == ["result", "source_change"]
    result = next(case for case in cases.values() if case.kind == "result")
    change = next(case for case in cases.values() if case.kind == "source_change")
    assert result.state == "proposed" and result.related == (change.case,)
    assert {item["level"] for item in result.proposal["revisions"]} == {"magnet", "alloy", "sourcing"}
    assert result.proposal["evidence"]["position"] > 0 and result.proposal["evidence"]["events"]


def test_the_state_loaded_from_tables_concludes_what_the_plain_state_does(low_coercivity: Story):
    from events.rules.policies import Policy
    from projections.inference.conclude import conclude
    from tests.inference.reference import state_of

    low_coercivity.turn()
    plain = conclude(state_of(list(made("low_hcj").events), requirement("motor.dpsi_irr"), specs()), Policy())
    case = next(case for case in low_coercivity.cases().values() if case.kind == "result")
    shown = {item["characteristic"]: item["new"] for item in case.proposal["revisions"] if item["new"]}
    for limit in plain.limits:
        assert shown[limit.characteristic]["lower" if limit.side == "lower" else "upper"] == limit.value


def test_a_second_turn_writes_nothing(low_coercivity: Story):
    low_coercivity.turn()
    head = low_coercivity.log.head()
    assert low_coercivity.turn() == 0 and low_coercivity.log.head() == head
    assert low_coercivity.decider.decided() == head


def test_a_decider_that_forgot_its_place_writes_nothing_twice(low_coercivity: Story, database: Database):
    low_coercivity.turn()
    head = low_coercivity.log.head()
    with database.begin() as connection:
        connection.exec_driver_sql("DELETE FROM projection_checkpoints WHERE name = 'decider'")
    assert low_coercivity.turn() == 0 and low_coercivity.log.head() == head


def test_two_deciders_never_double_the_work(low_coercivity: Story, database: Database):
    other = Projector(database, low_coercivity.log, all_projections(), "other", low_coercivity.clock)
    second = Decider(database, low_coercivity.log, other, low_coercivity.clock, settle_s=0.0)
    low_coercivity.projector.catch_up()
    assert low_coercivity.decider.decide_once() > 0
    head = low_coercivity.log.head()
    low_coercivity.projector.catch_up()
    assert second.decide_once() == 0
    assert low_coercivity.log.head() == head


def test_a_log_that_still_grows_is_waited_for(database: Database):
    found = story(database)
    found.decider.settle_s = 5.0
    found.order(requirement("motor.dpsi_irr"))
    found.facts(made("low_hcj").events)
    found.projector.catch_up()
    assert found.decider.decide_once() == 0
    found.clock.pass_hours(0.01)
    assert found.decider.decide_once() > 0


def test_certificates_are_assessed_against_the_revision_effective_for_their_lot(low_coercivity: Story):
    low_coercivity.turn()
    found = low_coercivity.events("assessments.lot_assessed")
    assert found and {event.data["revision"] for event in found} == {1}
    results = {(event.data["lot"]["id"], event.data["characteristic"]): event.data["result"] for event in found}
    assert results["M-ALP-01", "magnet.HcJ"] == "conform"
    assert {key for _, key in results} == {"magnet.HcJ", "magnet.Br", "alloy.Dy", "alloy.O", "process.B_al"}
    assert all(event.causation_id for event in found)


def test_evidence_that_fades_withdraws_the_proposal(low_coercivity: Story):
    low_coercivity.turn()
    case = next(case for case in low_coercivity.cases().values() if case.kind == "result")
    results = [event for event in made("low_hcj").events if "thermal" in event["type"]]
    low_coercivity.facts(
        {
            "specversion": "1.0", "type": "lodestone.tests.test_voided.v1", "source": event["source"],
            "id": f"void-{event['id']}", "time": event["time"],
            "data": {"motor": event["data"]["motor"], "test": {"source": event["source"], "id": event["id"]},
                     "reason": "The bench was out of calibration."},
        }
        for event in results
    )  # fmt: skip
    low_coercivity.turn()
    assert low_coercivity.desk.case(case.case).state == "withdrawn"


def test_a_supplier_that_cannot_meet_the_limit_reopens_the_case(low_coercivity: Story):
    from events.receive import Origin, draft
    from events.rules.notices import NoticeAnswered
    from services.store.log import Append

    low_coercivity.turn()
    case = next(case for case in low_coercivity.cases().values() if case.kind == "result")
    low_coercivity.desk.decide(case.case, "approve", case.version, APPROVER, "The soak results are clear.")
    low_coercivity.turn()
    notice = next(
        e for e in low_coercivity.events("feeds.notice_issued")
        if e.data["party"]["id"] == "beta" and e.data["level"] == "magnet"
    )  # fmt: skip
    answer = NoticeAnswered(
        notice=notice.data["notice"],
        party=notice.data["party"],
        answer="cannot_meet",
        person="K. Ito",
        reason="No Dy left.",
    )
    origin = Origin("/suppliers/beta", low_coercivity.clock().isoformat())
    low_coercivity.log.append(Append((draft(answer, id="answer-1", origin=origin),)))
    low_coercivity.turn()
    again = low_coercivity.desk.case(case.case)
    assert again.state == "open" and again.reason is not None
    assert "beta cannot meet magnet.HcJ" in again.reason and "Remaining supply" in again.reason
    assert len(low_coercivity.events("proposals.case_reopened")) == 1


def test_nothing_is_concluded_without_a_requirement_but_a_source_change_opens_its_case(database: Database):
    found = story(database)
    found.facts(made("low_hcj").events)
    found.turn()
    assert [case.kind for case in found.cases().values()] == ["source_change"]


def test_a_rejected_case_stays_quiet(low_coercivity: Story):
    low_coercivity.turn()
    case = next(case for case in low_coercivity.cases().values() if case.kind == "result")
    low_coercivity.desk.decide(case.case, "reject", case.version, APPROVER, "The furnace was repaired since.")
    low_coercivity.clock.pass_hours(48)
    low_coercivity.facts(event | {"id": event["id"] + "-again"} for event in list(made("low_hcj").events)[-2:])
    low_coercivity.turn()
    assert low_coercivity.desk.case(case.case).state == "rejected"
