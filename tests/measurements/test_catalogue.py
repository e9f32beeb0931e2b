"""The catalogue: its names follow the conventions that Prometheus and the field have."""

import re

import pytest

from services.measurements.catalogue import METRICS, ROOMS

UNITS = ("seconds", "bytes", "ratio")
FOREIGN = re.compile(r"_(ms|milliseconds|minutes|hours|kb|mb|percent)(_|$)")


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_name_follows_the_conventions(name):
    metric = METRICS[name]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert name.startswith(("lodestone_", "http_server_", "db_client_", "kafka_"))
    assert (metric.kind == "counter") == name.endswith("_total")
    assert not name.endswith(("_count", "_sum", "_bucket", "_created")) or name == "db_client_connection_count"
    assert not FOREIGN.search(name)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", label) for label in metric.labels)
    assert metric.says.endswith(".")


def test_durations_and_ages_are_in_seconds():
    timed = [name for name in METRICS if re.search(r"(duration|age|lag|timestamp)(_|$)", name)]
    assert timed
    assert [name for name in timed if not name.endswith((*UNITS, "_events", "_lag"))] == []


def test_each_name_stands_once():
    assert sum(len(room) for _, room in ROOMS) == len(METRICS)
