"""A log in which a newer release has written: this one stops just before it, and says which release to run."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from sqlalchemy.engine import make_url

from services.store.database.postgres import EmbeddedPostgres
from tests.golden.pins import example
from tests.journeys.running import Running
from tests.waiting import until

NEWER = "lodestone.tests.flux_measured.v9"
SENTENCE = (
    f"Position 2 holds '{NEWER}', which this release does not know: it was written by Lodestone 9.1.0. "
    "Run that release or a later one; nothing is skipped."
)


def stored(id: str, event_type: str) -> str:
    """A line of an export, of whatever release."""
    event = example("lodestone.tests.flux_measured.v1")
    kept = {"recordedtime": "2026-04-01T00:00:00.000000Z", "stream": f"tests/{event['partitionkey']}"}
    return json.dumps({**event, "id": id, "type": event_type, **kept}, separators=(",", ":")) + "\n"


@contextmanager
def database(running: Running) -> Iterator[psycopg.Connection]:
    server = EmbeddedPostgres(running.home / "data" / "postgres")
    url = make_url(server.open().service).set(drivername="postgresql")
    try:
        with psycopg.connect(url.render_as_string(hide_password=False), autocommit=True) as connection:
            yield connection
    finally:
        server.close()


@pytest.fixture
def written(running: Running) -> Running:
    """An installation whose log holds a known event, one of release 9.1.0, and another known one."""
    known = "lodestone.tests.flux_measured.v1"
    path = running.home / "export.ndjson"
    path.write_text(stored("a", known) + stored("b", NEWER) + stored("c", known))
    running.command("status")
    with database(running) as connection:
        connection.execute("INSERT INTO event_types VALUES (%s, '9.1.0', now())", [NEWER])
    running.command("import", str(path), check=False)
    return running


def test_a_worker_stops_before_a_newer_type_and_names_the_release(written: Running) -> None:
    done = written.command("worker", "--no-decider", check=False)
    assert done.returncode == 1
    assert done.stderr.count(SENTENCE) == 1
    assert "Traceback" not in done.stderr


def test_the_service_says_so_once_and_does_not_start_workers_in_vain(written: Running) -> None:
    written.begin("--no-decider")
    until(lambda: "worker stopped" in written.words(), written.words)
    until(lambda: told(written), written.words)
    assert position(written) == 1
    time.sleep(3)  # longer than it takes to start another one
    written.stop()
    words = written.words()
    assert words.count("worker stopped") == 1, words
    assert words.count("worker ended; starting another") == 0, words


def told(running: Running) -> bool:
    """Whether `/readyz` says so."""
    ready = running.asked("/readyz")
    if ready is None or ready.json()["parts"]["projections"].get("detail") != SENTENCE:
        return False
    assert ready.status_code == 503
    return True


def position(running: Running) -> int:
    status = running.json("status")
    assert status["stopped"] in (None, SENTENCE)
    return min(int(part["position"]) for part in status["projections"].values())
