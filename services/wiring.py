"""The wiring: settings in, the parts of a process out; the one place that knows how everything is made."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

from events.errors import Invalid, Unavailable
from projections.folds import all_projections
from services.access.sessions import Sessions
from services.access.tokens import Tokens
from services.exchange.ingest import Ingest
from services.exchange.quarantine import Quarantine
from services.exchange.waiting import Waiting
from services.runtime import Runtime
from services.settings import Settings
from services.store import leases, releases
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Log, wall_clock
from services.store.projecting.projector import Projector
from services.store.sealing.epochs import Guard
from services.store.sealing.feeds import Feeds
from services.store.sealing.sealer import Sealer

if TYPE_CHECKING:
    from services.transports.kafka.connecting import Cluster
    from services.transports.kafka.ingress.ingress import Ingress
    from services.transports.kafka.sharding.member import ShardMember

VERSION = version("lodestone")


@dataclass(frozen=True, slots=True)
class Parts:
    """What every process is made of."""

    settings: Settings
    database: Database
    log: Log
    projector: Projector
    sealer: Sealer
    guard: Guard
    feeds: Feeds
    tokens: Tokens
    sessions: Sessions
    ingest: Ingest

    def runtime(self) -> Runtime:
        """What the doors use."""
        return Runtime(
            database=self.database,
            log=self.log,
            projector=self.projector,
            clock=wall_clock,
            version=VERSION,
            data_dir=self.settings.data_dir,
            guard=self.guard,
            feeds=self.feeds,
            kafka=self.settings.kafka_bootstrap_servers is not None,
            public_url=self.settings.url,
            max_body_bytes=self.settings.max_body_bytes,
        )

    def prepare(self) -> None:
        """Bring the tables up to this release. Raises Unavailable when the database is away or newer."""
        if self.settings.database_owner_url or self.settings.database_url is None or not self.database.migrated():
            self.database.migrate()
        self.projector.prepare()
        releases.record(self.database, VERSION, wall_clock())


TURN_S = 0.0005
"""How long a thread that computes keeps others waiting. The one that appends waits for its turn after each answer of
the database, twenty times for a batch: with Python's 5 ms that is longer than the append itself takes."""


def spare_the_collector() -> None:
    """Let Python look for cycles rarely: what a page of events makes is many objects and no cycle.

    Left alone, the collector takes as long as the decoding. What is there already is never looked at again.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


@contextmanager
def parts(settings: Settings) -> Iterator[Parts]:
    """The parts of a process, on the embedded database or on LODESTONE_DATABASE_URL; let go at the end.

    Raises Unavailable when the embedded database cannot be started; an external one may still be away.
    """
    spare_the_collector()
    embedded: EmbeddedPostgres | None = None
    if settings.database_url is None:
        embedded = EmbeddedPostgres(settings.data_dir / "postgres")
        addresses = embedded.open()
        database = connected(settings, addresses.service, addresses.owner, embedded.revive)
    else:
        database = connected(settings, settings.database_url, settings.database_owner_url)
    here = made(settings, database)
    try:
        yield here
    finally:
        with suppress(Unavailable):
            here.projector.let_go()
            here.sealer.let_go()
        here.log.close()
        database.dispose()
        if embedded is not None:
            embedded.close()


def cluster(settings: Settings) -> "Cluster":
    """The Kafka cluster of these settings. Raises Invalid where none is named."""
    if settings.kafka_bootstrap_servers is None:
        raise Invalid(
            "Kafka is off: LODESTONE_KAFKA_BOOTSTRAP_SERVERS names no broker. Set it, e.g. to localhost:9092."
        )
    # The client is loaded where Kafka is used.
    from services.transports.kafka.connecting import Cluster

    return Cluster(
        servers=settings.kafka_bootstrap_servers,
        prefix=settings.kafka_prefix,
        partitions=settings.kafka_partitions,
        replication=settings.kafka_replication,
        security=settings.kafka_security,
    )


def ingress(here: Parts) -> "Ingress":
    """What takes Kafka's events in, on these parts. Raises Invalid where Kafka is off, or a trusted topic wrong."""
    from services.transports.kafka.ingress.ingress import Ingress
    from services.transports.kafka.ingress.principals import Principals, trusted_topics

    trusted = trusted_topics(here.settings.kafka_trusted_topics)
    sys.setswitchinterval(TURN_S)
    owner = leases.owner_of(os.getpid())
    return Ingress(cluster(here.settings), here.ingest, Principals(here.tokens, trusted), owner)


def connected(
    settings: Settings, url: str, owner_url: str | None, revive: Callable[[], None] = lambda: None
) -> Database:
    """The database at this address, with the pool that the settings ask for; nothing is opened yet."""
    size, overflow = settings.database_pool_size, settings.database_pool_overflow
    return Database(url, owner_url, pool_size=size, max_overflow=overflow, revive=revive)


def shards(here: Parts) -> "ShardMember":
    """What folds shares from Kafka, on these parts. Raises Invalid where Kafka is off."""
    from services.transports.kafka.sharding.member import ShardMember

    owner = leases.owner_of(os.getpid())
    return ShardMember(cluster(here.settings), here.projector, owner)


def made(settings: Settings, database: Database) -> Parts:
    """The parts on this database."""
    guard = Guard(database, settings.data_dir)
    log, feeds = Log(database, wall_clock, guard=guard), Feeds(settings.data_dir, guard)
    owner = leases.owner_of(os.getpid())
    return Parts(
        settings=settings,
        database=database,
        log=log,
        projector=Projector(database, log, all_projections(), owner, wall_clock),
        sealer=Sealer(database, log, settings.data_dir, owner, [feeds]),
        guard=guard,
        feeds=feeds,
        tokens=Tokens(database, log, wall_clock),
        sessions=Sessions(database, wall_clock),
        ingest=Ingest(log, Waiting(database), Quarantine(database, wall_clock)),
    )
