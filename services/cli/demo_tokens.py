"""The tokens of the worked example's seats, kept in the data folder so that a second run needs no new ones."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from events.errors import Unauthenticated

if TYPE_CHECKING:
    from services.wiring import Parts


class Seat(Protocol):
    """Somebody who takes part in the example."""

    @property
    def name(self) -> str: ...
    @property
    def role(self) -> str: ...
    @property
    def source(self) -> str | None: ...
    @property
    def party(self) -> str | None: ...


def demo_tokens(here: "Parts", seats: Iterable[Seat]) -> dict[str, str]:
    """A valid token for each seat by name; those of an earlier run are used again."""
    path = here.settings.data_dir / "demo-tokens.json"
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    tokens = {}
    for seat in seats:
        secret = kept.get(seat.name)
        if secret is None or not _valid(here, secret):
            secret = here.tokens.issue(seat.role, seat.name, seat.party, seat.source)
        tokens[seat.name] = secret
    if tokens != kept:
        _write(path, tokens)
    return tokens


def _valid(here: "Parts", secret: str) -> bool:
    try:
        here.tokens.principal(secret)
    except Unauthenticated:
        return False
    return True


def _write(path: Path, tokens: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(tokens, file)
