"""Trace Context of the W3C: what is read, what is not, and what is made where there is none."""

import re

import pytest

from services import tracing

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        (f"00-{TRACE}-{SPAN}-01", "01"),
        (f"00-{TRACE}-{SPAN}-03", "03"),
        (f"01-{TRACE}-{SPAN}-09-what-is-to-come", "01"),
        (f"cc-{TRACE}-{SPAN}-00", "00"),
    ],
)
def test_a_valid_traceparent_is_carried_on_in_a_span_of_our_own(given, flags):
    trace = tracing.begin(given)
    assert (trace.trace_id, trace.flags) == (TRACE, flags)
    assert re.fullmatch(r"[0-9a-f]{16}", trace.span_id) and trace.span_id != SPAN
    assert str(trace) == f"00-{TRACE}-{trace.span_id}-{flags}"


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_what_is_no_traceparent_begins_a_trace_that_nobody_asked_to_sample(given):
    assert tracing.parse(given) is None
    first, second = tracing.begin(given), tracing.begin(given)
    assert first.flags == "00"
    assert tracing.parse(str(first)) == first
    assert first.trace_id != second.trace_id


def test_work_is_in_its_trace_until_it_ends():
    assert tracing.current() is None
    with tracing.bound(f"00-{TRACE}-{SPAN}-01") as trace:
        assert tracing.current() == str(trace)
        with tracing.carried_on(None):
            assert tracing.current() == str(trace)
        with tracing.carried_on(f"00-{'a' * 32}-{SPAN}-00"):
            assert (tracing.current() or "").startswith(f"00-{'a' * 32}-")
        assert tracing.current() == str(trace)
    assert tracing.current() is None
