"""What the owner of the database does to the log is found, by us and by a checker that shares nothing with us."""

import pytest

from services.store.sealing.checkpoints import Outside
from tests.faults.independent import Tampered, check
from tests.store.facts import straight
from tests.store.verifying.conftest import Sealed

PLACES = [1, 2, 255, 256, 257, 300, 511, 512, 600]


def test_an_honest_log_passes(sealed: Sealed) -> None:
    found = sealed.verify(sealed.kept)
    assert found.problems == []
    assert found.position == found.sealed == sealed.log.head()
    assert check(sealed.lines(), sealed.kept, sealed.key) == sealed.log.head()


@pytest.mark.parametrize("how", ["byte", "remove", "swap", "renumber", "cut"])
@pytest.mark.parametrize("position", PLACES)
def test_the_first_wrong_position_is_named(sealed: Sealed, how: str, position: int) -> None:
    sealed.tamper(how, position)
    found = sealed.verify()
    assert found.first_wrong_position == position
    assert found.problems and f"Position{'s' if how == 'cut' else ''} {position}" in found.problems[0]


@pytest.mark.parametrize("how", ["byte", "remove", "swap", "renumber", "cut", "resign"])
def test_an_outsider_with_the_lines_a_kept_checkpoint_and_the_key_finds_it(sealed: Sealed, how: str) -> None:
    sealed.tamper(how, 290)
    with pytest.raises(Tampered) as error:
        check(sealed.lines(), sealed.kept, sealed.key)
    assert error.value.first <= 290
    assert error.value.last >= 290


@pytest.mark.parametrize("position", [3, 290, 600])
def test_a_checkpoint_signed_again_with_an_old_key_is_not_believed(sealed: Sealed, position: int) -> None:
    sealed.tamper("resign", position)
    found = sealed.verify()
    assert found.wrong_positions is not None
    assert found.wrong_positions[1] >= position
    assert "does not hold for this size" in found.problems[0]


def test_an_old_key_that_also_signs_the_keys_away_is_not_believed(sealed: Sealed) -> None:
    """The rewritten history names no second key; the copy outside, the folder of keys, or a kept checkpoint tell."""
    sealed.tamper("cut", 330)
    found = sealed.verify()
    assert found.first_wrong_position == 330
    assert sealed.verify(sealed.kept).problems


def test_a_cut_tail_is_found_by_a_kept_checkpoint_alone(sealed: Sealed) -> None:
    with sealed.log.database.connect() as connection:
        name = connection.exec_driver_sql("SELECT log_id FROM log_about").scalar()
    Outside(sealed.data_dir, str(name)).path.unlink()
    sealed.tamper("cut", 500)
    assert sealed.verify().problems == []  # nothing is left that knows better
    found = sealed.verify(sealed.kept)
    assert found.first_wrong_position == 500
    assert "A saved checkpoint covers" in found.problems[0]


def owner(sealed: Sealed, *statements: str) -> None:
    with straight(sealed.log.database.owner_url) as connection:
        for table in ("log_events", "log_leaves", "log_nodes", "log_checkpoints"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            connection.execute(statement)


def test_where_the_sealed_leaves_are_mended_too_the_tree_bounds_the_place(sealed: Sealed) -> None:
    sealed.tamper("byte", 100)
    owner(sealed, "DELETE FROM log_leaves")
    found = sealed.verify()
    assert found.wrong_positions is not None
    assert found.wrong_positions[0] <= 100 <= found.wrong_positions[1]
    assert found.wrong_positions[1] - found.wrong_positions[0] < 256


def test_where_the_whole_tree_is_mended_the_checkpoints_bound_the_place(sealed: Sealed) -> None:
    sealed.tamper("byte", 500)
    owner(sealed, "DELETE FROM log_leaves", "DELETE FROM log_nodes")
    found = sealed.verify()
    assert found.wrong_positions is not None
    assert found.wrong_positions[0] <= 500 <= found.wrong_positions[1]
    assert found.wrong_positions[1] - found.wrong_positions[0] < 80  # four requests of 20 lie between two seals


def test_a_changed_node_of_the_stored_tree_is_found(sealed: Sealed) -> None:
    owner(sealed, "UPDATE log_nodes SET hash = sha256('x') WHERE level = 8 AND index = 1")
    found = sealed.verify()
    assert found.wrong_positions == (257, 512)


def test_a_changed_root_beside_a_good_note_is_found(sealed: Sealed) -> None:
    owner(sealed, "UPDATE log_checkpoints SET root = sha256('x') WHERE size = 100")
    assert "not to be trusted" in sealed.verify().problems[0]


def test_a_key_that_is_not_ours_is_found(sealed: Sealed) -> None:
    for path in (sealed.data_dir / "keys").glob("*/2.pem"):
        path.write_bytes(path.with_name("1.pem").read_bytes())
    assert "a key is introduced that is not ours" in sealed.verify().problems[0]


def test_versions_and_identities_that_are_not_registered_are_found(sealed: Sealed) -> None:
    with straight(sealed.log.database.owner_url) as connection:
        connection.execute("ALTER TABLE log_streams DISABLE TRIGGER USER")
        connection.execute("DELETE FROM log_streams WHERE position = 42")
    found = sealed.verify()
    assert found.first_wrong_position == 42
    assert "is not registered" in found.problems[0]
