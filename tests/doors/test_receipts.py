"""Feeds with their signed checkpoints, and receipts: what a supplier can prove with the public key and nothing else."""

import json
import threading
import time

import pytest

from events.errors import Unavailable
from services import verifier
from services.exchange.exporting import export
from services.store.sealing.checkpoints import latest
from services.store.sealing.feeds import Feeds, signed_head
from services.store.sealing.keys import Keys
from services.store.sealing.ledger import ledger_of, log_id
from services.store.sealing.notes import origin_of
from services.store.sealing.sealer import Sealer
from services.verifier import (
    Wrong,
    check,
    check_feed,
    leaf_hash,
    parse_checkpoint,
    parse_verifier_key,
    root_of,
    verify_receipt,
)
from tests.doors.facts import lot
from tests.doors.notices import tell
from tests.doors.service import Service, post

PARTY, OTHER = "magnus:magnus", "ferrum:ferrum"


class Sealing(Service):
    """The service with a signer of feeds, and a sealer beside it that works when a test says so."""

    def __init__(self, database, data_dir):
        feeds = Feeds(data_dir)
        super().__init__(database, feeds=feeds)
        self.sealer = Sealer(database, self.log, data_dir, "tests", [feeds])


@pytest.fixture
def sealing(database, tmp_path):
    service = Sealing(database, tmp_path)
    yield service
    service.close()


@pytest.fixture
def keys(sealing, tmp_path):
    """What a supplier has: the log's verifier key."""
    with sealing.database.connect() as connection:
        kept = Keys(tmp_path, log_id(connection))
    return [parse_verifier_key(str(kept.first().verifier))]


def covered(note):
    """(entries, size of the log) that a feed's checkpoint signs."""
    found = parse_checkpoint(note.rpartition("\n\n")[0] + "\n")
    return found.size, int(found.extensions[0].removeprefix("log "))


def introduced(sealing):
    """The first key stands in the log once the first checkpoint is anchored."""
    sealing.sealer.seal()
    assert sealing.sealer.anchor()


def test_every_answer_carries_a_checkpoint_that_is_as_new_as_its_entries(sealing, keys):
    magnus = sealing.supplier("magnus")
    assert magnus.get("/v1/feed").json()["checkpoint"] is None
    introduced(sealing)
    assert check(magnus.get("/v1/feed").text, keys)["entries"] == 0
    for number in range(1, 6):
        tell(sealing.log, "magnus", number)
        answer = magnus.get("/v1/feed")
        assert check(answer.text, keys)["entries"] == number
        assert covered(answer.json()["checkpoint"]) == (number, sealing.log.head())


def test_the_pages_of_a_feed_are_proven_complete_as_they_came(sealing, keys):
    magnus = sealing.supplier("magnus")
    introduced(sealing)
    tell(sealing.log, "magnus", *range(1, 8))
    tell(sealing.log, "ferrum", 1)
    pages, cursor, more = [], "0", True
    while more:
        answer = magnus.get("/v1/feed", params={"cursor": cursor, "limit": 3})
        pages.append(answer.text)
        cursor, more = answer.json()["next_cursor"], answer.json()["has_more"]
    assert len(pages) == 3
    assert check("\n".join(pages), keys)["entries"] == 7
    with pytest.raises(Wrong, match="Entry 4 is missing"):
        check("\n".join([pages[0], pages[2]]), keys)


def test_the_live_feed_sends_the_checkpoint_after_its_entries(sealing, keys):
    magnus = sealing.supplier("magnus")
    introduced(sealing)
    tell(sealing.log, "magnus", 1, 2)
    entries: list[tuple[int, bytes]] = []
    notes, kind = [], ""
    with magnus.stream("GET", "/v1/feed/stream") as stream:
        for line in stream.iter_lines():
            name, _, value = line.partition(": ")
            if name == "event":
                kind = value
            elif name == "data" and kind == "notice":
                entries.append((len(entries) + 1, value.encode()))
            elif name == "data":
                notes.append(json.loads(value)["checkpoint"])
                if len(entries) == 2:
                    tell(sealing.log, "magnus", 3)
                elif len(entries) == 3:
                    break
    assert check_feed(entries, notes[-1], keys).size == 3


def test_a_withheld_tail_is_proven_by_the_checkpoint_against_the_log(sealing, keys):
    post(sealing.supplier("magnus"), lot("L1"))
    introduced(sealing)
    tell(sealing.log, "magnus", 1, 2, 3)
    sealing.sealer.seal()
    # A dishonest operator, who has the key, shows two entries and signs that there are no more.
    feeds, size = sealing.runtime.feeds, sealing.log.head()
    with sealing.database.snapshot() as connection:
        sealed, ledger = latest(connection), ledger_of(connection)
        assert sealed is not None
        short = signed_head(
            origin_of(ledger.log_id, 1), PARTY, feeds.tree(connection, PARTY, size - 1), size, feeds.key(ledger, size)
        )
    shown = [(number, sealing.log.body(size - 3 + number)) for number in (1, 2)]
    assert check_feed(shown, short.note, keys).size == 2
    # An auditor has the export, its signed checkpoint, and the supplier's note.
    lines = list(export(sealing.log, until=covered(short.note)[1]))
    assert verifier.open_checkpoint(sealed.note, keys).root == root_of(map(leaf_hash, lines))
    told = [line for line in lines if json.loads(line)["stream"] == f"feeds/{PARTY}"]
    with pytest.raises(Wrong, match="There are 3 entries, and the checkpoint signs 2"):
        check_feed(enumerate(told, 1), short.note, keys)


