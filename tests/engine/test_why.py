"""Why is this limit what it is: an unbroken chain of events from the results to the answers."""

import pytest

from events.envelope import utc_text
from events.errors import NotFound
from events.receive import Origin, draft
from events.rules.notices import NoticeAnswered
from projections.inference.why.chain import ORDER
from services.engine.explaining import explain
from services.store.log import Append
from tests.engine.story import APPROVER, Story

SPEC = "reference-works:magnet-REF"


@pytest.fixture
def enacted(decided: Story) -> Story:
    case = next(case for case in decided.cases().values() if case.kind == "result")
    decided.desk.decide(case.case, "approve", case.version, APPROVER, "The soak results are clear.")
    origin = Origin("/suppliers/alpha", utc_text(decided.clock()))
    for number, event in enumerate(decided.events("feeds.notice_issued")):
        told = event.data
        answer = NoticeAnswered(notice=told["notice"], party=told["party"], answer="acknowledged", person="K. Ito")
        decided.log.append(Append((draft(answer, id=f"answer-{number}", origin=origin),)))
    decided.projector.catch_up()
    return decided


def test_the_chain_has_every_role_in_order_with_one_sentence_each(enacted: Story):
    chain = explain(enacted.log, enacted.projector, "reference-works:alloy-REF", "alloy.Dy")
    roles = [event.role for event in chain.events]
    assert set(roles) == set(ORDER)
    assert roles == sorted(roles, key=ORDER.index)
    assert chain.revision == 2
    for event in chain.events:
        assert event.sentence.rstrip().endswith((".", "data.")) and "None" not in event.sentence, event


def test_every_result_that_counted_is_there_with_its_motor_and_its_lots(enacted: Story):
    chain = explain(enacted.log, enacted.projector, SPEC, "magnet.HcJ")
    results = [event for event in chain.events if event.role == "result"]
    motors = [event for event in chain.events if event.role == "motor" and "motor_built" in event.type]
    assert len(results) == 60 and len(motors) == 60
    bad = [event for event in chain.events if event.role == "lot" and "M-BET-02" in event.sentence]
    assert bad and any("OX-NEW" in event.sentence for event in chain.events if event.role == "lot")
    certificates = [event for event in chain.events if event.role == "certificate"]
    assert len([event for event in certificates if "magnet.HcJ" in event.sentence]) == 12


def test_the_statistic_names_method_version_position_and_numbers(enacted: Story):
    chain = explain(enacted.log, enacted.projector, SPEC, "magnet.HcJ")
    (told,) = [event for event in chain.events if event.role == "statistic" and "revision_proposed" in event.type]
    assert "lot-effects-1" in told.sentence and "policy version 1" in told.sentence
    assert "beta:M-BET-02" in told.sentence and "limit restated at 20 °C" in told.sentence


def test_the_decision_carries_its_reason_and_the_answer_its_person(enacted: Story):
    chain = explain(enacted.log, enacted.projector, SPEC, "magnet.HcJ")
    assert any("The soak results are clear" in event.sentence for event in chain.events if event.role == "decision")
    assert any("K. Ito" in event.sentence for event in chain.events if event.role == "answer")
    assert {event.role for event in chain.events} >= {"requirement", "source", "result", "lot", "revision", "notice"}


def test_a_limit_that_the_revision_left_alone_is_explained_by_the_one_that_set_it(enacted: Story):
    chain = explain(enacted.log, enacted.projector, SPEC, "magnet.Br")
    assert chain.revision == 1 and [event.role for event in chain.events] == ["revision"]


def test_what_is_not_limited_is_not_found(enacted: Story):
    with pytest.raises(NotFound):
        explain(enacted.log, enacted.projector, SPEC, "magnet.adh")
    with pytest.raises(NotFound):
        explain(enacted.log, enacted.projector, "reference-works:none", "magnet.Br")
