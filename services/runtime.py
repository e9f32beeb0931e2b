"""The running service as its doors see it: store, clock, limits, measurements. Built once, by the wiring."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from services.engine.waking import checkpoint
from services.measurements import Measurements
from services.store.database import Database
from services.store.log import Log
from services.store.projecting.projector import Projector
from services.store.sealing.epochs import Guard
from services.store.sealing.feeds import Feeds


@dataclass
class Runtime:
    """What every door may use. `known_position` is the last position that all projections were seen to have reached."""

    database: Database
    log: Log
    projector: Projector
    clock: Callable[[], datetime]
    version: str
    data_dir: Path | None = None
    public_url: str = "http://127.0.0.1:8600"
    max_body_bytes: int = 8 * 1024 * 1024
    max_wait_s: float = 30.0
    metrics: Measurements = field(default_factory=Measurements)
    stopping: threading.Event = field(default_factory=threading.Event)
    known_position: int = 0
    guard: Guard | None = None
    feeds: Feeds | None = None
    """Signs the heads of feeds for answers; without it answers carry the last ones that were kept."""
    kafka: bool = False
    """Whether brokers are configured, so that a relay and an ingress are expected to run."""

    def __post_init__(self) -> None:
        self.log.writer.observed = self.metrics.committed

    def position(self) -> int:
        """The log position that all projections have reached. Raises Unavailable where we cannot read them."""
        reached = self.projector.reading()
        self.known_position = max(self.known_position, reached)
        return reached

    def decided(self) -> int:
        """The log position up to which the decider has concluded."""
        with self.database.connect() as connection:
            return checkpoint(connection)
