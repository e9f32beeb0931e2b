"""What the service counts and times about itself, in a registry of its own (Prometheus)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_APPEND_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Measurements:
    """Counters, gauges and histograms of one process."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.registry = registry
        self.events = Counter(
            "lodestone_events", "Posted events by what became of them.", ["status"], registry=registry
        )
        self.append_seconds = Histogram(
            "lodestone_append_seconds",
            "Seconds from a checked batch to its commit.",
            buckets=_APPEND_BUCKETS,
            registry=registry,
        )
        self.requests = Histogram(
            "lodestone_http_request_seconds",
            "Seconds of a request.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.head = Gauge("lodestone_log_position", "The log's last position.", registry=registry)
        self.sealed = Gauge(
            "lodestone_sealed_position", "The last position that a signed checkpoint covers.", registry=registry
        )
        self.checkpoint_age = Gauge(
            "lodestone_checkpoint_age_seconds", "Seconds since the newest checkpoint was signed.", registry=registry
        )
        self.lag = Gauge("lodestone_projection_lag_events", "Events not folded yet.", ["projection"], registry=registry)
        self.quarantine = Gauge("lodestone_quarantine_items", "Refused events kept.", registry=registry)
        self.waiting = Gauge(
            "lodestone_waiting_for_genealogy", "Results whose motor has no build record yet.", registry=registry
        )
        self.proposals_open = Gauge("lodestone_proposals_open", "Proposals waiting for a decision.", registry=registry)
        self.parked = Gauge("lodestone_parked_events", "Events that a fold could not read.", registry=registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request was answered."""
        self.requests.labels(method, route, str(status)).observe(seconds)

    def text(self) -> bytes:
        """Everything in the Prometheus text format."""
        return generate_latest(self.registry)
