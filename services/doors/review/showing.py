"""A case as the review door shows it: short in lists, whole on its own."""

from collections.abc import Mapping
from typing import Any

from events.refs import ref_text
from events.rules.proposals import CaseState

SIDES = ("lower", "target", "upper", "unit")
REVISION = ("level", "characteristic", "statistic", "temperature", "sourcing", "why", "extrapolated")


def proposal(state: CaseState) -> dict[str, Any]:
    """The shape of design.md §6."""
    content = state.proposal or {}
    return {
        "id": state.case,
        "case": state.case,
        "version": state.version,
        "state": state.state,
        "title": content.get("title") or state.title,
        "conclusion": content.get("conclusion"),
        "requirement": state.requirement,
        "round": state.round,
        "proposed_by": state.proposed_by,
        "amended_by": list(state.amended_by),
        "approvals": list(state.approvals),
        "revisions": [revision(item) for item in content.get("revisions") or ()],
        "evidence": evidence(content.get("evidence")),
        "related": list(state.related),
        "missing": list(content.get("missing") or ()),
    }


def whole(state: CaseState) -> dict[str, Any]:
    """The same with everything that the numbers can be recomputed from."""
    content = state.proposal or {}
    return {
        **proposal(state),
        "kind": state.kind,
        "item": state.item,
        "suppliers": list(state.suppliers),
        "reason": state.reason,
        "deferred_until": state.deferred_until,
        "effectivity": content.get("effectivity"),
        "what_if": content.get("what_if"),
        "record": content.get("evidence"),
        "derivations": [
            {
                "spec": ref_text(item["spec"]),
                "characteristic": item["characteristic"],
                "steps": item.get("derivation") or [],
                "priors": [ref_text(prior) for prior in item.get("priors") or ()],
            }
            for item in content.get("revisions") or ()
        ],
    }


def revision(item: Mapping[str, Any]) -> dict[str, Any]:
    """One proposed revision; references as `issuer:id`."""
    acceptance = item.get("acceptance")
    return {
        "spec": ref_text(item["spec"]),
        "item": ref_text(item["item"]),
        "suppliers": [ref_text(party) for party in item.get("suppliers") or ()],
        **{name: item.get(name) for name in REVISION},
        "old": _limits(item.get("old")),
        "new": _limits(item.get("new")),
        "acceptance": acceptance and {name: acceptance.get(name) for name in ("lower", "upper", "unit", "rule", "u")},
    }


def _limits(limits: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if limits is None else {side: limits.get(side) for side in SIDES}


def evidence(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The evidence in numbers."""
    if record is None:
        return None
    names = ("position", "method", "policy_version", "motors", "lots", "results", "synthetic")
    return {**{name: record.get(name) for name in names}, "policy": ref_text(record["policy"])}
