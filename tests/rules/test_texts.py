"""Requirements, policies and sensitivities: whole texts in numbered versions, and the defaults that come first."""

import pytest
from pydantic import ValidationError

from events.errors import Invalid, NotFound, Refused, VersionConflict, VersionRequired
from events.receive import Origin, draft, receive
from events.refs import Ref
from events.rules import policies, requirements, sensitivities
from events.rules.defaults import default_id, defaults
from events.rules.policies import Policy, PolicyIssued, PolicyRevised, WritePolicy, policy_of
from events.rules.requirements import Requirement, WithdrawRequirement, WriteRequirement
from events.rules.sensitivities import AssignSensitivity, Sensitivity
from events.vocabulary.priors import PRIORS
from tests.golden.pins import example
from tests.rules.story import recorded

REQ = Ref(issuer="aurora", id="R-THERMAL")


def requirement(**more):
    data = {**example("lodestone.requirements.requirement_issued.v1")["data"], **more}
    return Requirement.model_validate(data)


def issued():
    return requirements.fold(recorded(requirements.decide(requirements.INITIAL, WriteRequirement(requirement(), "E"))))


def withdrawn():
    first = recorded(requirements.decide(requirements.INITIAL, WriteRequirement(requirement(), "E")))
    command = WithdrawRequirement(REQ, "no longer made", "E", 1)
    return requirements.fold([*first, *recorded(requirements.decide(issued(), command), first=2)])


def test_a_requirement_is_issued_then_revised_whole():
    assert issued().in_force and issued().version == 1
    (event,) = requirements.decide(issued(), WriteRequirement(requirement(conformance=0.9), "Ada", 1))
    assert isinstance(event, requirements.RequirementRevised)
    assert (event.conformance, event.by) == (0.9, "Ada")


def test_a_change_names_the_version_it_changes():
    with pytest.raises(VersionRequired):
        requirements.decide(issued(), WriteRequirement(requirement(), "E"))
    with pytest.raises(VersionConflict):
        requirements.decide(issued(), WriteRequirement(requirement(), "E", 0))


def test_a_requirement_keeps_its_motor_type():
    other = requirement(motor_type={"issuer": "aurora", "id": "AX-41"})
    with pytest.raises(Refused, match="keeps the motor type"):
        requirements.decide(issued(), WriteRequirement(other, "E", 1))


def test_a_withdrawn_requirement_holds_no_more_and_is_not_revised():
    assert not withdrawn().in_force
    with pytest.raises(Refused, match="was withdrawn"):
        requirements.decide(withdrawn(), WriteRequirement(requirement(), "E", 2))
    with pytest.raises(Refused, match="was withdrawn"):
        requirements.decide(withdrawn(), WithdrawRequirement(REQ, "again", "E", 2))


def test_what_was_never_issued_is_not_withdrawn():
    with pytest.raises(NotFound):
        requirements.decide(requirements.INITIAL, WithdrawRequirement(REQ, "why", "E"))


def test_a_withdrawal_has_a_reason():
    with pytest.raises(Invalid, match="reason"):
        requirements.decide(issued(), WithdrawRequirement(REQ, "", "E", 1))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"limits": {"lower": 0, "upper": 1, "unit": "%"}}, "one side"),
        ({"limits": {"upper": 1, "unit": "kA/m"}}, "motor.dpsi_irr"),
        ({"safety": True}, "at_limit"),
        ({"failure_modes": ["FM-DEM-U"]}, "exactly for the metric motor.life"),
        ({"metric": "motor.life", "limits": {"lower": 3000, "unit": "h"}}, "exactly for the metric motor.life"),
        ({"conformance": 1.0}, "less than 1"),
        ({"conformance": 0.4}, "greater than 0.5"),
    ],
)
def test_a_requirement_that_contradicts_itself_is_refused(change, match):
    with pytest.raises(ValidationError, match=match):
        requirement(**change)


def test_a_policy_is_issued_then_revised_and_the_default_holds_before():
    assert policy_of(policies.INITIAL) == Policy()
    first = policies.decide(policies.INITIAL, WritePolicy(Policy(), "E"))
    state = policies.fold(recorded(first))
    (second,) = policies.decide(state, WritePolicy(Policy(minimum_lots=8), "Ada", 1))
    assert isinstance(first[0], PolicyIssued) and isinstance(second, PolicyRevised)
    assert policy_of(policies.fold([*recorded(first), *recorded([second], first=2)])).minimum_lots == 8


def test_a_sensitivity_is_assigned_anew_under_its_version():
    text = Sensitivity.model_validate(example("lodestone.sensitivities.sensitivity_assigned.v1")["data"])
    state = sensitivities.fold(recorded(sensitivities.decide(sensitivities.INITIAL, AssignSensitivity(text, "E"))))
    with pytest.raises(VersionRequired):
        sensitivities.decide(state, AssignSensitivity(text, "E"))
    (event,) = sensitivities.decide(state, AssignSensitivity(text.model_copy(update={"mean": 1.0}), "E", 1))
    assert event.mean == 1.0


def default_key(model) -> str:
    return str(model.sensitivity)


def test_the_first_requirement_brings_the_shipped_policy_and_every_shipped_sensitivity():
    models = defaults(policy_exists=False, sensitivities=())
    assert isinstance(models[0], PolicyIssued)
    assert [default_key(model) for model in models[1:]] == [f"lodestone:{prior.id}" for prior in PRIORS]


def test_what_is_there_already_is_not_issued_again():
    every = {f"lodestone:{prior.id}" for prior in PRIORS}
    assert defaults(policy_exists=True, sensitivities=every) == ()
    (left,) = defaults(policy_exists=True, sensitivities=every - {"lodestone:P01"})
    assert default_key(left) == "lodestone:P01"


def test_defaults_have_ids_of_their_own_and_are_events_like_any():
    models = defaults(policy_exists=False, sensitivities=())
    ids = [default_id(model) for model in models]
    assert len(set(ids)) == len(models)
    assert ids == [default_id(model) for model in defaults(policy_exists=False, sensitivities=())]
    origin = Origin("/services/engine", "2026-03-05T13:25:00.000000Z")
    for model, identity in zip(models, ids, strict=True):
        assert receive(draft(model, id=identity, origin=origin).event).data == model
