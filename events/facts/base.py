"""What every fact may say besides its own content: what it replaces, and whether it is synthetic."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from events.envelope import parse_time
from events.errors import Invalid
from events.refs import Name
from events.vocabulary.quantities import Plain


def _rfc3339(value: object) -> object:
    """Text as the instant it names: not a number of seconds, and never without an offset."""
    if isinstance(value, datetime):
        return value
    try:
        return parse_time(value)
    except Invalid as error:
        raise PydanticCustomError("time", "{detail}", {"detail": error.errors[0].detail}) from error


Moment = Annotated[AwareDatetime, BeforeValidator(_rfc3339), Field(strict=False)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Custody = Literal["identity_preserved", "segregated", "controlled_blending", "mass_balance", "book_and_claim"]
Hash = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]

__all__ = ["Custody", "EventRef", "Fact", "Hash", "Moment", "Text", "datetime"]


class EventRef(Plain):
    """An event by its CloudEvents identity."""

    source: Name
    id: Name


class Fact(Plain):
    """Base of all facts.

    `replaces` names an earlier fact of the same source that then counts nowhere, whichever arrives first.
    `origin` is `synthetic` for generated data and is shown as such wherever the fact is used.
    """

    replaces: EventRef | None = None
    origin: Literal["measured", "synthetic"] = "measured"

    def owner(self) -> str | None:
        """The id of the party this fact belongs to; a supplier may state only its own. None: nobody's."""
        return None
