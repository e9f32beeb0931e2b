"""Signed notes and checkpoints: the vectors of Go's `note` package, and what is not a note."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.verifier import Checkpoint, Wrong, leaf_hash, open_note, parse_checkpoint, parse_verifier_key
from tests.verifier.signing import Signer

PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
BY_PETER = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
BY_ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"


def keys(*texts):
    return [parse_verifier_key(text) for text in texts]


def test_the_published_note_opens_with_each_of_its_keys():
    note = f"{TEXT}\n{BY_PETER}{BY_ENOCH}"
    assert open_note(note, keys(PETER)) == (TEXT, ("PeterNeumann",))
    assert open_note(note, keys(ENOCH)) == (TEXT, ("EnochRoot",))
    assert open_note(note, keys(ENOCH, PETER)) == (TEXT, ("PeterNeumann", "EnochRoot"))


def test_our_signer_writes_the_published_note_byte_for_byte():
    seed = base64.b64decode(PETERS_SEED)[1:]
    signer = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(seed))
    assert str(signer.key) == PETER
    assert signer.sign(TEXT) == f"{TEXT}\n{BY_PETER}"


def test_a_note_that_none_of_the_keys_signed_is_wrong():
    with pytest.raises(Wrong, match="none of the keys"):
        open_note(f"{TEXT}\n{BY_PETER}", keys(ENOCH))
    with pytest.raises(Wrong, match="none of the keys"):
        open_note(f"{TEXT}\n{BY_PETER}", [])


def test_a_false_signature_by_a_known_key_is_wrong_whoever_else_signed():
    false = f"{BY_PETER[:60]}ABCD{BY_PETER[60:]}"
    with pytest.raises(Wrong, match="signature of PeterNeumann under the note is false"):
        open_note(f"{TEXT}\n{BY_ENOCH}{false}", keys(PETER, ENOCH))
    with pytest.raises(Wrong, match="is false"):
        open_note(f"{TEXT.replace('answer', 'anchor')}\n{BY_PETER}", keys(PETER))


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}\n{BY_PETER[:-1]}",
        f"\x01{TEXT}\n{BY_PETER}",
        f"{TEXT}\n— Bad Name {BY_PETER.split()[-1]}\n",
        f"{TEXT}\n{BY_PETER}Unexpected line.\n",
        f"{TEXT}\n{BY_PETER * 101}",
        f"{TEXT}\n— PeterNeumann x08g\n",
        f"{TEXT}\n— PeterNeumann x08go\n",
    ],
)
def test_what_is_not_a_note_is_wrong(note):
    with pytest.raises(Wrong):
        open_note(note, keys(PETER))


def test_no_part_of_a_verifier_key_is_one_and_no_changed_one_either():
    for first in range(len(PETER) + 1):
        for last in range(first + 1, len(PETER) + 1):
            if PETER[first:last] != PETER:
                with pytest.raises(Wrong):
                    parse_verifier_key(PETER[first:last])
    for at, sign in enumerate(PETER):
        with pytest.raises(Wrong):
            parse_verifier_key(PETER[:at] + chr(ord(sign) + 1) + PETER[at + 1 :])


@pytest.mark.parametrize(
    "text",
    [
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_key_of_another_kind_or_length_is_not_taken(text):
    with pytest.raises(Wrong):
        parse_verifier_key(text)


def test_a_checkpoint_is_read_as_its_specification_shows_it():
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    assert parse_checkpoint(text) == Checkpoint("example.com/behind-the-sofa", 20852163, root, ())
    assert parse_checkpoint(f"{text}log 7\n").extensions == ("log 7",)


@pytest.mark.parametrize("size", ["", "00", "01", "-1", "+1", "1.0", "1 ", "٣"])
def test_a_size_is_a_decimal_without_leading_zeros(size):
    with pytest.raises(Wrong):
        parse_checkpoint(f"here\n{size}\n{base64.b64encode(leaf_hash(b'')).decode()}\n")


@pytest.mark.parametrize("text", ["", "here\n1\n", "here\n1\nAAAA\n", "here\n1\n%s", "\n1\n%s\n", "here\n1\n%s\n\n"])
def test_what_is_not_a_checkpoint_is_wrong(text):
    with pytest.raises(Wrong):
        parse_checkpoint(text.replace("%s", base64.b64encode(leaf_hash(b"")).decode()))
