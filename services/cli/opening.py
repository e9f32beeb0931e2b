"""Opening a command line: its application, what its refusals become, and the parts of the service, loaded late."""

import faulthandler
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from events.errors import DomainError
from services.cli.printing import words
from services.logs import configure_logs
from services.settings import Settings

if TYPE_CHECKING:
    from services.wiring import Parts


def application(name: str, help: str) -> typer.Typer:
    """An application without commands yet; called without a command it shows its help."""
    return typer.Typer(
        name=name, help=help, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
    )


def run(app: typer.Typer, interrupted: str = "Interrupted.") -> None:
    """Run the command; a refusal is one sentence on standard error and exit 1, never a traceback."""
    configure_logs("warning", as_json=not sys.stderr.isatty())
    faulthandler.enable()  # a process that a library brings down says where
    try:
        app()
    except DomainError as error:
        words(error.detail)
        for fault in error.errors:
            words(f"  {fault.pointer}: {fault.detail}")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
    except KeyboardInterrupt:
        words(interrupted)
        sys.exit(130)


@contextmanager
def parts(settings: Settings) -> Iterator["Parts"]:
    """The parts of this process, which take a second to load; let go at the end.

    Raises Unavailable when the embedded database cannot be started.
    """
    from services import wiring
    from services.store.log import LogHole

    try:
        with wiring.parts(settings) as here:
            yield here
    except LogHole as error:
        words(f"{error} `lodestone verify` says more; nothing after it is read.")
        sys.exit(1)
