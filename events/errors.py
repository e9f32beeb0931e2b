"""The few ways in which the domain says no, each with the facts that broke the rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One place in the input that is wrong: a JSON Pointer and one sentence."""

    pointer: str
    detail: str


class DomainError(Exception):
    """A rule said no. `detail` is one clear sentence: what was wrong and what to do."""

    def __init__(self, detail: str, *, errors: Sequence[Fault] = (), **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)
        self.facts = facts


class Invalid(DomainError):
    """The input is malformed or breaks a rule of its own stream (422)."""


class UnknownType(Invalid):
    """The event type is not in the catalogue of this release (422 at a door; stops a projection)."""


class Unauthenticated(DomainError):
    """Nobody we know is asking (401)."""


class Forbidden(DomainError):
    """This principal may not do this (403). Says nothing about what exists."""


class NotFound(DomainError):
    """There is no such thing, or not for this principal (404)."""


class Gone(DomainError):
    """It was there and is no more: the log was restored since (410); facts: fork_position, fork_number, cursor."""


class IdentityConflict(DomainError):
    """The same (source, id) came with another payload (409); facts: stored_hash, received_hash."""


class Refused(DomainError):
    """A rule of the state machine refuses the command as things stand (409)."""


class VersionConflict(DomainError):
    """The stream moved on since the caller looked (412); facts: stream, expected, actual."""


class VersionRequired(DomainError):
    """A decision must name the version it decides on (428)."""


class TooLarge(DomainError):
    """The body is over the limit (413); facts: limit_bytes."""


class Unavailable(DomainError):
    """Not now; try again (503); facts: retry_after_s."""
