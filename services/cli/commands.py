"""All commands in one application, and the one place where a refusal becomes a sentence and an exit code."""

import sys

import typer

from events.errors import DomainError
from services.cli import data, inspection, people, recovery, relaying, sealing, serving
from services.cli.printing import words
from services.logs import configure_logs

app = typer.Typer(
    name="lodestone",
    help="Closed-loop specifications for rare-earth permanent-magnet motors.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for room in (serving, data, inspection, people, sealing, recovery, relaying):
    room.register(app)


def main() -> None:
    """Run the command; a refusal is one sentence on standard error and exit 1, never a traceback."""
    configure_logs("warning", as_json=not sys.stderr.isatty())
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
        words("Interrupted.")
        sys.exit(130)
