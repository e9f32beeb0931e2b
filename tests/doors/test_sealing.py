"""Checkpoints, proofs and keys over HTTP: whoever has them can verify without us."""

import base64
import hashlib
import threading
import time

import pytest

from services.store.sealing.ledger.rotation import rotate
from services.store.sealing.sealer import Sealer
from services.verifier import (
    open_note,
    parse_checkpoint,
    parse_verifier_key,
    verify_consistency,
    verify_inclusion,
)
from tests.doors.facts import lot
from tests.doors.service import post


@pytest.fixture
def sealer(service, tmp_path):
    return Sealer(service.database, service.log, tmp_path, "sealer")


@pytest.fixture
def auditor(service):
    return service.client("auditor")


def keys(client):
    answer = client.get("/.well-known/lodestone/keys").json()
    assert all(item["algorithm"] == "Ed25519" for item in answer["items"])
    return answer["items"]


def opened(note, client):
    text, _ = open_note(note, [parse_verifier_key(item["verifier_key"]) for item in keys(client)])
    return parse_checkpoint(text)


def unbase64(texts):
    return [base64.b64decode(text) for text in texts]


def test_before_the_first_seal_the_checkpoint_says_when_to_expect_one(auditor):
    answer = auditor.get("/v1/log/checkpoint")
    assert answer.status_code == 404
    assert "within a second" in answer.json()["detail"]


def test_an_event_is_proven_with_its_bytes_the_proof_and_the_key(service, sealer, auditor):
    magnus = service.supplier("magnus")
    post(magnus, *(lot(f"L{number}") for number in range(300)))
    sealer.finish()
    head = service.log.head()
    for position in (1, 2, 150, 256, 257, head):
        told = auditor.get(f"/v1/log/proof/{position}").json()
        assert (told["position"], told["sealed"], told["size"]) == (position, True, head)
        leaf = hashlib.sha256(b"\x00" + service.log.body(position)).digest()
        assert base64.b64decode(told["leaf_hash"]) == leaf
        checkpoint = opened(told["checkpoint"], service.client())
        assert checkpoint.size == head
        verify_inclusion(leaf, position - 1, checkpoint.size, unbase64(told["proof"]), checkpoint.root)


def test_an_older_checkpoint_is_still_given_and_proofs_lead_to_it(service, sealer, auditor):
    magnus = service.supplier("magnus")
    post(magnus, *(lot(f"A{number}") for number in range(20)))
    sealer.seal()
    old = auditor.get("/v1/log/checkpoint")
    assert old.headers["content-type"].startswith("text/plain")
    post(magnus, *(lot(f"B{number}") for number in range(20)))
    sealer.finish()
    new = auditor.get("/v1/log/checkpoint").text
    before, after = opened(old.text, service.client()), opened(new, service.client())
    assert auditor.get("/v1/log/checkpoint", params={"size": before.size}).text == old.text
    told = auditor.get("/v1/log/consistency", params={"from": before.size, "to": after.size}).json()
    verify_consistency(before.size, before.root, after.size, after.root, unbase64(told["proof"]))
    assert base64.b64decode(told["to_root"]) == after.root
    proof = auditor.get("/v1/log/proof/3", params={"size": before.size}).json()
    leaf = base64.b64decode(proof["leaf_hash"])
    verify_inclusion(leaf, 2, before.size, unbase64(proof["proof"]), before.root)


def test_sizes_and_positions_that_are_none_are_refused_with_what_there_is(service, sealer, auditor):
    post(service.supplier("magnus"), lot("L1"), lot("L2"))
    sealer.seal()
    head = service.log.head()
    near = auditor.get("/v1/log/checkpoint", params={"size": 1})
    assert near.status_code == 404
    assert f"the nearest are {head}" in near.json()["detail"]
    assert auditor.get(f"/v1/log/proof/{head + 1}").status_code == 404
    assert auditor.get("/v1/log/proof/0").status_code == 422
    assert auditor.get("/v1/log/consistency", params={"from": 2, "to": head + 5}).status_code == 422
    assert auditor.get("/v1/log/consistency", params={"from": 3, "to": 2}).status_code == 422


def test_before_it_is_sealed_the_proof_says_so_and_can_be_waited_for(service, sealer, auditor):
    post(service.supplier("magnus"), lot("L1"))
    head = service.log.head()
    told = auditor.get(f"/v1/log/proof/{head}").json()
    assert (told["sealed"], told["checkpoint"], told["detail"]) == (False, None, "sealed at the next checkpoint")

    def later() -> None:
        time.sleep(0.3)
        sealer.seal()

    thread = threading.Thread(target=later)
    thread.start()
    assert auditor.get(f"/v1/log/proof/{head}", params={"wait_s": 30}).json()["sealed"] is True
    thread.join()


def test_a_rotated_key_stays_good_for_what_it_signed(service, sealer, auditor):
    magnus = service.supplier("magnus")
    post(magnus, lot("L1"))
    sealer.finish()
    old = auditor.get("/v1/log/checkpoint").text
    position, verifier = rotate(service.log, sealer.data_dir)
    post(magnus, lot("L2"))
    sealer.finish()
    new = auditor.get("/v1/log/checkpoint").text
    first, second = keys(service.client())
    assert (first["from_size"], first["until_size"]) == (0, position - 1)
    assert (second["from_size"], second["until_size"]) == (position, None)
    assert second["verifier_key"] == verifier
    open_note(old, [parse_verifier_key(first["verifier_key"])])
    open_note(new, [parse_verifier_key(second["verifier_key"])])
    with pytest.raises(ValueError, match="none of the keys"):
        open_note(new, [parse_verifier_key(first["verifier_key"])])


def test_proofs_are_for_auditors_and_checkpoints_for_everyone_who_is_signed_in(service, sealer):
    bench, nobody = service.client("bench"), service.client()
    sealer.seal()
    assert bench.get("/v1/log/checkpoint").status_code == 200
    assert bench.get("/v1/log/proof/1").status_code == 403
    assert nobody.get("/v1/log/checkpoint").status_code == 401
    assert nobody.get("/.well-known/lodestone/keys").status_code == 200


def test_the_status_says_how_far_the_log_is_sealed(service, sealer):
    admin = service.client("admin")
    post(service.supplier("magnus"), lot("L1"))
    service.fold()
    before = admin.get("/v1/status").json()["sealed"]
    assert (before["size"], before["lag"], before["anchored"]) == (0, service.log.head(), False)
    sealer.finish()
    service.fold()
    after = admin.get("/v1/status").json()["sealed"]
    assert (after["size"], after["lag"], after["anchored"]) == (service.log.head(), 0, True)
    measured = service.client().get("/metrics").text
    assert f"lodestone_seal_position {float(after['size'])}" in measured
