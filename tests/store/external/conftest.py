"""A server of these tests' own that listens on a port, and one that streams from it; certificates; two roles."""

import shutil
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from services.stack.ports import free_port
from services.store.database.postgres import EmbeddedPostgres
from tests.conftest import quick_folder
from tests.store.external.certificates import Authority
from tests.store.external.roles import External, made_external

_numbers = count(1)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder that the database's system user can reach."""
    made = Path(tempfile.mkdtemp(prefix="lodestone-external-", dir=quick_folder()))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def listening(folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server that listens at 127.0.0.1 too."""
    server = EmbeddedPostgres(folder / "listening", port=free_port(), unsafe_fast=True)
    server.open()
    yield server
    server.close()


@pytest.fixture(scope="session")
def authority(folder: Path) -> Authority:
    """Who signs the certificates of these tests."""
    return Authority(folder, "ours")


@pytest.fixture
def external(postgres: EmbeddedPostgres) -> Iterator[External]:
    """An empty database of an owner, and a service role that may nothing yet."""
    made = made_external(postgres, next(_numbers))
    yield made
    made.remove()
