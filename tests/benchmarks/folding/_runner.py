"""The runner of projections of the eventsourcing package, with one that does nothing but note how far it is."""

import time
from typing import Any
from uuid import uuid4

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from sqlalchemy.engine import make_url

BATCH = 250


class Result(Aggregate):
    """A result of about the size of ours."""

    @event("Told")
    def __init__(self, body: str) -> None:
        self.size = len(body)


class Results(Application):
    """Where they are kept."""


class Nothing(Projection[PostgresTrackingRecorder]):
    """Notes that an event was seen, and nothing else."""

    name = "nothing"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Move on."""
        self.view.insert_tracking(tracking)


def runner_rate(url: str, bodies: list[str]) -> float:
    """Events a second from stored to noted, over these bodies, each stored before in an aggregate of its own."""
    at = make_url(url)
    environment = {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(at.database),
        "POSTGRES_HOST": str(at.query["host"]),
        "POSTGRES_PORT": "5432",
        "POSTGRES_USER": str(at.username),
        "POSTGRES_PASSWORD": str(at.password),
        "RESULTS_NAME": uuid4().hex,
    }
    app = Results(env=environment)
    for start in range(0, len(bodies), BATCH):
        app.save(*(Result(body) for body in bodies[start : start + BATCH]))
    last = app.recorder.max_notification_id()
    app.close()
    start_s = time.perf_counter()
    with ProjectionRunner(
        application_class=Results, projection_class=Nothing, view_class=PostgresTrackingRecorder, env=environment
    ) as runner:
        runner.wait(last, timeout=120.0)
        return len(bodies) / (time.perf_counter() - start_s)
