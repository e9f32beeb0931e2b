"""The topology: which parts there are, what each runs, waits for and is told; docker-compose.yml says the same."""

from collections.abc import Mapping
from dataclasses import dataclass

ENGINES = ("postgres", "kafka")
"""The two parts that are not ours; everything that is distributed is theirs."""


@dataclass(frozen=True, slots=True)
class Part:
    """A process of ours: `lodestone` with `command`, started when every part of `after` is well.

    `reports` are the roles that it says something about once a second; `door` is which of the services it is, counted
    from 0; `once` means that it ends by itself; `owns` that it connects as the owner of the tables too.
    """

    name: str
    command: tuple[str, ...]
    after: tuple[str, ...]
    reports: tuple[str, ...] = ()
    door: int | None = None
    once: bool = False
    owns: bool = False


PARTS = (
    Part("migrate", ("migrate",), ("postgres",), once=True, owns=True),
    Part("service-1", ("serve", "--no-worker"), ("migrate",), door=0),
    Part("service-2", ("serve", "--no-worker"), ("migrate",), door=1),
    Part("worker-1", ("worker", "--ingress", "--shard"), ("migrate", "kafka"), reports=("worker", "ingress", "shard")),
    Part("worker-2", ("worker", "--ingress", "--shard"), ("migrate", "kafka"), reports=("worker", "ingress", "shard")),
    Part("relay", ("relay",), ("migrate", "kafka"), reports=("relay",)),
)
SHELL = Part("shell", (), ())
"""Whoever types commands: told the same as the first service."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything of one stack is to be found."""

    data_dir: str
    host: str
    port: int
    public_url: str
    database_url: str
    database_owner_url: str
    kafka: str


def environment(part: Part, at: Places) -> Mapping[str, str]:
    """What a part is told by environment variables, besides what its user set."""
    told = {
        "LODESTONE_DATABASE_URL": at.database_url,
        "LODESTONE_KAFKA_BOOTSTRAP_SERVERS": at.kafka,
        "LODESTONE_PUBLIC_URL": at.public_url,
        "LODESTONE_DATA_DIR": at.data_dir,
        "LODESTONE_HOST": at.host,
        "LODESTONE_PORT": str(at.port + (part.door or 0)),
    }
    return told | ({"LODESTONE_DATABASE_OWNER_URL": at.database_owner_url} if part.owns else {})
