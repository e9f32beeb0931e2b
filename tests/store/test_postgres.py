"""The embedded PostgreSQL: started once, shared, recovered after a crash, closed to everybody else."""

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import psycopg
import pytest

from events.errors import Unavailable
from services.store.database import Database
from services.store.database.binaries import working_in
from services.store.database.postgres import DATABASE, EmbeddedPostgres
from services.store.log import Append, Log
from tests.store.facts import draft, straight
from tests.waiting import PATIENCE_S, until

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from services.store.database.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.open()
sys.stdout.write("open\\n"); sys.stdout.flush()
sys.stdin.readline()
server.close()
"""

MIGRATE = """
import sys
from services.store.database import Database
Database(sys.argv[1], sys.argv[2], pool_size=1).migrate()
"""


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that the system user of the database can reach."""
    folder = Path(mkdtemp(prefix="lodestone-tests-"))
    folder.chmod(0o711)
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True)


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    """A server with durability on; its folder is kept from test to test."""
    made = EmbeddedPostgres(home / "postgres")
    made.open()
    yield made
    made.close()


def running(server: EmbeddedPostgres) -> bool:
    return (server.data / "postmaster.pid").exists() and server._answers()


def wait_for_the_sessions_to_end(server: EmbeddedPostgres) -> None:
    """The sessions of a killed server answer until they notice."""
    until(lambda: not working_in(server.data))


def migrated(server: EmbeddedPostgres) -> Database:
    addresses = server.addresses(DATABASE)
    database = Database(addresses.service, addresses.owner, pool_size=2)
    database.migrate()
    return database


def test_it_starts_answers_and_stops(home: Path) -> None:
    server = EmbeddedPostgres(home / "postgres")
    with straight(server.open().service) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("lodestone_service",)
    server.close()
    assert not running(server)
    server.close()


def test_durability_is_on_unless_a_test_gives_it_up(server: EmbeddedPostgres, postgres: EmbeddedPostgres) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes")

    def shown(of: EmbeddedPostgres) -> list[str]:
        with straight(of.addresses("postgres").service) as connection:
            return [(connection.execute(f"SHOW {name}").fetchone() or ("",))[0] for name in names]

    assert shown(server) == ["on", "on", "on"]
    assert shown(postgres) == ["off", "off", "off"]


def test_committed_events_survive_a_kill_of_the_server(server: EmbeddedPostgres) -> None:
    database = migrated(server)
    log = Log(database)
    before = log.head()
    stored = [outcome.position for _ in range(5) for outcome in log.append(Append((draft(),)))]
    server.kill()
    again = EmbeddedPostgres(server.folder)
    again.open()
    assert [event.position for event in log.read(before, 10)] == stored
    assert log.append(Append((draft(),)))[0].position == before + 6
    again.close()
    database.dispose()


def test_two_processes_share_it_and_the_last_one_stops_it(server: EmbeddedPostgres) -> None:
    command = [sys.executable, "-c", HOLD, str(server.folder)]
    pipe = subprocess.PIPE
    other = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    first = (server.data / "postmaster.pid").read_text().split()[0]
    server.close()
    assert running(server)
    assert (server.data / "postmaster.pid").read_text().split()[0] == first
    other.communicate("\n", timeout=PATIENCE_S)
    assert not running(server)


def test_a_killed_process_does_not_keep_it_running(server: EmbeddedPostgres) -> None:
    command = [sys.executable, "-c", HOLD, str(server.folder)]
    pipe = subprocess.PIPE
    other = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "open\n"
    os.kill(other.pid, signal.SIGKILL)
    other.communicate(timeout=PATIENCE_S)
    server.close()
    assert not running(server)


def test_the_secrets_are_for_their_owner_only(server: EmbeddedPostgres) -> None:
    mode = stat.S_IMODE((server.folder / "secrets.json").stat().st_mode)
    assert mode == 0o600
    assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


def test_it_listens_on_no_network_address_and_asks_for_the_password(server: EmbeddedPostgres) -> None:
    with straight(server.addresses("postgres").service) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host=str(server.socket), user="postgres", password="guess", dbname="postgres")


def test_a_database_that_goes_away_is_unavailable_and_comes_back_by_itself(server: EmbeddedPostgres) -> None:
    database = migrated(server)
    log = Log(database)
    head = log.head()
    server.kill()
    wait_for_the_sessions_to_end(server)
    for call in (log.head, database.ping, lambda: log.append(Append((draft(),))), database.listen):
        with pytest.raises(Unavailable, match="try again") as refused:
            call()
        assert refused.value.facts["retry_after_s"] > 0
    again = EmbeddedPostgres(server.folder)
    again.open()
    assert log.head() == head
    assert log.append(Append((draft(),)))[0].position == head + 1
    again.close()
    database.dispose()


def test_a_server_that_died_under_a_running_process_is_started_again_by_it(server: EmbeddedPostgres) -> None:
    migrated(server).dispose()
    database = Database(server.addresses(DATABASE).service, pool_size=2, revive=server.revive)
    log = Log(database)
    head = log.append(Append((draft(),)))[0].position
    server.kill()
    wait_for_the_sessions_to_end(server)
    with pytest.raises(Unavailable):
        database.ping()
    assert log.head() == head
    database.dispose()


def test_a_database_without_tables_says_what_to_type(server: EmbeddedPostgres) -> None:
    server.make_database("bare")
    bare = Database(server.addresses("bare").service)
    assert not bare.migrated()
    with pytest.raises(Unavailable, match="lodestone migrate"):
        Log(bare).head()
    bare.dispose()
    server.drop_database("bare")


def test_processes_that_migrate_together_wait_for_each_other(server: EmbeddedPostgres) -> None:
    server.make_database("together")
    addresses = server.addresses("together")
    command = [sys.executable, "-c", MIGRATE, addresses.service, addresses.owner]
    together = [subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [migrating.communicate(timeout=PATIENCE_S)[1] for migrating in together] == ["", "", ""]
    database = Database(addresses.service, addresses.owner)
    assert database.migrated()
    database.dispose()
    server.drop_database("together")
