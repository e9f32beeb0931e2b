"""The catalogue of measurements: every name that `/metrics` may show, with its labels and what it says.

Names follow Prometheus (base units, `_total` for counters), and where the field has a name it is that one: that of
OpenTelemetry for HTTP and the connection pool, that of `kafka_exporter` for offsets and lag of a consumer group.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["counter", "gauge", "histogram", "summary"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One measurement. `label` is what tells its series apart; those from reports have `process` besides."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    says: str
    reported: bool = False
    """Whether a process without a door reports it, rather than the service that is asked."""


def _own(name: str, kind: Kind, says: str, *labels: str) -> Metric:
    return Metric(name, kind, labels, says)


def _told(name: str, kind: Kind, says: str, *labels: str) -> Metric:
    return Metric(name, kind, labels, says, reported=True)


GROUP = ("consumergroup", "topic", "partition")

DOORS = (
    _own("lodestone_build_info", "gauge", "1; the release is in the labels.", "version", "python"),
    _own("lodestone_kafka_configured", "gauge", "1 where brokers are configured, else 0."),
    _own(
        "http_server_request_duration_seconds",
        "histogram",
        "Time to answer a request.",
        "http_request_method",
        "http_route",
        "http_response_status_code",
        "url_scheme",
    ),
    _own("http_server_active_requests", "gauge", "Requests in flight.", "http_request_method", "url_scheme"),
    _own("lodestone_events_received_total", "counter", "Posted events by what became of them.", "status"),
    _own("lodestone_append_duration_seconds", "histogram", "From a checked batch to its commit, waiting included."),
    _own("lodestone_commit_duration_seconds", "histogram", "One commit of the log's writer."),
    _own("lodestone_commit_events", "histogram", "Events that share a commit."),
    _own("lodestone_append_queue_events", "gauge", "Events that wait for the writer."),
    _own("lodestone_append_queue_limit_events", "gauge", "As many may wait; then callers do."),
)
STORE = (
    _own("lodestone_database_up", "gauge", "1 while the database answers, else 0."),
    _own("lodestone_database_size_bytes", "gauge", "Size of the whole database on its disk."),
    _own("db_client_connection_count", "gauge", "Connections of this process's pool.", "db_client_connection_state"),
    _own("db_client_connection_max", "gauge", "As many connections may the pool have."),
    _own("lodestone_log_position", "gauge", "The log's last position: how many events it holds."),
    _own("lodestone_projection_position", "gauge", "How far it is folded; `decider`: concluded.", "projection"),
    _own("lodestone_projection_lag_events", "gauge", "Events of the log not folded yet.", "projection"),
    _own("lodestone_projection_lag_seconds", "gauge", "Age of the oldest event not folded yet.", "projection"),
    _own("lodestone_projection_stopped", "gauge", "1 at an event of a newer release, else 0."),
    _own("lodestone_seal_position", "gauge", "The last position that a signed checkpoint covers."),
    _own("lodestone_seal_lag_events", "gauge", "Events that no checkpoint covers yet."),
    _own("lodestone_seal_lag_seconds", "gauge", "Age of the oldest such event; the log's own seals do not count."),
    _own("lodestone_seal_signed_timestamp_seconds", "gauge", "When the newest checkpoint was signed."),
    _own("lodestone_feeds", "gauge", "Suppliers' feeds that have entries."),
    _own("lodestone_feed_entries", "gauge", "Entries of all feeds."),
    _own("lodestone_feed_heads_behind", "gauge", "Feeds whose newest entries no kept head covers yet."),
    _own("lodestone_quarantine_items", "gauge", "Refused events that nobody resolved yet."),
    _own("lodestone_parked_events", "gauge", "Events that a fold could not take.", "projection"),
    _own("lodestone_waiting_for_genealogy", "gauge", "Results whose motor has no build record yet."),
    _own("lodestone_proposals_open", "gauge", "Proposals waiting for a person's decision."),
    _own("lodestone_proposal_oldest_open_seconds", "gauge", "For how long the oldest of them has waited."),
    _own("lodestone_lease_held", "gauge", "1 for the owner of each lease that has not run out.", "lease", "owner"),
    _own("lodestone_lease_takeovers_total", "counter", "How often a lease went to another owner.", "lease"),
    _own("lodestone_process_up", "gauge", "1 while it reports; 0 after ten seconds of silence.", "role", "process"),
    _own("lodestone_process_report_age_seconds", "gauge", "Time since its last report.", "role", "process"),
)
WORKING = (
    _told("lodestone_process_cpu_seconds_total", "counter", "Processor time used.", "role"),
    _told("lodestone_process_resident_memory_bytes", "gauge", "Memory in use.", "role"),
    _told("lodestone_worker_turn_duration_seconds", "summary", "Turns that did something: fold, then conclude."),
    _told("lodestone_worker_turn_age_seconds", "gauge", "Since the turn at hand began."),
    _told("lodestone_worker_events_folded_total", "counter", "Events folded."),
    _told("lodestone_worker_events_concluded_total", "counter", "Events that the decider appended."),
    _told("lodestone_worker_turns_failed_total", "counter", "Turns that ended with an error and were tried again."),
)
KAFKA_IN = (
    _told("kafka_consumergroup_current_offset", "gauge", "Next offset that the group will take in.", *GROUP),
    _told(
        "kafka_consumergroup_lag",
        "gauge",
        "Messages that the group has not taken in yet, as last heard from the brokers: not more than about 5 s old.",
        *GROUP,
    ),
    _told("lodestone_ingress_messages_total", "counter", "Messages by what became of them.", "outcome"),
    _told("lodestone_ingress_bytes_total", "counter", "Bytes of message values taken in."),
    _told("lodestone_ingress_batch_duration_seconds", "summary", "From a polled batch to its commit."),
    _told("lodestone_ingress_rebalances_total", "counter", "How often partitions were assigned anew."),
    _told("lodestone_ingress_partitions", "gauge", "Partitions assigned now, by whether they are read.", "state"),
    _told("lodestone_ingress_rejections_waiting", "gauge", "Refused messages not yet on the topic of rejections."),
    _told("lodestone_ingress_offset_alarms_total", "counter", "Stored offsets beyond the end of their topic."),
)
KAFKA_OUT = (
    _told("lodestone_relay_active", "gauge", "1 for the relay that publishes, 0 for those that stand by."),
    _told("lodestone_relay_position", "gauge", "The last position that is published and committed."),
    _own("lodestone_relay_lag_events", "gauge", "Events of the log not published yet."),
    _own("lodestone_relay_lag_seconds", "gauge", "Age of the oldest event not published yet."),
    _told("lodestone_relay_epoch", "gauge", "The epoch of the relay's lease."),
    _told("lodestone_relay_transactions_total", "counter", "Kafka transactions, committed or aborted.", "outcome"),
    _told("lodestone_relay_transaction_duration_seconds", "summary", "From begin to commit of one transaction."),
    _told("lodestone_relay_records_total", "counter", "Records sent, by topic; all suppliers' are one.", "topic"),
    _told("lodestone_shard_position", "gauge", "The log position that a partition's share has reached.", "partition"),
    _told("lodestone_shard_events_folded_total", "counter", "Events folded from the topic of the log."),
)
ROOMS = (
    ("The doors", DOORS),
    ("Log, projections, seal, people", STORE),
    ("Workers", WORKING),
    ("Kafka in", KAFKA_IN),
    ("Kafka out", KAFKA_OUT),
)
METRICS = {metric.name: metric for _, room in ROOMS for metric in room}
STANDARD = ("process_", "python_")
"""Prefixes of what the Prometheus client measures by itself: memory, processor, file handles, garbage collection."""
