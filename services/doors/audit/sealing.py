"""The seal: signed checkpoints, proofs of inclusion and consistency, and the public keys with their history."""

import base64
import time
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import PlainTextResponse
from sqlalchemy import Connection

from events.errors import Invalid, NotFound
from services.doors.answers import Json
from services.doors.context import Here, reads, runtime_of
from services.runtime import Runtime
from services.store.sealing import checkpoints
from services.store.sealing.checkpoints import Signed
from services.store.sealing.ledger.rotation import known_keys
from services.store.sealing.proofs import consistency, inclusion, log_tree, packed_leaves, root_at

router = APIRouter(tags=["audit"])
Anyone = Annotated[Here, Depends(reads("read_status"))]
Reading = Annotated[Here, Depends(reads("read_events"))]
Size = Annotated[int, Query(ge=0, le=2**62)]
NOT_YET = "sealed at the next checkpoint"
_PAUSE_S = 0.1


@router.get(
    "/v1/log/checkpoint",
    summary="The log's signed checkpoint",
    response_class=PlainTextResponse,
    responses={404: {"description": "Nothing is sealed yet, or no checkpoint has this size."}},
)
def read_checkpoint(
    here: Anyone,
    size: Annotated[int | None, Query(ge=0, le=2**62, description="Of exactly this size; none: the newest.")] = None,
) -> PlainTextResponse:
    """A signed note (C2SP tlog-checkpoint): origin, number of events, root of the tree over them, signature.

    Anyone who is signed in may have it: keep it, and compare it with what others were given.
    """
    with here.connect() as connection:
        return PlainTextResponse(_signed(connection, size).note)


@router.get("/v1/log/proof/{position}", summary="Proof that an event is in the log", response_model=dict[str, Any])
def read_proof(
    here: Reading,
    position: Annotated[int, Path(ge=1, le=2**62)],
    size: Annotated[int | None, Query(ge=1, le=2**62, description="Against the checkpoint of this size.")] = None,
    wait_s: Annotated[float, Query(ge=0, le=60, description="Wait until the event is sealed, in seconds.")] = 0.0,
) -> Json:
    """The leaf's hash, a signed checkpoint that covers it, and the hashes between the two (RFC 9162, 2.1.3).

    The leaf's index is position - 1; its bytes are those of the `event` in `GET /v1/events/{position}`. Before a
    checkpoint covers the event: `sealed` is false, and `wait_s` waits for it.
    """
    _wait(here.runtime, position, wait_s)
    with here.connect() as connection:
        leaf = packed_leaves(connection, position - 1, position)
        if not leaf:
            raise NotFound(f"The log has no position {position}; it ends at {here.runtime.log.head()}.")
        told: dict[str, Any] = {"position": position, "leaf_hash": _text(leaf)}
        if checkpoints.sealed_size(connection) < position:
            return Json({**told, "sealed": False, "detail": NOT_YET, "size": None, "checkpoint": None, "proof": []})
        signed = _signed(connection, size)
        if signed.size < position:
            raise Invalid(f"The checkpoint of {signed.size} events does not cover position {position}.")
        proof = inclusion(log_tree(connection), position - 1, signed.size)
    return Json({**told, "sealed": True, "size": signed.size, "checkpoint": signed.note, "proof": _texts(proof)})


@router.get("/v1/log/consistency", summary="Proof that the log only grew", response_model=dict[str, Any])
def read_consistency(
    here: Anyone,
    older: Annotated[int, Query(alias="from", ge=0, le=2**62, description="The size of an older checkpoint.")],
    newer: Annotated[int, Query(alias="to", ge=0, le=2**62, description="The size of a newer one.")],
) -> Json:
    """The hashes that lead from the older root to the newer one (RFC 9162, 2.1.4), and both roots."""
    with here.connect() as connection:
        sealed = checkpoints.sealed_size(connection)
        if not older <= newer <= sealed:
            raise Invalid(f"The sizes go from the smaller to the larger and end at {sealed}, which is sealed.")
        tree = log_tree(connection)
        roots = {"from_root": _text(root_at(tree, older)), "to_root": _text(root_at(tree, newer))}
        proof = consistency(tree, older, newer)
    return Json({"from": older, "to": newer, **roots, "proof": _texts(proof)})


@router.get("/.well-known/lodestone/keys", summary="Public keys", response_model=dict[str, Any])
def read_keys(request: Request) -> Json:
    """Every key that signs or signed this log's checkpoints, oldest first, with the sizes for which it does.

    `verifier_key` is the one line that verifiers of signed notes take (`name+hash+key`). Needs no sign-in.
    """
    runtime = runtime_of(request)
    items = known_keys(runtime.database, runtime.data_dir)
    return Json({"items": items, "next_cursor": None, "has_more": False})


def _wait(runtime: Runtime, position: int, wait_s: float) -> None:
    """Until a checkpoint covers the position, or the time is over, or there is no such event."""
    deadline = time.monotonic() + min(wait_s, runtime.max_wait_s)
    while time.monotonic() < deadline and not runtime.stopping.is_set():
        with runtime.database.connect() as connection:
            if checkpoints.sealed_size(connection) >= position:
                return
        time.sleep(_PAUSE_S)


def _signed(connection: Connection, size: int | None) -> Signed:
    """The newest checkpoint, or the one of this size. Raises NotFound, naming a size that there is."""
    found = checkpoints.latest(connection) if size is None else checkpoints.of_size(connection, size)
    if found is None and size is None:
        raise NotFound("Nothing is sealed yet; the worker seals what is appended within a second.")
    if found is None:
        near = checkpoints.sizes_near(connection, int(size or 0))
        raise NotFound(f"No checkpoint has the size {size}; the nearest are {', '.join(map(str, near)) or 'none'}.")
    return found


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _texts(digests: Sequence[bytes]) -> list[str]:
    return [_text(digest) for digest in digests]
