"""The trees of feeds: hashed from the leaves, gone on from where they stood, and begun anew for another history."""

from itertools import pairwise
from pathlib import Path

import pytest

from services.store.database import Database
from services.store.log import Log
from services.store.sealing import feeds
from services.store.sealing.feeds import Edge, Feeds
from services.verifier import EMPTY_ROOT, leaf_hash, root_of, verify_inclusion
from tests.doors.notices import tell
from tests.store.sealing.plain import fill
from tests.verifier import trees

PARTY = "magnus:magnus"


@pytest.fixture
def grown(log: Log) -> Log:
    """Nine entries of one feed between events of other streams."""
    for number in range(1, 10):
        fill(log, number % 3)
        tell(log, "magnus", number)
        tell(log, "ferrum", number)
    return log


def test_a_feeds_tree_is_over_its_own_leaves_up_to_any_position(grown: Log, database: Database, tmp_path: Path) -> None:
    known = Feeds(tmp_path)
    entries = grown.read_stream(f"feeds/{PARTY}")
    with database.connect() as connection:
        assert known.tree(connection, PARTY, 0).root() == EMPTY_ROOT
        for until in [*range(grown.head() + 1), 5, grown.head()]:
            bodies = [grown.body(event.position) or b"" for event in entries if event.position <= until]
            tree = known.tree(connection, PARTY, until)
            assert (tree.size, tree.root()) == (len(bodies), root_of(map(leaf_hash, bodies)))


def test_every_proof_of_every_small_feed_holds() -> None:
    for size in range(1, 34):
        hashes = [leaf_hash(b"%d" % number) for number in range(size)]
        for index in range(size):
            assert feeds.inclusion(hashes, index) == trees.inclusion(index, hashes)
            verify_inclusion(hashes[index], index, size, feeds.inclusion(hashes, index), trees.root(hashes))


def test_an_edge_of_another_history_is_not_gone_on_from(grown: Log, database: Database, tmp_path: Path) -> None:
    known = Feeds(tmp_path)
    with database.connect() as connection:
        right = known.tree(connection, PARTY, grown.head())
        known._edges[PARTY] = Edge(5, (b"\x00" * 32, b"\x01" * 32), leaf_hash(b"of another history"))
        assert known.tree(connection, PARTY, grown.head()).root() == right.root()
        known._edges[PARTY] = Edge(900, (b"\x00" * 32,), leaf_hash(b"of a longer history"))
        assert known.tree(connection, PARTY, grown.head()).root() == right.root()


def test_the_feeds_that_grew_between_two_positions_are_found(grown: Log, database: Database) -> None:
    places = [event.position for event in grown.read_stream(f"feeds/{PARTY}")]
    with database.connect() as connection:
        assert feeds.grown(connection, 0, grown.head()) == ["ferrum:ferrum", PARTY]
        for before, after in pairwise(places):
            assert PARTY in feeds.grown(connection, before, after)
            assert PARTY not in feeds.grown(connection, before, after - 1)
