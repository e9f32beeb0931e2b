"""Fixtures of the ingress: a bench with a token."""

from collections.abc import Iterator

import pytest

from services.store.database import Database
from services.transports.kafka.connecting import Cluster
from tests.transports.ingress.bench import Bench


@pytest.fixture
def bench(kafka: Cluster, database: Database) -> Iterator[Bench]:
    """A bench whose token is bound to /benches/B1."""
    made = Bench(kafka, database)
    yield made
    made.close()
