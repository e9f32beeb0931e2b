"""Folders that the embedded PostgreSQL cannot or must not use: refused in one sentence, and left as they are."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from events.errors import Unavailable
from services.store.database import Database
from services.store.database.binaries import account
from services.store.database.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(mkdtemp(prefix="lodestone-tests-"))
    made.chmod(0o711)
    yield made
    made.chmod(0o700)
    shutil.rmtree(made)


def refusal(folder: Path) -> str:
    with pytest.raises(Unavailable) as refused:
        EmbeddedPostgres(folder).open()
    assert "\n" not in refused.value.detail
    return refused.value.detail


def test_a_folder_of_a_newer_release_is_refused_and_untouched(folder: Path) -> None:
    (folder / "FORMAT").write_text("2\n")
    assert "newer Lodestone (format 2, this program knows 1)" in refusal(folder)
    assert [path.name for path in folder.iterdir()] == ["FORMAT"]


def test_a_folder_whose_format_is_not_a_number_is_refused(folder: Path) -> None:
    (folder / "FORMAT").write_text("two\n")
    assert "FORMAT" in refusal(folder)


def test_a_folder_of_another_postgresql_is_refused_and_untouched(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data" / "PG_VERSION").write_text("15\n")
    assert "belongs to PostgreSQL 15; this program brings PostgreSQL 18" in refusal(folder)
    assert (folder / "data" / "PG_VERSION").read_text() == "15\n"
    assert not (folder / "secrets.json").exists()


def test_a_file_in_the_place_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "file").write_text("")
    assert "folder" in refusal(folder / "file")
    assert "folder" in refusal(folder / "file" / "below")


OPEN = """
import os, sys
from pathlib import Path
from events.errors import Unavailable
from services.store.database.postgres import EmbeddedPostgres
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    EmbeddedPostgres(Path(sys.argv[1])).open()
except Unavailable as refused:
    sys.stdout.write(refused.detail)
"""
"""The same as an ordinary user: root may write everywhere."""


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_folder_that_cannot_be_written_is_refused(folder: Path, below: str) -> None:
    folder.chmod(0o555)
    command = [sys.executable, "-c", OPEN, str(folder / below)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"{folder / below} cannot be" in done.stdout
    assert "; set LODESTONE_DATA_DIR to a folder of your own." in done.stdout


def test_a_folder_below_a_closed_one_is_refused_for_the_system_user_that_cannot_reach_it(folder: Path) -> None:
    folder.chmod(0o700)
    inner = folder / "postgres"
    if account().name is None:
        server = EmbeddedPostgres(inner)  # nobody but ourselves needs to reach it
        server.open()
        server.close()
        return
    assert f"cannot reach {inner}: a folder above it is closed" in refusal(inner)
    assert os.stat(folder).st_mode & 0o777 == 0o700


def test_another_database_than_postgresql_is_refused_by_name() -> None:
    with pytest.raises(Unavailable, match="names sqlite; PostgreSQL 15 or newer"):
        Database("sqlite:///file")


@pytest.mark.parametrize("url", ["just some words", "postgresql://user:hunter2@host:port/name"])
def test_a_url_that_is_none_is_refused_in_one_sentence_without_its_password(url: str) -> None:
    with pytest.raises(Unavailable, match="LODESTONE_DATABASE_URL") as refused:
        Database(url)
    assert "hunter2" not in refused.value.detail
