"""The command that publishes the log to Kafka."""

import os
import sys
from typing import Annotated

import typer

from services import settings
from services.cli.opening import parts
from services.logs import configure_logs


def register(app: typer.Typer) -> None:
    """Add this module's command."""
    app.command()(relay)


def relay(
    from_start: Annotated[
        bool,
        typer.Option("--from-start", help="Publish the whole log again, behind what the topics hold; give it once."),
    ] = False,
) -> None:
    """Publish the log to Kafka, in order, each event once; of several relays one publishes, the others stand by."""
    from services.serving import stop_on_signals
    from services.store import leases
    from services.store.reports import Reporter
    from services.transports.kafka.relay.relaying import Relay
    from services.wiring import cluster

    configure_logs("info", as_json=not sys.stderr.isatty())
    found = settings.load()
    kafka = cluster(found)
    with parts(found) as here:
        owner = leases.owner_of(os.getpid())
        working = Relay(here.database, here.log, kafka, owner, from_start=from_start)
        stop_on_signals(working.stop)
        with Reporter(here.database, "relay", owner, working.says):
            working.run()
