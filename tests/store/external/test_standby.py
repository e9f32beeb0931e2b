"""A service on a standby reads and says why it does not write; promoted, it goes on; commits that are lost are told."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from events.errors import Unavailable
from services.settings import Settings
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log, wall_clock
from services.store.sealing.recovering import open_epoch
from services.wiring import Parts, made
from tests.doors.facts import efficiency
from tests.doors.notices import tell
from tests.store.external.standby import Whole, either, stream
from tests.store.facts import draft, straight
from tests.waiting import until

SUPPLIER = "magnus:magnus"
ANSWER = "/v1/notices/magnus-n1/answer"
RECEIVED, JSON = {"answer": "received", "person": "Maja"}, {"Content-Type": "application/json"}
FEED = ("/v1/feed", "/v1/notices/magnus-n1/receipt")
PAGES = ("/", "/specs", "/lots", "/audit")
READS = ("/v1/events", "/v1/status", "/v1/proposals", "/v1/log/checkpoint", "/metrics", "/readyz")


@dataclass
class Two:
    """A primary and its standby, and what was filled into a database on both."""

    primary: EmbeddedPostgres
    standby: EmbeddedPostgres

    def lose_the_primary(self) -> None:
        self.primary._pg_ctl("stop", "-m", "immediate", "-w")

    def promote(self) -> None:
        self.standby._pg_ctl("promote", "-w")

    def cut(self) -> None:
        """What the primary commits from now on does not reach the standby."""
        with straight(self.standby.addresses("postgres").admin) as connection:
            connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
            connection.execute("SELECT pg_reload_conf()")
            until(lambda: connection.execute("SELECT count(*) FROM pg_stat_wal_receiver").fetchone() == (0,))


@pytest.fixture
def two(listening: EmbeddedPostgres, folder: Path) -> Iterator[Two]:
    """A primary with the databases `streamed` and `lost`, and a standby that has them too."""
    for name in ("streamed", "lost"):
        listening.make_database(name)
        Database(listening.addresses(name).service, listening.addresses(name).owner, pool_size=1).migrate()
    found = Two(listening, stream(listening, folder / "standby"))
    yield found
    found.standby.close()
    shutil.rmtree(folder / "standby", ignore_errors=True)
    listening.revive()


def filled(whole: Whole) -> tuple[str, str, str]:
    """A feed with two notices, folded and sealed: tokens of an admin and a supplier, and a person's session."""
    parts = whole.parts
    parts.prepare()
    tell(parts.log, "magnus", 1, 2)
    admin = parts.tokens.issue("admin", "ann")
    supplier = parts.tokens.issue("supplier", "magnus", party=SUPPLIER, source_prefix="/suppliers/magnus")
    session = parts.sessions.sign_in(parts.sessions.link("approver", "ada"))
    parts.projector.catch_up()
    parts.sealer.finish()
    parts.projector.catch_up()
    parts.projector.let_go()
    return admin, supplier, session


def behind(whole: Whole, parts: Parts) -> bool:
    with parts.database.connect():
        return whole.parts.log.head() < parts.log.head() or whole.parts.projector.position() < parts.log.head()


def assert_readable(whole: Whole, admin: httpx.Client, supplier: httpx.Client, person: httpx.Client) -> None:
    position = whole.parts.projector.position()
    for client, paths in ((person, PAGES), (admin, READS), (supplier, FEED)):
        for path in paths:
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            assert int(answer.headers["Lodestone-Position"]) >= position > 0, path
    assert supplier.get("/v1/feed").json()["checkpoint"]
    assert admin.get("/v1/events", params={"min_position": position}).status_code == 200


def assert_refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["read_only"]) == (503, True), answer.text
    assert answer.headers["Retry-After"] == "2" and "takes no writes now" in answer.json()["detail"]


def test_a_standby_is_read_and_after_its_promotion_written_without_a_restart(two: Two, tmp_path: Path) -> None:
    before = Whole(two.primary.addresses("streamed").service, tmp_path)
    with closing(before), closing(Whole(two.standby.addresses("streamed").service, tmp_path)) as whole:
        admin, supplier, session = filled(before)
        until(lambda: not behind(whole, before.parts))
        clients = whole.client(admin), whole.client(supplier), whole.person(session)
        whole.parts.prepare()
        whole.working.start()
        assert_readable(whole, *clients)
        event = efficiency("M1")
        assert_refused(clients[0].post("/v1/events", json=event))
        assert_refused(clients[1].post(ANSWER, json=RECEIVED, headers={"Idempotency-Key": "k", **JSON}))
        until(lambda: "takes no writes now" in (whole.worker.trouble or ""))
        assert clients[0].get("/readyz").json()["degraded"]["database"].startswith("The database takes no writes")
        with lost_commits(two, tmp_path / "lost") as lost, failing_over(two) as follows:
            two.lose_the_primary()
            assert_readable(whole, *clients)
            assert_reads_only(follows)
            two.promote()
            answer = clients[0].post("/v1/events", json=event)
            assert answer.status_code == 201, answer.text
            until(lambda: whole.parts.projector.position() >= answer.json()["position"])
            assert whole.working.is_alive()
            assert (follows.append(Append((draft(),)))[0].position or 0) > answer.json()["position"]
            assert_told_until_recovered(lost)


@contextmanager
def failing_over(two: Two) -> Iterator[Log]:
    """A log on whichever of both takes writes, with connections open to the primary."""
    database = Database(either(two.primary, two.standby, "streamed"), pool_size=2)
    log = Log(database)
    assert log.append(Append((draft(),)))[0].position == log.head()
    yield log
    log.close()
    database.dispose()


def assert_reads_only(log: Log) -> None:
    """While there is no primary the standby is read from, and an append says that it cannot be."""
    with pytest.raises(Unavailable):
        log.append(Append((draft(),)))
    with pytest.raises(Unavailable, match="takes no writes now"):
        log.append(Append((draft(),)))
    assert log.head() > 0


@contextmanager
def lost_commits(two: Two, data_dir: Path) -> Iterator[Parts]:
    """Parts on the standby; the primary committed and signed more than the standby will ever see."""
    settings = Settings(data_dir=data_dir)
    here, there = (
        made(settings, Database(server.addresses("lost").service, server.addresses("lost").owner))
        for server in (two.primary, two.standby)
    )
    here.log.append(Append((draft(), draft())))
    until(lambda: there.log.head() == 2)
    two.cut()
    here.log.append(Append((draft(),)))
    here.sealer.seal()
    assert there.guard.look() is None  # a standby that is behind is no restored dump
    yield there
    for parts in (here, there):
        parts.log.close()
        parts.database.dispose()


def assert_told_until_recovered(parts: Parts) -> None:
    """What was signed and is no more is noticed at once, and `lodestone recover` goes on after it."""
    found = parts.guard.look()
    assert found is not None and (found.signed, found.head) == (3, 2)
    with pytest.raises(Unavailable, match="lodestone recover"):
        parts.log.append(Append((draft(),)))
    assert open_epoch(parts.database, found, "the standby lost commits", wall_clock()) == 3
    until(lambda: parts.guard.found() is None)
    parts.sealer.finish()
    parts.log.append(Append((draft(),)))
