"""Receipts and feeds: what is right is proven, and each way of changing one is found and named."""

import base64
import json

import pytest

from services.verifier import Wrong, check, check_feed, parse_verifier_key, verify_receipt
from tests.verifier.plant import ORIGIN, Plant, event
from tests.verifier.signing import Signer

PARTY, OTHER = "magnus:magnus", "ferrum:ferrum"
MINE, THEIRS = f"feeds/{PARTY}", f"feeds/{OTHER}"


@pytest.fixture
def plant():
    """Eight events, four of them in one party's feed; one holds text that looks like the next entry."""
    odd = 'quote " and {"sequence":9,"event":{}}'
    return Plant(
        event("lots/a", 1), event(MINE, 1), event(THEIRS, 1), event(MINE, 2, text=odd), event("lots/b", 1),
        event(MINE, 3), event(THEIRS, 2), event(MINE, 4, sequence=7, event={}),
    )  # fmt: skip


def keys(plant):
    return [parse_verifier_key(plant.key)]


def test_a_receipt_proves_the_event_its_position_and_its_place_in_the_feed(plant):
    for sequence, position in ((1, 2), (2, 4), (3, 6), (4, 8)):
        proven = verify_receipt(plant.receipt(PARTY, sequence), keys(plant))
        assert (proven["position"], proven["sequence"], proven["size"], proven["entries"]) == (position, sequence, 8, 4)
        assert (proven["party"], proven["log"]) == (PARTY, ORIGIN)
        assert proven["event"] == json.loads(plant.bodies[position - 1])


def _other_event(receipt, plant):
    receipt["event"] = base64.b64encode(plant.bodies[2]).decode()


def _other_place(receipt, plant):
    receipt["position"] += 1


def _other_number(receipt, plant):
    receipt["sequence"] += 1


def _one_byte(receipt, plant):
    data = bytearray(base64.b64decode(receipt["event"]))
    data[20] ^= 1
    receipt["event"] = base64.b64encode(data).decode()


def _other_feed(receipt, plant):
    receipt["feed"] = plant.receipt(OTHER, 1)["feed"]


def _other_party(receipt, plant):
    receipt["party"] = OTHER


def _short_log_proof(receipt, plant):
    receipt["log"]["proof"].pop()


def _false_feed_proof(receipt, plant):
    receipt["feed"]["proof"].reverse()


def _resized(receipt, plant):
    receipt["log"]["checkpoint"] = receipt["log"]["checkpoint"].replace("\n8\n", "\n9\n")


def _of_another_log(receipt, plant):
    text, _, _ = receipt["log"]["checkpoint"].rpartition("\n\n")
    receipt["log"]["checkpoint"] = plant.signer.sign(text.replace(ORIGIN, "elsewhere.example") + "\n")


def _of_another_feed(receipt, plant):
    text, _, _ = receipt["feed"]["checkpoint"].rpartition("\n\n")
    receipt["feed"]["checkpoint"] = plant.signer.sign(text.replace(MINE, THEIRS) + "\n")


def _of_another_epoch(receipt, plant):
    text, _, _ = receipt["feed"]["checkpoint"].rpartition("\n\n")
    receipt["feed"]["checkpoint"] = plant.signer.sign(text.replace(ORIGIN, f"{ORIGIN}/epoch/2") + "\n")


def _unsealed(receipt, plant):
    receipt["sealed"] = False


def _without_a_feed(receipt, plant):
    del receipt["feed"]


def _not_a_number(receipt, plant):
    receipt["position"] = "2"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (_other_event, "log"), (_one_byte, "log"), (_other_place, "log"), (_short_log_proof, "log"), (_resized, "log"),
        (_of_another_log, "log"), (_not_a_number, "log"), (_other_feed, "feed"), (_other_number, "feed"),
        (_false_feed_proof, "feed"), (_without_a_feed, "feed"), (_other_party, "event"),
        (_of_another_feed, "event"), (_of_another_epoch, "event"), (_unsealed, "receipt"),
    ],
)  # fmt: skip
def test_a_changed_receipt_is_wrong_and_says_which_part(plant, change, part):
    receipt = plant.receipt(PARTY, 2)
    change(receipt, plant)
    with pytest.raises(Wrong, match=f"^{part}: "):
        verify_receipt(receipt, keys(plant))


def test_a_receipt_by_another_key_is_wrong(plant):
    forger = Plant(*plant.bodies, signer=Signer(ORIGIN))
    with pytest.raises(Wrong, match="log: The note is signed by none of the keys given"):
        verify_receipt(forger.receipt(PARTY, 2), keys(plant))


def test_a_receipt_whose_feed_skips_the_entry_before_is_wrong():
    first, second, third = event(MINE, 1), event(MINE, 2), event(MINE, 3)
    honest, cheat = Plant(first, second, third), Plant(first, third)
    receipt = Plant(first, second, third, signer=cheat.signer).receipt(PARTY, 3)
    receipt["feed"] = cheat.receipt(PARTY, 2)["feed"]
    assert honest.feed(PARTY)[2][1] == third
    with pytest.raises(Wrong, match=r"^feed: "):
        verify_receipt(receipt, keys(cheat))
    with pytest.raises(Wrong, match=r"^event: it is entry 3"):
        verify_receipt({**receipt, "sequence": 2}, keys(cheat))


def test_a_whole_feed_is_proven_from_its_pages(plant):
    pages = "\n".join([plant.page(PARTY, 0, 2), plant.page(PARTY, 2, 2), plant.page(PARTY, 3)])
    assert check(pages, keys(plant))["entries"] == 4
    assert check(Plant(signer=plant.signer).page(PARTY), keys(plant))["entries"] == 0


@pytest.mark.parametrize("gap", [1, 2, 3, 4])
def test_a_gap_is_named_by_its_first_missing_number(plant, gap):
    entries = [entry for entry in plant.feed(PARTY) if entry[0] != gap]
    with pytest.raises(Wrong, match=f"Entry {gap} is missing: the feed was signed with 4 entries"):
        check_feed(entries, plant.feed_checkpoint(PARTY), keys(plant))


def test_a_renumbered_changed_or_added_entry_is_found(plant):
    note, entries = plant.feed_checkpoint(PARTY), dict(plant.feed(PARTY))
    with pytest.raises(Wrong, match="their root is another"):
        check_feed({**entries, 2: entries[3], 3: entries[2]}.items(), note, keys(plant))
    with pytest.raises(Wrong, match="their root is another"):
        check_feed({**entries, 4: entries[4].replace(b"08:00", b"09:00")}.items(), note, keys(plant))
    with pytest.raises(Wrong, match="5 entries, and the checkpoint signs 4"):
        check_feed({**entries, 5: event(MINE, 5)}.items(), note, keys(plant))
    with pytest.raises(Wrong, match="Entry 4 came twice"):
        check_feed([*entries.items(), (4, event(MINE, 4))], note, keys(plant))
    assert check_feed([*entries.items(), (4, entries[4])], note, keys(plant)).size == 4


def test_an_entry_that_the_log_holds_and_the_signed_feed_does_not_was_withheld(plant):
    note = plant.feed_checkpoint(PARTY, size=3)
    assert check_feed(plant.feed(PARTY)[:3], note, keys(plant)).extensions == ("log 8",)
    with pytest.raises(Wrong, match="There are 4 entries, and the checkpoint signs 3"):
        check_feed(plant.feed(PARTY), note, keys(plant))
