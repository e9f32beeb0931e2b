"""One service with its own worker and database, all killed while benches post: each acknowledged event counts once."""

from tests.faults.killed_service import PARTS, kill_under_load
from tests.journeys.running import Running


def test_three_kills_under_load_lose_nothing_and_double_nothing(running: Running) -> None:
    outcome = kill_under_load(running, 3, seed=20_041, say=lambda said: None, threads=3)
    assert all(outcome.kills[part] == 1 for part in PARTS)
    assert outcome.acknowledged == outcome.offered > 20
