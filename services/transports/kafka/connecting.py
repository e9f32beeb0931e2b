"""The Kafka cluster: where it is, how to get in, and clients with the settings that our guarantees need."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaError,
    SaslAuthenticationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
)
from kafka.net.compat import KafkaNetClient

from events.errors import Forbidden, Unavailable

RETRY_AFTER_S = 2
_REFUSED = (
    SaslAuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailedError,
)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One Kafka cluster and our part of it: every topic, group and transactional id begins with `prefix`.

    `replication` -1 leaves the number of copies to the brokers. `security` are options of the clients. After `reach_s`
    without a broker a client says that there is none.
    """

    servers: str
    prefix: str = "lodestone"
    partitions: int = 4
    replication: int = -1
    security: Mapping[str, Any] = field(default_factory=dict)
    reach_s: float = 5.0

    def name(self, topic: str) -> str:
        """The full name of a topic, group or transactional id of ours."""
        return f"{self.prefix}.{topic}"

    @contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """A client for topics and groups. Raises Unavailable, or Forbidden."""
        with self.reaching():
            client = _made(KafkaAdminClient, self._common("admin"))
            try:
                yield client
            finally:
                client.close()

    def producer(self, what: str, **more: Any) -> KafkaProducer:
        """A producer that waits for every copy and never writes a record twice. Raises Unavailable, or Forbidden."""
        options = {
            "acks": "all",
            "enable_idempotence": True,
            "allow_auto_create_topics": False,
            "linger_ms": 5,
            "batch_size": 131_072,
            **more,
        }
        with self.reaching():
            return _made(KafkaProducer, self._common(what) | options)

    def consumer(self, what: str, **more: Any) -> KafkaConsumer:
        """A consumer that sees committed records only and moves no offset by itself. Raises Unavailable, Forbidden."""
        options = {
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "isolation_level": "read_committed",
            "allow_auto_create_topics": False,
            "session_timeout_ms": 6_000,
            "heartbeat_interval_ms": 2_000,
            **more,
        }
        with self.reaching():
            return _made(KafkaConsumer, self._common(what) | options)

    @contextmanager
    def reaching(self) -> Iterator[None]:
        """What the client says about a cluster that is away, or that does not let us, becomes one sentence."""
        try:
            yield
        except _REFUSED as error:
            raise Forbidden(
                f"Kafka at {self.servers} does not let this process do that ({_said(error)}). Check "
                "LODESTONE_KAFKA_USERNAME and the ACLs of the topics; docs/kafka.md lists what each process needs."
            ) from error
        except KafkaError as error:
            raise Unavailable(
                f"Kafka at {self.servers} does not answer ({_said(error)}). Nothing accepted is lost; try again.",
                retry_after_s=RETRY_AFTER_S,
            ) from error

    def _common(self, what: str) -> dict[str, Any]:
        return {
            "bootstrap_servers": self.servers.split(","),
            "client_id": f"{self.prefix}-{what}",
            "bootstrap_timeout_ms": int(self.reach_s * 1000),
            **self.security,
        }


def _made(kind: Callable[..., Any], options: Mapping[str, Any]) -> Any:
    """A client; of one that finds no broker nothing is left behind, as its library would leave sockets and a thread."""
    begun: list[KafkaNetClient] = []

    def network(**settings: Any) -> KafkaNetClient:
        begun.append(KafkaNetClient(**settings))
        return begun[-1]

    try:
        return kind(**options, kafka_client=network)
    except KafkaError:
        for one in begun:
            one.close()
        raise


def _said(error: Exception) -> str:
    words = " ".join(str(error).split())
    return words or type(error).__name__