def test_a_receipt_is_sealed_at_the_next_checkpoint_and_proves_itself(sealing, keys):
    magnus = sealing.supplier("magnus")
    tell(sealing.log, "magnus", 1, 2)
    waiting = magnus.get("/v1/notices/magnus-n2/receipt").json()
    assert (waiting["sealed"], waiting["log"], waiting["feed"]) == (False, None, None)
    assert "next checkpoint" in waiting["detail"]
    with pytest.raises(Wrong, match="not sealed"):
        verify_receipt(waiting, keys)
    sealing.sealer.seal()
    receipt = magnus.get("/v1/notices/magnus-n2/receipt").json()
    proven = verify_receipt(receipt, keys)
    assert (proven["sequence"], proven["entries"], proven["position"]) == (2, 2, waiting["position"])
    assert proven["event"]["data"]["notice"] == "magnus-n2"


def test_a_receipt_stays_the_same_however_the_log_grows(sealing, keys):
    magnus = sealing.supplier("magnus")
    tell(sealing.log, "magnus", 1)
    sealing.sealer.seal()
    first = magnus.get("/v1/notices/magnus-n1/receipt").json()
    for number in range(2, 5):
        post(magnus, lot(f"L{number}"))
        tell(sealing.log, "magnus", number)
        sealing.sealer.seal()
        sealing.sealer.anchor()
    now = magnus.get("/v1/notices/magnus-n1/receipt").json()
    assert now["keys"] == [str(keys[0])]
    assert now | {"keys": []} == first | {"keys": []}
    for number in range(1, 5):
        receipt = magnus.get(f"/v1/notices/magnus-n{number}/receipt").json()
        assert verify_receipt(receipt, keys)["sequence"] == number


def test_a_receipt_can_be_waited_for(sealing, keys):
    magnus = sealing.supplier("magnus")
    tell(sealing.log, "magnus", 1)
    begun = time.monotonic()
    assert not magnus.get("/v1/notices/magnus-n1/receipt", params={"wait_s": 0.2}).json()["sealed"]
    assert time.monotonic() - begun >= 0.2
    threading.Timer(0.3, sealing.sealer.seal).start()
    receipt = magnus.get("/v1/notices/magnus-n1/receipt", params={"wait_s": 30}).json()
    assert verify_receipt(receipt, keys)["sequence"] == 1


def test_a_supplier_gets_only_its_own_receipts(sealing, keys):
    magnus, ferrum = sealing.supplier("magnus"), sealing.supplier("ferrum")
    tell(sealing.log, "magnus", 1)
    sealing.sealer.seal()
    foreign, unknown = (ferrum.get(f"/v1/notices/{name}/receipt") for name in ("magnus-n1", "nothing"))
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["detail"].replace("magnus-n1", "nothing") == unknown.json()["detail"]
    assert magnus.get("/v1/notices/magnus-n1/receipt").status_code == 200
    for role in ("bench", "manufacturing"):
        client = sealing.client(role, source_prefix=f"/{role}/1")
        assert client.get("/v1/notices/magnus-n1/receipt").status_code == 403


def test_a_service_without_the_private_key_still_answers_with_the_last_checkpoint_kept(sealing, keys, tmp_path):
    magnus = sealing.supplier("magnus")
    tell(sealing.log, "magnus", 1)
    sealing.sealer.seal()
    sealing.sealer.anchor()
    for pem in (tmp_path / "keys").rglob("*.pem"):
        pem.unlink()
    tell(sealing.log, "magnus", 2)
    answer = magnus.get("/v1/feed").json()
    assert len(answer["items"]) == 2
    assert covered(answer["checkpoint"])[0] == 1
    assert verifier.open_checkpoint(answer["checkpoint"], keys).size == 1


def test_while_the_log_is_not_what_was_signed_nothing_new_is_signed_for_an_answer(sealing, keys):
    magnus = sealing.supplier("magnus")
    introduced(sealing)
    tell(sealing.log, "magnus", 1)
    sealing.sealer.seal()
    tell(sealing.log, "magnus", 2)

    def refuse():
        raise Unavailable("It was restored from another state.")

    assert covered(magnus.get("/v1/feed").json()["checkpoint"])[0] == 2
    sealing.runtime.feeds.guard = refuse
    answer = magnus.get("/v1/feed").json()
    assert (len(answer["items"]), covered(answer["checkpoint"])[0]) == (2, 1)


def test_the_heads_of_feeds_are_in_the_log_beside_its_own_checkpoints(sealing, keys):
    tell(sealing.log, "magnus", 1, 2)
    tell(sealing.log, "ferrum", 1)
    sealing.sealer.seal()
    sealing.sealer.anchor()
    tell(sealing.log, "ferrum", 2)
    sealing.sealer.seal()
    sealing.sealer.anchor()
    sealing.sealer.anchor()
    heads = [event for event in sealing.log.read(0, 1000) if event.type == "lodestone.ledger.feed_sealed.v1"]
    assert [(str(event.data["party"]["id"]), event.data["size"]) for event in heads] == [
        ("ferrum", 1), ("magnus", 2), ("ferrum", 2),
    ]  # fmt: skip
    for event in heads:
        assert verifier.open_checkpoint(event.data["note"], keys).size == event.data["size"]
        assert event.data["log_size"] < event.position
