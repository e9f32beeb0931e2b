"""Measuring: what this process counts and times about itself, and the text of that and of everybody's figures."""

import platform
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from services.measurements.catalogue import METRICS, Metric

_HTTP_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""As OpenTelemetry advises for `http.server.request.duration`."""
_APPEND_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_EVENTS_BUCKETS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
Family = CounterMetricFamily | GaugeMetricFamily | SummaryMetricFamily

disable_created_metrics()  # type: ignore[no-untyped-call]


class Figure(NamedTuple):
    """One number under its name in the catalogue, with the values of its labels; `process` for a reported one."""

    name: str
    labels: tuple[str, ...]
    value: float
    process: str | None = None


class Measurements:
    """Counters, gauges and histograms of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.events = self._counter("lodestone_events_received_total")
        self.append_seconds = self._histogram("lodestone_append_duration_seconds", _APPEND_BUCKETS)
        self.commits = self._histogram("lodestone_commit_duration_seconds", _APPEND_BUCKETS)
        self.commit_events = self._histogram("lodestone_commit_events", _EVENTS_BUCKETS)
        self.requests = self._histogram("http_server_request_duration_seconds", _HTTP_BUCKETS)
        self.active = self._gauge("http_server_active_requests")

    def _counter(self, name: str) -> Counter:
        metric = METRICS[name]
        return Counter(metric.name, metric.says, metric.labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        metric = METRICS[name]
        return Gauge(metric.name, metric.says, metric.labels, registry=self.registry)

    def _histogram(self, name: str, buckets: tuple[float, ...]) -> Histogram:
        metric = METRICS[name]
        return Histogram(metric.name, metric.says, metric.labels, buckets=buckets, registry=self.registry)

    def request(self, method: str, route: str, status: int, seconds: float, scheme: str = "http") -> None:
        """One request was answered."""
        self.requests.labels(_method(method), route, str(status), scheme).observe(seconds)

    def in_flight(self, method: str, change: int, scheme: str = "http") -> None:
        """A request began (1) or ended (-1)."""
        self.active.labels(_method(method), scheme).inc(change)

    def committed(self, events: int, seconds: float) -> None:
        """The writer committed a group."""
        self.commits.observe(seconds)
        self.commit_events.observe(events)

    def text(self, figures: Iterable[Figure], accept: str = "", version: str = "") -> tuple[bytes, str]:
        """Everything, with these figures, in the format that was asked for; its content type."""
        build = Figure("lodestone_build_info", (version, platform.python_version()), 1.0)
        shown = CollectorRegistry()
        shown.register(_Both(self.registry, families((build, *figures))))
        encode, content_type = choose_encoder(accept)
        return encode(shown), content_type


class _Both(Collector):
    """What this process measures, then the figures."""

    def __init__(self, registry: CollectorRegistry, more: Iterable[Family]) -> None:
        self.registry = registry
        self.more = list(more)

    def collect(self) -> Iterator[Family]:
        yield from self.registry.collect()  # type: ignore[misc]
        yield from self.more


def families(figures: Iterable[Figure]) -> Iterator[Family]:
    """The figures by name. One whose name or labels this release does not know is left out, and so is one that a
    process reports though it is the service's to say, or the other way round.
    """
    cells: dict[str, dict[tuple[str, ...], dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for figure in figures:
        name, part = _named(figure.name)
        metric = METRICS.get(name)
        if metric is None or metric.reported == (figure.process is None):
            continue
        if len(figure.labels) == len(metric.labels):
            labels = (*figure.labels, *([figure.process or ""] if metric.reported else []))
            cells[name][labels][part] = figure.value
    for name, metric in METRICS.items():
        if name in cells:
            yield _family(metric, cells[name])


def _named(name: str) -> tuple[str, str]:
    """The catalogue's name and which part of a summary this is."""
    for part in ("_sum", "_count"):
        whole = name.removesuffix(part)
        if whole != name and whole in METRICS:
            return whole, part
    return name, ""


def _family(metric: Metric, cells: dict[tuple[str, ...], dict[str, float]]) -> Family:
    labels = (*metric.labels, *(["process"] if metric.reported else []))
    if metric.kind == "summary":
        summary = SummaryMetricFamily(metric.name, metric.says, labels=labels)
        for values, parts in cells.items():
            summary.add_metric(values, int(parts.get("_count", 0.0)), parts.get("_sum", 0.0))
        return summary
    kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = kind(metric.name, metric.says, labels=labels)
    for values, parts in cells.items():
        family.add_metric(values, parts[""])
    return family


def _method(method: str) -> str:
    """Whatever else a client may send is one series."""
    return method if method in _METHODS else "_OTHER"
