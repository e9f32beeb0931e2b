"""Faults of a model's validation as a refusal: one JSON Pointer and one sentence each."""

from pydantic import ValidationError

from events.errors import Fault, Invalid


def refusal(error: ValidationError, what: str, at: str = "") -> Invalid:
    """The Invalid that says what is not right with `what`; pointers start at `at`."""
    faults = [Fault(at + _pointer(item["loc"]), item["msg"]) for item in error.errors(include_url=False)]
    first = f"{faults[0].pointer or 'it'}: {faults[0].detail.rstrip('.')}"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Invalid(f"{what} is not right: {first}{more}.", errors=faults)


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location)
