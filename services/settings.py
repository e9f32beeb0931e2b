"""Settings: from the environment, with defaults that work on a laptop; each says what it does."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from events.errors import Invalid, Unavailable

PREFIX = "LODESTONE_"
SYSTEM_FOLDER = Path("/var/lib/lodestone")


def default_data_dir() -> Path:
    """As root /var/lib/lodestone, else the user's own data folder."""
    if os.geteuid() == 0:
        return SYSTEM_FOLDER
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "lodestone"


class Settings(BaseSettings):
    """Everything that the environment decides. What changes a number or a decision is a policy event instead."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    host: str = Field(default="127.0.0.1", description="Address that the service listens on.")
    port: int = Field(default=8600, ge=0, le=65535, description="Port that the service listens on.")
    data_dir: Path = Field(
        default_factory=default_data_dir, description="Folder of the embedded database, recordings and keys."
    )
    database_url: str | None = Field(
        default=None, description="Any PostgreSQL ≥ 15 as postgresql://…; none: the embedded one."
    )
    database_owner_url: str | None = Field(
        default=None,
        description="The same database as the owner role, for migrations; none: migrate as the service role.",
    )
    database_pool_size: int = Field(
        default=12, ge=1, le=1000, description="Connections to the database that a process keeps open."
    )
    database_pool_overflow: int = Field(
        default=8, ge=0, le=1000, description="Connections more that a process opens under load, and closes again."
    )
    kafka_bootstrap_servers: str | None = Field(
        default=None, description="Kafka brokers as host:port,…; none: Kafka is off."
    )
    kafka_prefix: str = Field(
        default="lodestone",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$",
        description="How every topic, group and transactional id of ours begins.",
    )
    kafka_partitions: int = Field(
        default=4, ge=1, le=1024, description="Partitions of the topics of bench events and of the log, when made."
    )
    kafka_replication: int = Field(
        default=-1, ge=-1, le=32767, description="Copies of each topic that is made; -1: what the brokers are set to."
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="How to get in to Kafka."
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="How the user name and password are shown to Kafka (SASL_…)."
    )
    kafka_username: str | None = Field(default=None, description="User name for Kafka (SASL_…).")
    kafka_password: str | None = Field(default=None, description="Password for Kafka (SASL_…).")
    kafka_ca_file: Path | None = Field(
        default=None, description="Certificates of who signs the brokers' own (SSL, SASL_SSL); none: the system's."
    )
    kafka_trusted_topics: str | None = Field(
        default=None,
        description="Topics whose ACLs decide who writes, in place of tokens: topic=role:/source/prefix[:party];…",
    )
    public_url: str | None = Field(
        default=None, description="URL under which others reach the service; none: host and port."
    )
    max_body_bytes: int = Field(
        default=8 * 1024 * 1024, ge=1024, description="Largest request body; larger ones get 413."
    )
    wait_s: float = Field(
        default=5.0, ge=0, le=60, description="How long min_position waits unless the caller says otherwise."
    )

    drain_s: float = Field(
        default=0.0,
        ge=0,
        le=60,
        description="How long a service that was told to stop still answers, /readyz with 503, for its load balancer.",
    )

    @property
    def url(self) -> str:
        """The URL to tell people."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def kafka_security(self) -> dict[str, Any]:
        """How to get in to Kafka, as options of its clients."""
        options: dict[str, Any] = {"security_protocol": self.kafka_security_protocol}
        if self.kafka_security_protocol.endswith("SSL") and self.kafka_ca_file is not None:
            options["ssl_cafile"] = str(self.kafka_ca_file)
        if self.kafka_security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.kafka_sasl_mechanism
            options["sasl_plain_username"] = self.kafka_username
            options["sasl_plain_password"] = self.kafka_password
        return options


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting for people: its variable, value (secrets masked), where that came from, what it does."""

    name: str
    value: str
    origin: str
    description: str
    note: str = ""


def load() -> Settings:
    """The settings of this environment. Raises Invalid naming the variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise Invalid(f"{name} is not right: {first['msg']}.") from error


def explain(settings: Settings) -> list[Explained]:
    """Every setting with its value and origin, in the order of the file."""
    rows = []
    for name, field in Settings.model_fields.items():
        variable = PREFIX + name.upper()
        origin = "environment" if variable in os.environ else "default"
        value = getattr(settings, name)
        text = "" if value is None else _masked(name, str(value))
        rows.append(Explained(variable, text, origin, field.description or "", _note(name, settings)))
    return rows


def _note(name: str, settings: Settings) -> str:
    """What a reader should know of a value: an external database whose service role may change the log."""
    if name != "database_owner_url" or settings.database_url is None:
        return ""
    # Only here, for the settings are read by every command, and these bring the database's driver.
    from services.store.database.address import OWNER_URL, address, role
    from services.store.database.standing import SAME_ROLE

    try:
        service = address(settings.database_url)
        owner = address(settings.database_owner_url, OWNER_URL) if settings.database_owner_url else service
    except Unavailable as error:
        return error.detail
    return f"Weak: {SAME_ROLE}." if role(owner) == role(service) else ""


def _masked(name: str, value: str) -> str:
    """The value without passwords; a database's address that cannot be read as a URL is not shown at all."""
    if name.endswith("_password"):
        return "***"
    secret = name.startswith("database_") and name.endswith("url")
    if "://" not in value and not secret:
        return value
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        return "*** (not a URL)" if secret else value
    hidden = {key: "***" for key in url.query if "password" in key.lower()}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)
