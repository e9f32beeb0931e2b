"""One sentence for each event behind a limit, from the event's own data, with its numbers and units."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from events.envelope import Recorded
from events.errors import Invalid
from events.vocabulary import characteristics
from events.vocabulary.failure_modes import find as find_mode
from services.doors.drawings import number

Role = Literal[
    "result", "motor", "lot", "certificate", "source", "requirement", "prior", "statistic", "proposal", "decision",
    "revision", "notice", "answer",
]  # fmt: skip
Data = Mapping[str, Any]
MANY = 4


def told(event: Recorded) -> tuple[Role, str] | None:
    """The role of the event in the chain and its sentence; None for what plays no role."""
    line = _LINES.get(event.type.removeprefix("lodestone.").rpartition(".v")[0])
    return None if line is None else (line[0], line[1](event.data))


def statistic(event: Recorded) -> str:
    """What a proposal computed: method and version, evidence, and the state of the log."""
    record = event.data["evidence"]
    counts = f"{record['results']} results of {record['motors']} motors with {record['lots']} magnet lots"
    bad = sum(lot["verdict"] == "does_not_conform" for lot in record.get("lot_effects") or ())
    judged = f"; {bad} of the lots do not conform" if record.get("lot_effects") else ""
    return (
        f"Method {record['method']} under policy {_ref(record['policy'])} version {record['policy_version']} computed "
        f"from the log up to position {record['position']}: {counts}{judged}."
    )


def _ref(ref: Data | None) -> str:
    return "unknown" if ref is None else f"{ref['issuer']}:{ref['id']}"


def _value(quantity: Data | None, name: str = "") -> str:
    if quantity is None:
        return "not stated"
    u = quantity.get("u")
    spread = "" if u is None else f" ± {number(u, 2)}"
    return f"{number(quantity['value'], 5)}{spread} {quantity['unit']}".strip()


def _name(key: str) -> str:
    try:
        return str(characteristics.find(key).name)
    except Invalid:
        return key


def limits(bounds: Data | None) -> str:
    """Limits in words."""
    if bounds is None:
        return "no limit"
    parts = [
        f"{word} {number(bounds[side], 5)}"
        for side, word in (("lower", "at least"), ("target", "target"), ("upper", "at most"))
        if bounds.get(side) is not None
    ]
    return f"{', '.join(parts)} {bounds['unit']}"


def _test(data: Data, what: str) -> str:
    temperature = (data.get("magnet_temperature") or {}).get("value")
    at = f" at a magnet temperature of {_value(temperature)}" if temperature else ", magnet temperature unknown"
    return f"Motor {_ref(data['motor'])} on bench {_ref(data['bench'])}: {what}{at}."


def _thermal(data: Data) -> str:
    soak = data["soak"]
    after = f"{_value(soak['duration'])} at {_value(soak['temperature'])}"
    return _test(data, f"{_name(data['characteristic'])} {_value(data['loss'])} after {after}")


def _failure(data: Data) -> str:
    try:
        mode = find_mode(data["mode"]).name
    except Invalid:
        mode = data["mode"]
    return _test(data, f"failed after {_value(data['life'])} ({data['mode']}, {mode})")


def _shares(magnets: Sequence[Data] | None) -> str:
    if magnets is None:
        return "magnets of unknown lots"
    return "magnets of " + ", ".join(f"lot {_ref(share['lot'])} ({share['pieces']} pieces)" for share in magnets)


def _built(data: Data) -> str:
    return f"Motor {_ref(data['motor'])} of type {_ref(data['motor_type'])} was built with {_shares(data['magnets'])}."


def _registered(data: Data) -> str:
    inputs = [f"{_ref(part['lot'])} ({100 * part['mass_fraction']:.3g} %)" for part in data.get("inputs") or ()]
    made = f" from {', '.join(inputs)}" if inputs else ""
    who = f"{_ref(data['supplier'])}, {data['site']}"
    return f"{data['level'].capitalize()} lot {_ref(data['lot'])} was made by {who}{made}."


def _readings(readings: Sequence[Data]) -> str:
    shown = [f"{_name(item['characteristic'])} {_value(item['value'])}" for item in readings[:MANY]]
    more = f" and {len(readings) - MANY} more" if len(readings) > MANY else ""
    return "; ".join(shown) + more


def _certified(data: Data) -> str:
    return (
        f"Certificate {data['certificate']} of {_ref(data['laboratory'])} for lot {_ref(data['lot'])}: "
        f"{_readings(data['measurements'])}."
    )


def _changed(data: Data) -> str:
    return (
        f"{_ref(data['supplier'])} recorded that at {data['site']} the {data['kind']} of {data['level']} changed from "
        f"{data['before']} to {data['after']}, beginning with lot {_ref(data['first_lot'])}."
    )


def _required(data: Data) -> str:
    return (
        f"Requirement {_ref(data['requirement'])}: {data['title']}; {100 * data['conformance']:.4g} % of motors of "
        f"type {_ref(data['motor_type'])} within {limits(data['limits'])}, shown with {100 * data['confidence']:.4g} %."
    )


def _assigned(data: Data) -> str:
    return (
        f"Prior {_ref(data['sensitivity'])}: {_name(data['parent'])} moves {_name(data['child'])} ({data['form']}) by "
        f"{number(data['mean'], 4)} ± {number(data['sigma'], 2)} {data['unit']}; {data['source']}."
    )


def _policy(data: Data) -> str:
    return (
        f"Policy {_ref(data['policy'])}: method {data['method']}, verdicts at a probability of "
        f"{number(data['verdict_probability'], 4)}, acceptance by {data['guard_rule']}."
    )


def _proposed(data: Data) -> str:
    who = f" by {data['proposed_by']}" if data.get("proposed_by") else ", refreshed with new evidence"
    changes = [
        f"{_name(item['characteristic'])} from {limits(item.get('old'))} to {limits(item['new'])}"
        for item in data["revisions"]
        if item.get("new")
    ]
    return f"Proposed{who} (round {data['round']}): {data['title']}. {'; '.join(changes)}".rstrip(". ") + "."


def _decided(word: str) -> Callable[[Data], str]:
    return lambda data: f"{data['by']} {word}: {data['reason'].rstrip('.')}."


def _spec(data: Data) -> str:
    return (
        f"Revision {data['revision']} of the {data['level']} specification {_ref(data['spec'])}, effective from "
        f"{data['effectivity']['date']}: {data['reason'].rstrip('.')}."
    )


def _noticed(data: Data) -> str:
    changes = [f"{_name(item['characteristic'])} {limits(item.get('new'))}" for item in data.get("changes") or ()]
    what = f": {'; '.join(changes)}" if changes else ""
    return (
        f"{_ref(data['party'])} was told of revision {data['revision']} of {_ref(data['spec'])}{what}; "
        f"answer by {data['respond_by']}."
    )


def _answered(data: Data) -> str:
    detail = data.get("from_date") or data.get("reason") or ""
    words = data["answer"].replace("_", " ")
    return f"{data['person']} answered for {_ref(data['party'])}: {words} {detail}".strip() + "."


_LINES: Mapping[str, tuple[Role, Callable[[Data], str]]] = {
    "tests.efficiency_measured": ("result", lambda d: _test(d, f"efficiency {_value(d['efficiency'])}")),
    "tests.flux_measured": ("result", lambda d: _test(d, f"{_name(d['characteristic'])} {_value(d['value'])}")),
    "tests.thermal_degradation_measured": ("result", _thermal),
    "tests.vibration_measured": (
        "result",
        lambda d: _test(d, f"{_name(d['characteristic'])} {_value(d['velocity'])}"),
    ),
    "tests.failure_observed": ("result", _failure),
    "tests.survival_observed": ("result", lambda d: _test(d, f"had not failed after {_value(d['life'])}")),
    "motors.motor_built": ("motor", _built),
    "motors.rotor_replaced": (
        "motor",
        lambda d: f"Motor {_ref(d['motor'])} got another rotor with {_shares(d['magnets'])}: {d['reason']}.",
    ),
    "motors.motor_type_registered": (
        "prior",
        lambda d: f"Motor type {_ref(d['motor_type'])}, {d['name']}: its design constants give the closed forms.",
    ),
    "lots.lot_registered": ("lot", _registered),
    "lots.process_recorded": (
        "certificate",
        lambda d: f"Process record {d['stage']} of lot {_ref(d['lot'])}: {_readings(d['parameters'])}.",
    ),
    "lots.lot_certified": ("certificate", _certified),
    "lots.certificate_corrected": ("certificate", _certified),
    "lots.incoming_inspected": (
        "certificate",
        lambda d: f"Incoming inspection of lot {_ref(d['lot'])}: {_readings(d['measurements'])}.",
    ),
    "sources.source_changed": ("source", _changed),
    "requirements.requirement_issued": ("requirement", _required),
    "requirements.requirement_revised": ("requirement", _required),
    "sensitivities.sensitivity_assigned": ("prior", _assigned),
    "policies.policy_issued": ("statistic", _policy),
    "policies.policy_revised": ("statistic", _policy),
    "proposals.case_opened": ("proposal", lambda d: f"A case was opened: {d['title'].rstrip('.')}."),
    "proposals.revision_proposed": ("proposal", _proposed),
    "proposals.evidence_refreshed": ("proposal", _proposed),
    "proposals.proposal_amended": ("decision", _decided("amended the limits")),
    "proposals.proposal_approved": ("decision", _decided("approved")),
    "proposals.proposal_rejected": ("decision", _decided("rejected")),
    "proposals.proposal_deferred": ("decision", _decided("deferred")),
    "proposals.case_reopened": ("proposal", lambda d: f"The case was reopened: {d['reason'].rstrip('.')}."),
    "specs.spec_issued": ("revision", _spec),
    "specs.spec_revised": ("revision", _spec),
    "feeds.notice_issued": ("notice", _noticed),
    "feeds.notice_answered": ("answer", _answered),
}
