"""Fixtures of the journeys: a whole installation for each module or test that asks for one."""

from collections.abc import Iterator

import pytest

from tests.journeys.running import Running


@pytest.fixture
def running() -> Iterator[Running]:
    """An installation of this test's own; nothing runs yet."""
    made = Running()
    yield made
    made.stop()
    made.remove()


@pytest.fixture(scope="module")
def example() -> Iterator[Running]:
    """An installation that serves, with the worked example carried once round: all from an empty folder."""
    made = Running(bare=True)
    made.serve()
    done = made.command("demo", "--json", check=False)
    assert done.returncode == 0, done.stderr + made.words()[-3000:]
    (made.home / "demo.json").write_text(done.stdout)
    yield made
    made.stop()
    made.remove()
