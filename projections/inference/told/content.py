"""What one round of a case says: title, conclusion, revisions, effectivity, evidence, what is missing, what-if."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from events.facts.base import EventRef
from events.ids import source_change_case_id
from events.refs import parse_ref
from events.rules.policies import Policy
from events.rules.proposals import Conclusion, Content
from events.rules.specs import Effectivity
from projections.inference.chain.limits import spoken
from projections.inference.conclusions import Conclusions
from projections.inference.state import RequirementState
from projections.inference.told.evidence import evidence, plain
from projections.inference.told.revisions import Revised, revise
from projections.inference.what_if import bounds_of, what_if


@dataclass(frozen=True, slots=True)
class Nothing:
    """Why there is nothing to propose."""

    reason: str


def content(state: RequirementState, found: Conclusions, policy: Policy) -> Content | Nothing:
    """The round that these conclusions make, or why there is none.

    Bad lots without any limit or sourcing rule still make a round without revisions: a person has to see them.
    Limits that are in force already make none.
    """
    if not found.bad:
        return Nothing(_why_nothing(found))
    revised = revise(state, found, policy)
    if not revised.revisions and (found.limits or found.sourcing) and not revised.missing:
        return Nothing("Everything concluded is in force already.")
    supplier = {lot: known.supplier for lot, known in state.plant.lots.items()}
    judged = [item.lot for item in found.verdicts]
    return Content(
        title=_title(found, revised, str(state.data.get("title") or state.requirement)),
        conclusion=_conclusion(found, revised),
        revisions=revised.revisions,
        effectivity=effectivity(state.now, policy),
        evidence=evidence(state, found, policy),
        related=_related(found),
        missing=_missing(found, revised),
        what_if=plain(what_if(bounds_of(found.limits), judged, found.bad, found.known, supplier)),
        safety=bool(state.data.get("safety")),
    )


def _related(found: Conclusions) -> tuple[str, ...]:
    """The cases that the source changes behind the bad lots opened."""
    changes = [event for one in found.sourcing for event in one.changes]
    return tuple(source_change_case_id(EventRef(source=event.source, id=event.id)) for event in changes)


def effectivity(now: datetime, policy: Policy) -> Effectivity:
    """From when the revision binds: the policy's days after today, for lots made from then on."""
    return Effectivity(date=(now + timedelta(days=policy.effective_after_days)).date())


def _why_nothing(found: Conclusions) -> str:
    if found.model.refusal:
        return found.model.refusal.sentence
    return "No lot is shown not to conform."


def _conclusion(found: Conclusions, revised: Revised) -> Conclusion:
    levels = {revision.level for revision in revised.revisions}
    if levels - {"sourcing"}:
        return "tighten"
    return "sourcing" if levels else "no_characteristic"


def _title(found: Conclusions, revised: Revised, requirement: str) -> str:
    lots = ", ".join(parse_ref(lot).id for lot in found.bad)
    verb = "does not meet" if len(found.bad) == 1 else "do not meet"
    key = found.cause.characteristic if found.cause else None
    for revision in revised.revisions:
        if revision.characteristic == key and revision.new is not None:
            new, old = revision.new, revision.old
            tighter = new.lower is not None and (old is None or old.lower != new.lower)
            bound = f"at least {new.lower:g}" if tighter else f"at most {new.upper:g}"
            name = spoken(revision.characteristic)
            return f"{name}: {bound} {new.unit}, because {lots} {verb} “{requirement}”"
    if revised.revisions:
        return f"Evidence on sourcing, because {lots} {verb} “{requirement}”"
    return f"{lots} {verb} “{requirement}”, and no specification explains it"


def _missing(found: Conclusions, revised: Revised) -> tuple[str, ...]:
    """What the data cannot tell, with the measurement that would: a reviewer reads it before deciding."""
    told = [f"{item.sentence} {item.would_tell}".strip() for item in found.refusals]
    for verdict in found.verdicts:
        if verdict.verdict == "not_identifiable":
            settle = verdict.effect.test_to_settle or ""
            told.append(f"{verdict.lot} is not identifiable: {verdict.reason or ''} {settle}".strip())
    shown = [verdict.lot for verdict in found.verdicts if verdict.verdict == "not_shown"]
    if shown:
        told.append(
            f"Neither conforming nor not is shown for {', '.join(shown)}: more motors of these lots would tell."
        )
    return tuple(dict.fromkeys((*told, *revised.missing)))
