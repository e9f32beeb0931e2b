"""All commands in one application."""

from services.cli import data, inspection, people, recovery, relaying, sealing, serving
from services.cli.opening import application, run

app = application("lodestone", "Closed-loop specifications for rare-earth permanent-magnet motors.")
for room in (serving, data, inspection, people, sealing, recovery, relaying):
    room.register(app)


def main() -> None:
    """The command `lodestone`."""
    run(app)
