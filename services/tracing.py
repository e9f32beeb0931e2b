"""Traces: the W3C Trace Context of the work at hand, in its log lines and in the events that it appends."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

_FIELDS = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Trace:
    """One span of a trace. Written out it is a `traceparent`: what is done next has this span for its parent."""

    trace_id: str
    span_id: str
    flags: str = "00"

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_CURRENT: ContextVar[Trace | None] = ContextVar("lodestone_trace", default=None)


def parse(traceparent: str | None) -> Trace | None:
    """What a `traceparent` says; None for one that is missing or not valid (Trace Context §3.2.2.3, §4.3).

    A later version is read as far as it is known: its first four fields.
    """
    found = _FIELDS.fullmatch(traceparent) if isinstance(traceparent, str) else None
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return Trace(trace_id, span_id, flags if version == "00" else f"{int(flags, 16) & 1:02x}")


def begin(traceparent: str | None) -> Trace:
    """A span of our own in this trace; without a valid one in a new trace, which nobody asked to be sampled."""
    cause = parse(traceparent)
    if cause is None:
        return Trace(_id(16), _id(8))
    return Trace(cause.trace_id, _id(8), cause.flags)


@contextmanager
def bound(traceparent: str | None) -> Iterator[Trace]:
    """Do a piece of work in a span of its own: its log lines carry `trace_id` and `span_id`, `current` is its trace.

    `traceparent` is that of the request, message or event that is worked on, if it has one.
    """
    trace = begin(traceparent)
    before = _CURRENT.set(trace)
    try:
        with structlog.contextvars.bound_contextvars(trace_id=trace.trace_id, span_id=trace.span_id):
            yield trace
    finally:
        _CURRENT.reset(before)


@contextmanager
def carried_on(traceparent: str | None) -> Iterator[None]:
    """Like `bound` where there is a trace to carry on; without one nothing changes."""
    if parse(traceparent) is None:
        yield
        return
    with bound(traceparent):
        yield


def current() -> str | None:
    """The `traceparent` for what the work at hand brings about; None outside of any."""
    trace = _CURRENT.get()
    return None if trace is None else str(trace)


def _id(size: int) -> str:
    """Random, and never all zeros, which would be no id."""
    while not (found := secrets.token_hex(size)).strip("0"):
        pass
    return found
