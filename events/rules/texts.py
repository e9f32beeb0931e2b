"""Texts in numbered versions, each whole: the state and the rules that requirements, policies and the like share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from events.envelope import Recorded
from events.errors import Refused, VersionConflict, VersionRequired
from events.faults import refusal

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class TextState:
    """The text in force as stored, and how many events its stream holds; `withdrawn`: it no longer holds."""

    version: int = 0
    text: Mapping[str, Any] | None = None
    withdrawn: bool = False

    @property
    def in_force(self) -> bool:
        """There is a text, and it was not withdrawn."""
        return self.text is not None and not self.withdrawn


INITIAL = TextState()


def evolve(state: TextState, recorded: Recorded) -> TextState:
    """The state after one more event of the text's stream."""
    version = state.version + 1 if recorded.stream_version is None else recorded.stream_version
    if recorded.type.split(".")[2].endswith("_withdrawn"):
        return replace(state, version=version, withdrawn=True)
    return TextState(version=version, text=recorded.data)


def fold(events: Iterable[Recorded]) -> TextState:
    """The state that these events of one stream build, in order."""
    state = INITIAL
    for recorded in events:
        state = evolve(state, recorded)
    return state


def check_version(what: str, stream: str, current: int, named: int | None) -> None:
    """A change names the version that it saw; the first issue may leave it out.

    Raises VersionRequired when a version exists and none is named, VersionConflict when another is named.
    """
    if named is None and current:
        raise VersionRequired(f"{what} exists at version {current}; name the version that you change.")
    if named is not None and named != current:
        raise VersionConflict(
            f"{what} is at version {current}, and you named version {named}; look again.",
            stream=stream,
            expected=named,
            actual=current,
        )


def check_held(what: str, state: TextState) -> None:
    """A withdrawn text is not revised. Raises Refused."""
    if state.withdrawn:
        raise Refused(f"{what} was withdrawn; issue a new one under another id.")


def built(model: type[M], content: Mapping[str, Any], what: str) -> M:
    """The event with this content. Raises Invalid."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise refusal(error, what) from error
