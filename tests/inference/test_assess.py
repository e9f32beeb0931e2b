"""assess(state, policy): commands on cases, given what a person decided before; every round a valid event."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.catalogue import line_of
from events.envelope import Recorded, utc_text
from events.facts.base import EventRef
from events.ids import source_change_case_id
from events.refs import Ref
from events.rules.policies import Policy
from events.rules.proposals import (
    INITIAL,
    CaseState,
    Command,
    OpenCase,
    Propose,
    Refresh,
    Withdraw,
    decide,
    evolve,
)
from projections.inference.answers import reopen
from projections.inference.assess import assess, assess_change, result_case
from projections.inference.conclude import conclude
from projections.inference.state import ChangeState, RequirementState
from projections.inference.what_if import Bound, what_if
from tests.inference.plants import MANUFACTURER, made, requirement
from tests.inference.reference import NOW, plant_of, state_of

POLICY = Policy()
ITEM = {"issuer": MANUFACTURER, "id": "MAG-REF"}


def specs(hcj_lower: float = 1750.0) -> list[dict[str, Any]]:
    def one(level: str, limits: list[tuple[str, str, float | None, float | None]]) -> dict[str, Any]:
        return {
            "spec": {"issuer": MANUFACTURER, "id": f"{level}-REF"}, "level": level, "item": ITEM, "suppliers": [],
            "effectivity": {"date": "2025-12-01"}, "reason": "First issue.",
            "limits": [
                {"characteristic": key, "limits": {"lower": low, "upper": high, "unit": unit}}
                for key, unit, low, high in limits
            ],
        }  # fmt: skip

    return [
        one("magnet", [("magnet.HcJ", "kA/m", hcj_lower, None), ("magnet.Br", "T", 1.2, 1.4)]),
        one("alloy", [("alloy.Dy", "%", 0.5, 3.0), ("alloy.O", "[ppm]", None, 5000.0)]),
        one("process", [("process.B_al", "T", 1.3, 2.2)]),
    ]


def state(fault: str | None, metric: str, case: CaseState | None = None, **changes: Any) -> RequirementState:
    first = state_of(list(made(fault, **changes).events), requirement(metric), specs())
    return replace(first, cases={result_case(first): case} if case else {})


def played(case: CaseState, *commands: Command, at: datetime = NOW) -> CaseState:
    """The case after these commands, as the engine would append them."""
    for command in commands:
        for model in decide(case, command, POLICY):
            line = line_of(type(model))
            case = evolve(
                case,
                Recorded(
                    type=line.type,
                    source="/services/engine",
                    id="x",
                    time=utc_text(at),
                    recorded_time=utc_text(at),
                    stream="",
                    parsed=model.model_dump(mode="json"),
                ),
            )
    return case


def test_a_bad_lot_opens_one_coherent_case_and_proposes_all_levels_together():
    commands = assess(state("low_hcj", "motor.dpsi_irr"), POLICY)
    assert [type(command) for command in commands] == [OpenCase, Propose]
    case = played(INITIAL, *commands)
    assert case.state == "proposed" and case.round == 1 and case.proposed_by == "lodestone"
    assert case.proposal is not None
    assert {item["level"] for item in case.proposal["revisions"]} == {"magnet", "alloy", "sourcing"}
    assert case.proposal["evidence"]["notes"][0].startswith("Not corrected for repeated looks")


def test_each_revision_says_its_statistic_temperature_and_acceptance_limit_apart():
    (propose,) = [item for item in assess(state("low_hcj", "motor.dpsi_irr"), POLICY) if isinstance(item, Propose)]
    first = next(item for item in propose.content.revisions if item.characteristic == "magnet.HcJ")
    assert first.statistic == "lot_mean" and first.temperature is not None and first.temperature.to("Cel") == 20.0
    assert first.old is not None and first.old.lower == 1750.0
    assert first.new is not None and first.new.lower is not None and first.new.lower > 1750.0
    assert first.acceptance is not None and first.acceptance.lower is not None
    assert first.acceptance.lower == pytest.approx(first.new.lower + 1.645 * 15.0, abs=1.0)
    assert first.derivation and first.why


def test_the_same_conclusion_asks_for_nothing():
    first = state("low_hcj", "motor.dpsi_irr")
    case = played(INITIAL, *assess(first, POLICY))
    assert assess(replace(first, cases={result_case(first): case}), POLICY) == ()


def test_a_moved_limit_refreshes_the_open_proposal_only_after_the_interval():
    first = state("low_hcj", "motor.dpsi_irr")
    case = played(INITIAL, *assess(first, POLICY))
    other = state("low_hcj", "motor.dpsi_irr", case, seed=78)
    assert assess(other, POLICY) == ()
    later = replace(other, now=NOW + timedelta(hours=2))
    assert [type(command) for command in assess(later, POLICY)] == [Refresh]


def test_faded_evidence_withdraws_the_open_proposal():
    case = played(INITIAL, *assess(state("low_hcj", "motor.dpsi_irr"), POLICY))
    commands = assess(state(None, "motor.dpsi_irr", case), POLICY)
    assert [type(command) for command in commands] == [Withdraw]
    assert played(case, *commands).state == "withdrawn"


@pytest.mark.parametrize("standing", ["rejected", "enacted"])
def test_what_a_person_decided_stays_quiet_until_the_evidence_differs(standing: Any):
    first = state("low_hcj", "motor.dpsi_irr")
    case = replace(played(INITIAL, *assess(first, POLICY)), state=standing, rejected_at=utc_text(NOW))
    assert assess(replace(first, cases={result_case(first): case}), POLICY) == ()
    more = state("low_hcj", "motor.dpsi_irr", case, motors_per_lot=24)
    assert [type(command) for command in assess(more, POLICY)] == [Propose]


def test_a_limit_that_is_in_force_already_is_not_proposed_again():
    first = state("low_hcj", "motor.dpsi_irr")
    (propose,) = [item for item in assess(first, POLICY) if isinstance(item, Propose)]
    wanted = next(item.new for item in propose.content.revisions if item.characteristic == "magnet.HcJ")
    assert wanted is not None and wanted.lower is not None
    tight = plant_of(list(made("low_hcj").events), specs(wanted.lower)).specs
    again = replace(first, plant=replace(first.plant, specs=tight))
    (propose,) = [item for item in assess(again, POLICY) if isinstance(item, Propose)]
    assert "magnet.HcJ" not in {item.characteristic for item in propose.content.revisions}


def test_nothing_wrong_asks_for_nothing():
    for metric in ("motor.dpsi_irr", "motor.eta", "motor.v_1x", "motor.Ke20"):
        assert assess(state(None, metric), POLICY) == ()


def test_a_bad_lot_that_nothing_explains_still_reaches_a_person():
    events = [event for event in made("adhesive").events if "bearing" not in event["id"]]
    first = state_of(events, requirement("motor.life", failure_modes=["FM-BRG-MEC", "FM-MAG-DET"]), specs())
    (_, propose) = assess(first, POLICY)
    assert isinstance(propose, Propose)
    assert propose.content.conclusion == "no_characteristic" and propose.content.revisions == ()
    assert "A person must judge" in propose.content.missing[0]


def test_the_result_case_names_the_case_of_the_source_change():
    first = state("low_hcj", "motor.dpsi_irr")
    event = first.plant.changes[0].event
    opened, propose = assess(first, POLICY)
    wanted = source_change_case_id(EventRef(source=event.source, id=event.id))
    assert isinstance(opened, OpenCase) and isinstance(propose, Propose)
    assert opened.related == (wanted,) and propose.content.related == (wanted,)


def change_state(case: CaseState | None = None) -> ChangeState:
    plant = plant_of(list(made("low_hcj").events), specs())
    only = plant.changes[0]
    cases = {case.case: case} if case else {}
    return ChangeState(only, (f"{MANUFACTURER}:MAG-REF",), plant, 40, NOW, 1, cases)


def test_a_source_change_opens_its_own_case_and_requires_evidence_before_any_result():
    commands = assess_change(change_state(), POLICY)
    case = played(INITIAL, *commands)
    assert case.kind == "source_change" and case.state == "proposed" and case.conclusion == "evidence_required"
    assert case.proposal is not None
    (only,) = case.proposal["revisions"]
    assert only["level"] == "sourcing" and len(only["sourcing"]["required_evidence"]) == 3
    assert only["suppliers"] == [{"issuer": "beta", "id": "beta"}]
    assert assess_change(change_state(case), POLICY) == ()


def test_what_if_counts_lots_caught_missed_and_lost_by_supplier():
    found = conclude(state("low_hcj", "motor.dpsi_irr"), POLICY)
    lots = [item.lot for item in found.verdicts]
    supplier = {lot: lot.partition(":")[0] for lot in lots}
    tried = what_if([Bound("magnet.HcJ", 1950.0)], lots, found.bad, found.known, supplier)
    assert tried["caught"] == list(found.bad) and tried["missed"] == [] and tried["good_lost"] == []
    strict = what_if([Bound("magnet.HcJ", 3000.0)], lots, found.bad, found.known, supplier)
    lost = strict["good_lost"]
    assert isinstance(lost, list) and len(lost) == 11
    assert strict["by_supplier"]["gamma"] == {"lots": 4, "stopped": 4, "caught": 0, "good_lost": 4}  # type: ignore[index]


def test_cannot_meet_reopens_an_enacted_case_and_says_what_supply_remains():
    first = state("low_hcj", "motor.dpsi_irr")
    case = replace(played(INITIAL, *assess(first, POLICY)), state="enacted")
    found = conclude(first, POLICY)
    answer = {
        "party": {"issuer": "beta", "id": "beta"},
        "answer": "cannot_meet",
        "person": "K. Ito",
        "reason": "No Dy.",
    }
    notice = {
        "level": "magnet",
        "changes": [{"characteristic": "magnet.HcJ", "new": {"lower": 1950.0, "upper": None, "unit": "kA/m"}}],
    }
    lots = [first.plant.lots[name] for name in found.known]
    command = reopen(answer, notice, EventRef(source="/s", id="a-1"), case, lots, found.known)
    assert command is not None and "8 of 8 recorded lots of 2 other suppliers meet it" in command.reason
    assert played(case, command).state == "open"
    assert reopen({**answer, "answer": "acknowledged"}, notice, EventRef(source="/s", id="a-2"), case, lots, {}) is None
    assert reopen(answer, notice, EventRef(source="/s", id="a-3"), replace(case, state="open"), lots, {}) is None


def test_the_case_id_does_not_depend_on_the_evidence():
    assert result_case(state("low_hcj", "motor.dpsi_irr")) == result_case(state(None, "motor.dpsi_irr", seed=5))
    assert str(Ref(issuer=MANUFACTURER, id="MAG-REF")) == f"{MANUFACTURER}:MAG-REF"
    assert NOW.tzinfo is UTC


def test_a_proposal_that_shows_limits_no_longer_in_force_is_renewed_at_once():
    first = state("low_hcj", "motor.dpsi_irr")
    case = played(INITIAL, *assess(first, POLICY))
    moved = plant_of(list(made("low_hcj").events), specs(1800.0)).specs
    again = replace(first, plant=replace(first.plant, specs=moved), cases={result_case(first): case})
    assert [type(command) for command in assess(again, POLICY)] == [Refresh]
    assert played(case, *assess(again, POLICY)).state == "proposed"
