"""Ids of conclusions: the same for the same cause, kind and key, and for nothing else."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from events.facts.base import EventRef
from events.ids import case_id, conclusion_id, source_change_case_id
from events.refs import Ref

A, B = Ref(issuer="a", id="1"), Ref(issuer="b", id="1")
parts = st.text(max_size=6)


def test_an_id_is_a_uuid_of_version_5_and_never_changes():
    identity = conclusion_id("cause", "kind", "key")
    assert identity.version == 5
    assert identity == UUID("f23ba892-27e4-5106-a2bb-ebb028817c29")


@given(st.tuples(parts, parts, parts), st.tuples(parts, parts, parts))
def test_two_conclusions_share_an_id_only_when_they_are_one(first, second):
    assert (conclusion_id(*first) == conclusion_id(*second)) == (first == second)


def test_a_case_is_of_requirement_item_and_scope_and_the_scope_is_a_set():
    assert case_id(A, B, (A, B)) == case_id(A, B, (B, A, A))
    assert len({case_id(A, B), case_id(B, A), case_id(A, None), case_id(A, B, (A,))}) == 4


def test_the_case_of_a_source_change_is_of_that_event():
    first, second = (source_change_case_id(EventRef(source="/s", id=name)) for name in ("1", "2"))
    assert first != second
