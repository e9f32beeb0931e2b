"""TLS as the URL asks for it, on every connection of ours; and what is said when it is not to be had."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from events.errors import Unavailable
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Append, Log
from tests.store.external.certificates import Authority
from tests.store.external.front import fronted
from tests.store.facts import draft


def address(url: str, port: int, host: str = "127.0.0.1", **tls: str) -> str:
    """This URL at another port, with what it asks of TLS."""
    return make_url(url).set(host=host, port=port).update_query_dict(tls).render_as_string(hide_password=False)


def test_the_pool_the_writer_the_listener_and_the_migration_all_speak_tls(
    listening: EmbeddedPostgres, authority: Authority
) -> None:
    listening.make_database("tls")
    urls = listening.addresses("tls")
    with fronted(listening.listening.number, authority.vouch("127.0.0.1")) as front:
        asked = {"sslmode": "verify-full", "sslrootcert": str(authority.path)}
        database = Database(address(urls.service, front.port, **asked), address(urls.owner, front.port, **asked))
        steps = (database.migrate, database.ping, lambda: Log(database).append(Append((draft(),))), database.listen)
        for step in steps:
            before = front.encrypted
            step()
            assert front.encrypted > before, step
        with database.dedicated() as straight, database.connect() as pooled:
            raw = pooled.connection.driver_connection
            assert raw is not None and raw.pgconn.ssl_in_use and straight.pgconn.ssl_in_use
        assert front.plain == 0
        database.dispose()


def test_what_cannot_be_verified_is_refused_in_one_sentence(
    listening: EmbeddedPostgres, authority: Authority, folder: Path
) -> None:
    other, url = Authority(folder, "another"), listening.addresses("postgres").service
    full = {"sslmode": "verify-full", "sslrootcert": str(authority.path)}
    with fronted(listening.listening.number, authority.vouch("127.0.0.1")) as front:
        cases = (
            (address(url, front.port, **{**full, "sslrootcert": str(other.path)}), "not vouched for by"),
            (address(url, front.port, "localhost", **full), "is for another host"),
            (address(url, front.port, **{**full, "sslrootcert": "/nowhere/root.crt"}), "cannot be read"),
            (address(url, listening.listening.number, **full), "does not speak TLS"),
        )
        for written, sentence in cases:
            database = Database(written, pool_size=1)
            for step in (database.ping, database.dedicated, database.listen, database.migrate):
                with pytest.raises(Unavailable, match=sentence) as refused:
                    step()
                assert "\n" not in refused.value.detail


def test_a_server_that_is_too_old_is_refused_by_name(listening: EmbeddedPostgres) -> None:
    url = listening.addresses("postgres").service
    with fronted(listening.listening.number, None, says=b"14") as front:
        database = Database(address(url, front.port), pool_size=1)
        for step in (database.ping, database.dedicated, database.migrate):
            with pytest.raises(Unavailable, match="is PostgreSQL 14; Lodestone needs 15 or newer"):
                step()


@pytest.mark.parametrize("url", ["postgres://u:p@a:1,b:2/name", "postgresql:///name?host=a:1&host=b:2&user=u"])
def test_several_hosts_may_be_written_in_either_way(url: str) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        Database(url).ping()
    assert Database(url)._address.query["host"] == ("a:1", "b:2")


def test_a_comma_in_a_password_is_not_one_between_hosts() -> None:
    found = Database("postgresql://u:a,b@db:5433/name")._address
    assert (found.password, found.host, found.port) == ("a,b", "db", 5433)


def test_a_server_on_a_port_is_the_one_that_its_folder_says(listening: EmbeddedPostgres) -> None:
    """Who opens the folder without a port finds the server that runs; who wants another port is told."""
    beside = EmbeddedPostgres(listening.folder, unsafe_fast=True)
    assert f"127.0.0.1:{listening.listening.number}/" in beside.open().service
    beside.close()
    elsewhere = EmbeddedPostgres(listening.folder, port=listening.listening.number + 1)
    with pytest.raises(Unavailable, match=f"listens at 127.0.0.1:{listening.listening.number}, not at"):
        elsewhere.open()
    elsewhere.close()
