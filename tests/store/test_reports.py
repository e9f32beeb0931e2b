"""Reports: what processes without a door say about themselves; a database that cannot keep it breaks nothing."""

from sqlalchemy import text
from sqlalchemy.engine import make_url

from services.store.database import Database
from services.store.reports import FORGOTTEN_S, STALE_S, Reporter, body, report, reports, withdraw
from tests.waiting import until


def later(database: Database, name: str, seconds: float) -> None:
    """As if a process had said its last word that long ago."""
    with database.begin() as connection:
        connection.execute(
            text("UPDATE process_reports SET at = at - make_interval(secs => :seconds) WHERE name = :name"),
            {"seconds": seconds, "name": name},
        )


def test_the_last_word_of_each_process_is_kept(database):
    assert report(database, "relay", "one:1", body("standby"))
    assert report(database, "relay", "one:1", body("working", None, {"a": 1.5, "b": {("x", "0"): 2}}))
    assert report(database, "relay", "two:1", body("standby", "Another relay works; this one waits."))
    first, second = reports(database)
    assert first.body == {"state": "working", "detail": None, "figures": [["a", [], 1.5], ["b", ["x", "0"], 2]]}
    assert (second.owner, second.body["detail"]) == ("two:1", "Another relay works; this one waits.")
    assert first.living and second.living
    assert withdraw(database, "relay", "one:1")
    assert [one.owner for one in reports(database)] == ["two:1"]


def test_a_process_that_says_nothing_any_more_counts_as_gone_and_is_forgotten_in_the_end(database):
    report(database, "ingress", "one:1", body("working"))
    later(database, "ingress", STALE_S + 1)
    report(database, "worker", "one:2", body("working"))
    assert {one.name: one.living for one in reports(database)} == {"ingress": False, "worker": True}
    later(database, "ingress", FORGOTTEN_S)
    report(database, "worker", "one:2", body("working"))
    assert [one.name for one in reports(database)] == ["worker"]


def test_a_database_that_is_only_read_or_away_breaks_no_process(database):
    report(database, "worker", "one:1", body("working"))
    options = {"options": "-c default_transaction_read_only=on"}
    only_read = Database(make_url(database.url).update_query_dict(options).render_as_string(False), pool_size=1)
    assert not report(only_read, "worker", "one:1", body("stopping"))
    assert [one.body["state"] for one in reports(only_read)] == ["working"]
    only_read.dispose()
    away = Database("postgresql://nobody@127.0.0.1:1/none", pool_size=1)
    assert not report(away, "worker", "one:1", body("working"))
    away.dispose()


def test_a_reporter_speaks_at_once_and_takes_its_report_with_it(database):
    with Reporter(database, "shard", "one:1", lambda: body("working")):
        assert [one.name for one in until(lambda: reports(database))] == ["shard"]
    assert reports(database) == []
