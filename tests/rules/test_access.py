"""Who may say and do what: role by event type and call, source prefixes, and a supplier's own."""

import copy

import pytest

from events.catalogue import CATALOGUE
from events.errors import Forbidden
from events.receive import receive
from events.refs import Ref
from events.rules.access import ALLOWED, EVERYONE, Principal, may, may_post, may_see_all
from tests.golden.pins import example

NORTHGATE = Ref(issuer="northgate", id="northgate")
OTHER = Ref(issuer="osaka", id="osaka")
SUPPLIER_TYPES = {
    "lot_registered", "process_recorded", "lot_certified", "certificate_corrected", "lot_withdrawn",
    "source_changed", "evidence_recorded",
}  # fmt: skip


def who(role, party=None, prefix=None):
    return Principal("somebody", role, party, prefix)


def allowed(principal, event_type, **changes):
    event = {**copy.deepcopy(example(event_type)), **changes}
    try:
        may_post(principal, receive(event))
    except Forbidden:
        return False
    return True


def posted(role, party=None):
    return {line.name for event_type, line in CATALOGUE.items() if allowed(who(role, party), event_type)}


def test_a_bench_states_tests_and_its_own_bench():
    assert posted("bench") == {
        "bench_registered", "calibration_recorded", "efficiency_measured", "flux_measured",
        "thermal_degradation_measured", "vibration_measured", "failure_observed", "survival_observed", "test_voided",
    }  # fmt: skip


def test_manufacturing_states_everything_but_tests():
    of_tests = {line.name for line in CATALOGUE.values() if line.stream == "tests"}
    assert posted("manufacturing") == {line.name for line in CATALOGUE.values() if line.by} - of_tests


def test_a_supplier_states_its_own_lots_and_sources():
    assert posted("supplier", NORTHGATE) == SUPPLIER_TYPES


def test_another_supplier_states_nothing_of_them():
    for event_type, line in CATALOGUE.items():
        source = "/suppliers/osaka"
        if line.name in SUPPLIER_TYPES:
            assert not allowed(who("supplier", OTHER), event_type, source=source)


@pytest.mark.parametrize("role", ["engineer", "approver", "auditor"])
def test_who_decides_or_reads_states_nothing(role):
    assert posted(role) == set()


@pytest.mark.parametrize("role", sorted(EVERYONE))
def test_nobody_posts_what_is_decided_or_concluded(role):
    stated = {line.name for line in CATALOGUE.values() if not line.by}
    assert not posted(role, NORTHGATE) & stated


@pytest.mark.parametrize(
    ("prefix", "source", "fits"),
    [
        ("/benches/T-3", "/benches/T-3", True),
        ("/benches/T-3", "/benches/T-3/rig", True),
        ("/benches/T-3", "/benches/T-30", False),
        ("/benches/", "/benches/T-30", True),
        ("/benches/T-3", "/suppliers/x", False),
        (None, "/anything", True),
        (None, "/services/engine", False),
    ],
)
def test_a_token_speaks_for_sources_under_its_prefix_by_whole_segments(prefix, source, fits):
    principal = who("bench", prefix=prefix)
    assert allowed(principal, "lodestone.tests.survival_observed.v1", source=source) is fits


def test_a_supplier_without_a_prefix_is_bound_to_its_own():
    principal = who("supplier", NORTHGATE)
    event_type = "lodestone.lots.lot_withdrawn.v1"
    assert allowed(principal, event_type, source="/suppliers/northgate/erp")
    assert not allowed(principal, event_type, source="/suppliers/osaka")


def test_a_supplier_without_a_party_states_nothing():
    assert posted("supplier") == set()


def test_a_refusal_says_why():
    received = receive(example("lodestone.specs.spec_issued.v1"))
    with pytest.raises(Forbidden, match="never posted"):
        may_post(who("admin"), received)
    with pytest.raises(Forbidden, match="is for: admin, bench"):
        may_post(who("supplier", NORTHGATE), receive(example("lodestone.tests.flux_measured.v1")))


def test_the_approver_alone_approves_and_rejects():
    assert ALLOWED["approve"] == ALLOWED["reject"] == {"approver"}
    with pytest.raises(Forbidden, match="The role engineer may not approve; that is for: approver"):
        may(who("engineer"), "approve")


def test_an_engineer_amends_defers_comments_and_proposes():
    for action in ("amend", "defer", "comment", "propose", "issue_requirement", "issue_spec"):
        may(who("engineer"), action)
        may(who("approver"), action)


@pytest.mark.parametrize("role", ["bench", "manufacturing", "supplier"])
def test_who_posts_reads_only_its_own(role):
    may(who(role), "read_quarantine")
    assert not may_see_all(who(role))
    calls = {action for action, roles in ALLOWED.items() if role in roles}
    own = {"post_events", "read_quarantine", "read_status", "read_schemas"}
    assert calls == own | ({"read_feed", "answer_notice"} if role == "supplier" else set())


@pytest.mark.parametrize("role", ["auditor"])
def test_an_auditor_changes_nothing(role):
    calls = {action for action, roles in ALLOWED.items() if role in roles}
    assert all(call.startswith("read") or call == "what_if" for call in calls)
