"""Opening the service for a command: its parts are loaded when one runs, for they take a second and help needs none."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from services.cli.printing import words
from services.settings import Settings

if TYPE_CHECKING:
    from services.wiring import Parts


@contextmanager
def parts(settings: Settings) -> Iterator["Parts"]:
    """The parts of this process; let go at the end. Raises Unavailable when the embedded database cannot be started."""
    from services import wiring
    from services.store.log import LogHole

    try:
        with wiring.parts(settings) as here:
            yield here
    except LogHole as error:
        words(f"{error} `lodestone verify` says more; nothing after it is read.")
        sys.exit(1)
