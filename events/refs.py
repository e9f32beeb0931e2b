"""Identity of things from outside: {issuer, id}, written `issuer:id` in paths, subjects and keys."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, StringConstraints

from events.errors import Invalid

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+").fullmatch
"""What percent-encoding leaves as it is."""

NO_CONTROL = r"^[^\x00-\x1f]+$"
"""The pattern of a text without control characters; as JSON it has no backslash for their sake."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_CONTROL)]


@lru_cache(maxsize=1 << 14)
def ref_name(issuer: str, name: str) -> str:
    """`issuer:id`, each part percent-encoded; the same few are named again and again."""
    if _PLAIN(issuer) and _PLAIN(name):
        return f"{issuer}:{name}"
    return f"{quote(issuer, safe='')}:{quote(name, safe='')}"


class Ref(BaseModel):
    """A thing as its issuer names it: two suppliers may both have a "LOT-001"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: Name
    id: Name

    def __str__(self) -> str:
        """`issuer:id`, each part percent-encoded."""
        return ref_name(self.issuer, self.id)


def ref_text(value: Mapping[str, Any]) -> str:
    """`issuer:id` of a reference as it stands in stored data: {"issuer": …, "id": …}."""
    return ref_name(value["issuer"], value["id"])


def parse_ref(text: str) -> Ref:
    """The reference written as `issuer:id`. Raises Invalid when a part is missing."""
    issuer, colon, name = text.partition(":")
    if not (colon and issuer and name):
        raise Invalid(f"'{text}' is not a reference; write issuer:id, each part percent-encoded.")
    return Ref(issuer=unquote(issuer), id=unquote(name))
