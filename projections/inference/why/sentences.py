"""One sentence for each event of a chain, with its numbers and units, from the event's own data."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from events.catalogue import known, upcast
from events.envelope import Recorded
from events.refs import ref_text
from events.vocabulary import characteristics

Data = Mapping[str, Any]
UNIT_SIGNS = {"Cel": "°C", "N.m": "N·m", "/min": "min⁻¹", "[ppm]": "ppm", "mV.min": "V per 1 000 min⁻¹", "1": ""}


def sentence(event: Recorded, characteristic: str) -> str:
    """What the event says, as far as it bears on the characteristic."""
    name, data = event.type.split(".")[2], (upcast(event) if known(event.type) else event).data
    told = _SENTENCES.get(name)
    words = told(data, characteristic) if told else f"{name.replace('_', ' ')}."
    return words + (" Synthetic data." if data.get("origin") == "synthetic" else "")


def number(value: object) -> str:
    """A number as people write it: six digits at most."""
    return f"{float(value):.6g}" if isinstance(value, int | float) else str(value)


def quantity(value: Data) -> str:
    """A stored quantity with its unit, and its standard uncertainty where stated."""
    unit = UNIT_SIGNS.get(value["unit"], value["unit"])
    error = f" ± {number(value['u'])}" if value.get("u") is not None else ""
    return f"{number(value['value'])}{error} {unit}".rstrip()


def bounds(limits: Data | None) -> str:
    """Limits in words."""
    if limits is None:
        return "no limits"
    unit = UNIT_SIGNS.get(limits["unit"], limits["unit"])
    words = {"lower": "at least", "target": "target", "upper": "at most"}
    parts = [f"{words[name]} {number(limits[name])}" for name in words if limits.get(name) is not None]
    return f"{', '.join(parts)} {unit}".rstrip()


def _short(value: Data | None) -> str:
    return str(value["id"]) if value else "unknown"


def _result(name: str, field: str) -> Callable[[Data, str], str]:
    def told(data: Data, characteristic: str) -> str:
        key = data.get("characteristic") or name
        how = data.get("magnet_temperature") or {"how": "unknown"}
        hot = "magnet temperature unknown" if how["how"] == "unknown" else f"magnets at {quantity(how['value'])}"
        soak = data.get("soak")
        after = f" after {quantity(soak['duration'])} at {quantity(soak['temperature'])}" if soak else ""
        return (
            f"Motor {_short(data['motor'])}: {characteristics.find(key).name} {quantity(data[field])}{after} on bench "
            f"{_short(data['bench'])}, {hot}, tested because: {data['why']}."
        )

    return told


def _failure(data: Data, characteristic: str) -> str:
    evidence = f" {data['mechanism_evidence']}" if data.get("mechanism_evidence") else ""
    return f"Motor {_short(data['motor'])} failed ({data['mode']}) after {quantity(data['life'])}.{evidence}"


def _survival(data: Data, characteristic: str) -> str:
    return f"Motor {_short(data['motor'])} had not failed after {quantity(data['life'])}."


def _built(data: Data, characteristic: str) -> str:
    magnets = data.get("magnets")
    if magnets is None:
        return f"Motor {_short(data['motor'])} was built; its magnet lots are unknown."
    lots = " and ".join(f"{part['pieces']} pieces of {ref_text(part['lot'])}" for part in magnets)
    return f"Motor {_short(data['motor'])} was built with {lots}."


def _motor_type(data: Data, characteristic: str) -> str:
    return f"Motor type {data['name']}: its registered design constants give the slopes that follow from the design."


def _lot(data: Data, characteristic: str) -> str:
    parts = data.get("inputs") or ()
    inputs = ", ".join(f"{100 * part['mass_fraction']:g} % {ref_text(part['lot'])}" for part in parts)
    made = f" from {inputs}" if inputs else ""
    return f"{str(data['level']).capitalize()} lot {ref_text(data['lot'])} was made at {data['site']}{made}."


def _readings(items: Iterable[Data], characteristic: str) -> str:
    listed = list(items)
    mine = [item for item in listed if item["characteristic"] == characteristic] or listed
    return "; ".join(f"{item['characteristic']} {quantity(item['value'])}" for item in mine)


def _certificate(data: Data, characteristic: str) -> str:
    told = _readings(data["measurements"], characteristic)
    name = f"Certificate {data['certificate']}" if data.get("certificate") else "The incoming inspection"
    return f"{name} of lot {ref_text(data['lot'])} ({data['method']}): {told}."


def _process(data: Data, characteristic: str) -> str:
    told = _readings(data["parameters"], characteristic)
    return f"Process record of lot {ref_text(data['lot'])}, {str(data['stage']).replace('_', ' ')}: {told}."


def _change(data: Data, characteristic: str) -> str:
    return (
        f"{_short(data['supplier'])} recorded a change of {data['level']} {data['kind']} from {data['before']} to "
        f"{data['after']}, first lot {ref_text(data['first_lot'])}."
    )


def _evidence(data: Data, characteristic: str) -> str:
    return f"{_short(data['supplier'])} recorded evidence: {data['standard']} {data['edition']}, {data['scope']}."


def _requirement(data: Data, characteristic: str) -> str:
    share = f"{100 * float(data.get('conformance', 0.98)):g} %"
    confidence = f"{100 * float(data.get('confidence', 0.95)):g} %"
    return (
        f"Requirement “{data['title']}”: {bounds(data['limits'])} for {share} of the motors, shown with {confidence} "
        "confidence."
    )


def _prior(data: Data, characteristic: str) -> str:
    form = "" if data["form"] == "linear" else f" ({data['form']})"
    return (
        f"Prior {_short(data['sensitivity'])}: {data['parent']} → {data['child']}{form} {number(data['mean'])} ± "
        f"{number(data['sigma'])} {data['unit']} ({data['source']})."
    )


def _policy(data: Data, characteristic: str) -> str:
    return (
        f"Policy {_short(data['policy'])}, method {data['method']}: a lot does not conform at probability "
        f"{number(data['verdict_probability'])}; guard rule {data['guard_rule']}."
    )


def _set_aside(data: Data, characteristic: str) -> str:
    """With a reason it was, without one it is not any more."""
    event = f"the event at position {data['position']}"
    did = f"folded {event}, which had been set aside."
    if "reason" in data:
        did = f"could not fold {event} and set it aside: {data['reason']}"
    return f"The projection {data['projection']} (version {data['version']}) {did}"


def statistic_sentence(data: Data, characteristic: str) -> str:
    """The statistics of a round: method and version, the bad lots with their numbers, how the limit followed."""
    evidence = data["evidence"]
    unit = UNIT_SIGNS.get(evidence.get("unit") or "", evidence.get("unit") or "")
    bad = [item for item in evidence["lot_effects"] if item["verdict"] == "does_not_conform"]
    lots = "; ".join(_lot_numbers(item, unit) for item in bad) or "no lot was judged"
    used = f"{evidence['results']} results of {evidence['motors']} motors and {evidence['lots']} lots"
    return (
        f"Method {evidence['method']}, policy version {evidence['policy_version']}, log position "
        f"{evidence['position']}: {used}. {lots}.{_derivation(data, characteristic)}"
    )


def _lot_numbers(item: Data, unit: str) -> str:
    estimate = f"{number(item['estimate'])} ± {number(item['u'])} {unit}"
    return (
        f"lot {ref_text(item['lot'])} {estimate} from {item['motors']} motors, does not conform with probability "
        f"{number(item['probability'])}"
    )


def _derivation(data: Data, characteristic: str) -> str:
    for item in data["revisions"]:
        if item["characteristic"] == characteristic:
            steps = [step for step in item["derivation"] if step.get("value") is not None]
            told = "; ".join(_step(step) for step in steps)
            return f" Steps: {told}." if told else ""
    return ""


def _step(step: Data) -> str:
    error = f" ± {number(step['u'])}" if step.get("u") is not None else ""
    unit = UNIT_SIGNS.get(step.get("unit") or "", step.get("unit") or "")
    return f"{step['name']} {number(step['value'])}{error} {unit}".rstrip()


def _opened(data: Data, characteristic: str) -> str:
    return f"Case opened: {data['title']}."


def _proposed(data: Data, characteristic: str) -> str:
    mine = [item for item in data["revisions"] if item["characteristic"] == characteristic]
    who = f" by {data['proposed_by']}" if data.get("proposed_by") else ""
    if not mine:
        return f"Round {data['round']} proposed{who}: {data['title']}."
    old, new = mine[0].get("old"), mine[0].get("new")
    said = f"{bounds(new)} in place of {bounds(old)}" if new else "a sourcing rule"
    return f"Round {data['round']} proposed{who}: {characteristic} {said}. {mine[0]['why']}"


def _decided(verb: str) -> Callable[[Data, str], str]:
    def told(data: Data, characteristic: str) -> str:
        return f"{data['by']} {verb}: {data['reason']}"

    return told


def _enacted(data: Data, characteristic: str) -> str:
    return f"Round {data['round']} enacted: {len(data['specs'])} specifications and {len(data['notices'])} notices."


def _revised(data: Data, characteristic: str) -> str:
    limit = next((item for item in data.get("limits") or () if item["characteristic"] == characteristic), None)
    if limit:
        statistic = str(limit.get("statistic", "lot_mean")).replace("_", " ")
        said = f"{characteristic} {bounds(limit['limits'])} ({statistic})"
    else:
        said = "; ".join((data.get("sourcing") or {}).get("required_evidence") or ()) or "sourcing"
    return f"Revision {data['revision']} of {ref_text(data['spec'])}, effective {data['effectivity']['date']}: {said}."


def _noticed(data: Data, characteristic: str) -> str:
    return f"{_short(data['party'])} was told of revision {data['revision']}; an answer is due by {data['respond_by']}."


def _answered(data: Data, characteristic: str) -> str:
    reason = f": {data['reason']}" if data.get("reason") else ""
    return f"{_short(data['party'])} answered “{str(data['answer']).replace('_', ' ')}” ({data['person']}){reason}."


_SENTENCES: Mapping[str, Callable[[Data, str], str]] = {
    "efficiency_measured": _result("motor.eta", "efficiency"), "flux_measured": _result("motor.Ke20", "value"),
    "thermal_degradation_measured": _result("motor.dpsi_irr", "loss"),
    "vibration_measured": _result("motor.v", "velocity"),
    "failure_observed": _failure, "survival_observed": _survival, "motor_built": _built,
    "motor_type_registered": _motor_type, "lot_registered": _lot, "lot_certified": _certificate,
    "certificate_corrected": _certificate, "incoming_inspected": _certificate, "process_recorded": _process,
    "source_changed": _change, "evidence_recorded": _evidence, "requirement_issued": _requirement,
    "requirement_revised": _requirement, "sensitivity_assigned": _prior, "policy_issued": _policy,
    "policy_revised": _policy, "case_opened": _opened, "revision_proposed": _proposed,
    "evidence_refreshed": _proposed, "proposal_amended": _decided("amended"), "proposal_approved": _decided("approved"),
    "proposal_rejected": _decided("rejected"), "proposal_deferred": _decided("deferred"), "proposal_enacted": _enacted,
    "event_parked": _set_aside, "event_released": _set_aside,
    "spec_issued": _revised, "spec_revised": _revised, "notice_issued": _noticed, "notice_answered": _answered,
}  # fmt: skip
