"""What a process that a test starts is told: none of our settings that this shell holds, and those of the test."""

import os
from pathlib import Path

from services.transports.kafka.connecting import Cluster
from tests.house.tree import ROOT


def environment(data_dir: Path | None = None, kafka: Cluster | None = None, **settings: object) -> dict[str, str]:
    """The environment; `settings` are those of the product by their names in lower case, as `database_url`."""
    told = dict(settings)
    if data_dir is not None:
        told["data_dir"] = data_dir
    if kafka is not None:
        told |= {"kafka_bootstrap_servers": kafka.servers, "kafka_prefix": kafka.prefix}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LODESTONE_")}
    own = {f"LODESTONE_{name.upper()}": str(value) for name, value in told.items()}
    return kept | own | {"PYTHONPATH": str(ROOT)}
