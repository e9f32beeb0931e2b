"""Events from Kafka enter the log, each once, whatever is sent and however often."""

from tests.transports.ingress.bench import Bench, ingress_of, rows, running, stored_ids, until


def test_each_event_enters_once_in_both_modes_with_repeats_and_reordering(kafka, database):
    bench = Bench(kafka, database)
    events = bench.events(60)
    bench.send(*events[:30])
    bench.send(*events[30:], mode="binary")
    bench.send(*reversed(events))
    with running(ingress_of(kafka, database)) as ingress:
        until(
            lambda: (
                ingress.standing.tally.figures().get("lodestone_ingress_messages_total", {}).get(("duplicate",)) == 60
            )
        )
    assert sorted(stored_ids(database)) == sorted(event["id"] for event in events)
    moved = rows(database, "SELECT sum(next) FROM log_cursors")
    assert moved == [(120,)]
    assert not any(
        b"lode_" in body for (body,) in rows(database, "SELECT body FROM log_events WHERE type LIKE '%tests%'")
    )
