"""The tally: a process without a door counts under the names of the catalogue, and reports what it counted."""

import pytest

from services.measurements import Figure, Measurements, Tally


def shown(tally: Tally) -> str:
    figures = [
        Figure(name, labels, value, "one:1")
        for name, cells in tally.figures().items()
        for labels, value in cells.items()
    ]
    text, content_type = Measurements().text(figures, version="1.2.3")
    assert content_type.startswith("text/plain")
    return text.decode()


def test_what_is_counted_is_what_is_shown():
    tally = Tally("ingress")
    for outcome in ("accepted", "accepted", "rejected"):
        tally.add("lodestone_ingress_messages_total", 1, outcome)
    tally.set("kafka_consumergroup_lag", 7, "plant.ingress", "plant.bench.events.v1", "0")
    for seconds in (0.25, 0.5):
        tally.timed("lodestone_ingress_batch_duration_seconds", seconds)
    text = shown(tally)
    assert 'lodestone_ingress_messages_total{outcome="accepted",process="one:1"} 2.0' in text
    assert (
        'kafka_consumergroup_lag{consumergroup="plant.ingress",partition="0",process="one:1",'
        'topic="plant.bench.events.v1"} 7.0'
    ) in text
    assert 'lodestone_ingress_batch_duration_seconds_sum{process="one:1"} 0.75' in text
    assert 'lodestone_ingress_batch_duration_seconds_count{process="one:1"} 2.0' in text
    assert 'lodestone_process_cpu_seconds_total{process="one:1",role="ingress"}' in text
    assert 'lodestone_build_info{python="' in text and 'version="1.2.3"' in text
    assert "process_resident_memory_bytes" in text


def test_a_partition_that_went_to_another_process_is_forgotten():
    tally = Tally("ingress")
    tally.set("kafka_consumergroup_lag", 7, "g", "t", "0")
    tally.forget("kafka_consumergroup_lag")
    assert "kafka_consumergroup_lag" not in tally.figures()


def test_a_name_or_label_that_the_catalogue_does_not_have_is_refused():
    tally = Tally("relay")
    with pytest.raises(KeyError):
        tally.add("lodestone_relay_words_total")
    with pytest.raises(KeyError, match="outcome"):
        tally.add("lodestone_relay_transactions_total", 1)


def test_the_figures_of_a_newer_release_are_passed_over():
    newer = [
        Figure("lodestone_relay_miracles", (), 1.0, "one:1"),
        Figure("lodestone_relay_epoch", ("x",), 2.0, "one:1"),
    ]
    text, _ = Measurements().text([*newer, Figure("lodestone_relay_epoch", (), 3.0, "two:1")])
    assert "miracles" not in text.decode()
    assert 'lodestone_relay_epoch{process="two:1"} 3.0' in text.decode()
    assert 'process="one:1"' not in text.decode()


def test_a_process_does_not_speak_for_the_service_nor_the_service_for_a_process():
    crossed = [Figure("lodestone_relay_lag_events", (), 1.0, "one:1"), Figure("lodestone_relay_epoch", (), 2.0)]
    text, _ = Measurements().text([Figure("lodestone_relay_lag_events", (), 3.0), *crossed])
    assert "lodestone_relay_lag_events 3.0" in text.decode()
    assert "lodestone_relay_epoch" not in text.decode()


def test_openmetrics_is_given_to_who_asks_for_it():
    text, content_type = Measurements().text([], accept="application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith(b"# EOF\n")
