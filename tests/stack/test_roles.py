"""The script that the PostgreSQL container runs once: two roles, of which the one that serves cannot change the log."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from events.errors import Unavailable
from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from tests.house.tree import ROOT

SCRIPT = ROOT / "services" / "stack" / "roles.sh"


@pytest.fixture
def empty() -> Iterator[EmbeddedPostgres]:
    """A server as the image makes it: a superuser and an empty database, and none of our roles."""
    home = Path(tempfile.mkdtemp(prefix="lodestone-roles-"))
    home.chmod(0o711)
    server = EmbeddedPostgres(home / "postgres", unsafe_fast=True)
    server.open()
    server.drop_database("lodestone")
    with server._admin("postgres") as connection:
        connection.execute("DROP ROLE lodestone_owner")
        connection.execute("DROP ROLE lodestone_service")
        connection.execute("CREATE DATABASE lodestone")
    yield server
    server.close()
    shutil.rmtree(home, ignore_errors=True)


def test_the_role_that_serves_is_made_apart_from_the_owner_and_cannot_change_the_log(empty):
    admin = make_url(empty.addresses("lodestone").admin)
    told = {
        "PATH": f"{Path(empty.bin)}:{os.environ['PATH']}",
        "PGHOST": str(empty.socket),
        "PGPASSWORD": str(admin.password),
        "POSTGRES_DB": "lodestone",
        "LODESTONE_DATABASE_OWNER_PASSWORD": "owner's",
        "LODESTONE_DATABASE_PASSWORD": "service's",
    }
    subprocess.run([SCRIPT], env=told, check=True, capture_output=True, text=True)
    owner = admin.set(username="lodestone_owner", password="owner's").render_as_string(hide_password=False)
    service = admin.set(username="lodestone_service", password="service's").render_as_string(hide_password=False)
    database = Database(service, owner, pool_size=1)
    assert database.migrate().role == "lodestone_service"
    with pytest.raises(Unavailable, match="permission denied"), database.begin() as connection:
        connection.execute(text("DELETE FROM log_events"))
    database.dispose()
