"""Private keys are made once, are readable by their owner only, and sign what others verify."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from events.errors import Refused
from services.store.sealing.keys import Keys
from services.store.sealing.notes import checkpoint_text, origin_of, sign_note, signed_by
from services.verifier import Wrong, open_note, parse_checkpoint, parse_verifier_key

LOG = "3f0d5f6e-6a51-4c0e-9d42-8f1f6a0b7c11"


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path, LOG)


def test_a_key_is_readable_by_its_owner_only(keys: Keys) -> None:
    keys.first()
    assert stat.S_IMODE(keys.folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in keys.folder.iterdir()] == [0o600]


def test_processes_that_start_together_get_the_same_key(keys: Keys) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: str(keys.first().verifier), range(16)))
    assert len(set(made)) == 1
    assert [path.name for path in keys.folder.iterdir()] == ["1.pem"]


def test_a_rotation_that_was_interrupted_goes_on_with_the_key_it_made(keys: Keys) -> None:
    first = str(keys.first().verifier)
    second = keys.following(first)
    assert str(keys.following(first).verifier) == str(second.verifier) != first
    assert str(keys.find(first).verifier) == first


def test_a_key_that_is_elsewhere_is_asked_for_by_name(keys: Keys, tmp_path: Path) -> None:
    foreign = str(Keys(tmp_path / "elsewhere", LOG).first().verifier)
    keys.first()
    with pytest.raises(Refused, match="Copy that folder"):
        keys.find(foreign)


def test_a_broken_key_file_is_never_replaced(keys: Keys) -> None:
    keys.first()
    (keys.folder / "1.pem").write_text("nonsense")
    with pytest.raises(Refused, match="cannot be read"):
        keys.first()
    assert (keys.folder / "1.pem").read_text() == "nonsense"


def test_what_a_key_signs_its_verifier_key_opens(keys: Keys) -> None:
    key = keys.first()
    note = sign_note(checkpoint_text(origin_of(LOG, 1), 7, bytes(32)), key)
    text, names = open_note(note, [parse_verifier_key(str(key.verifier))])
    assert names == (f"lodestone.invalid/log/{LOG}",)
    assert parse_checkpoint(text).size == 7
    assert signed_by(note, key)


def test_no_other_key_opens_it_and_no_other_text(keys: Keys, tmp_path: Path) -> None:
    key, other = keys.first(), Keys(tmp_path / "elsewhere", LOG).first()
    note = sign_note(checkpoint_text(origin_of(LOG, 1), 7, bytes(32)), key)
    assert not signed_by(note, other)
    with pytest.raises(Wrong):
        open_note(note.replace("\n7\n", "\n8\n"), [key.verifier])


def test_another_epoch_is_another_log_to_every_verifier() -> None:
    assert origin_of(LOG, 1) == f"lodestone.invalid/log/{LOG}"
    assert origin_of(LOG, 2) == f"lodestone.invalid/log/{LOG}/epoch/2"
