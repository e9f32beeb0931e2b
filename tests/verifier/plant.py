"""A log and its feeds in memory, signed by the tests' signer: receipts and feed pages as the service sends them."""

import base64
import json

from services.verifier import leaf_hash, root_of
from tests.verifier import trees
from tests.verifier.signing import Signer

ORIGIN = "lodestone.example/log"


def event(stream, number, **data):
    """Stored bytes of an event of a numbered stream."""
    kept = {"id": f"{stream}-{number}", "type": "x", "recordedtime": "2026-03-01T08:00:00.000000Z", "data": data}
    return json.dumps({**kept, "stream": stream, "streamversion": str(number)}, separators=(",", ":")).encode()


class Plant:
    """Events in the order of the log; what it signs is right unless a test changes it."""

    def __init__(self, *bodies, signer=None):
        self.bodies = list(bodies)
        self.signer = signer or Signer(ORIGIN)

    @property
    def key(self):
        return str(self.signer.key)

    def feed(self, party):
        """(number, stored bytes) of a party's entries."""
        stream = f"feeds/{party}"
        return [
            (int(kept["streamversion"]), body) for body in self.bodies if (kept := json.loads(body))["stream"] == stream
        ]

    def feed_checkpoint(self, party, size=None):
        """The signed head of a feed, its first `size` entries."""
        entries = self.feed(party)[:size]
        root = root_of(leaf_hash(body) for _, body in entries)
        origin = f"{ORIGIN}/feeds/{party}"
        return self.signer.checkpoint(origin, len(entries), root, f"log {len(self.bodies)}")

    def receipt(self, party, sequence):
        """The receipt of one entry, ready to be changed."""
        hashes = [leaf_hash(body) for body in self.bodies]
        entries = self.feed(party)
        body = entries[sequence - 1][1]
        index = self.bodies.index(body)
        return {
            "format": "lodestone receipt 1",
            "sealed": True,
            "party": party,
            "sequence": sequence,
            "position": index + 1,
            "event": base64.b64encode(body).decode(),
            "log": {
                "checkpoint": self.signer.checkpoint(ORIGIN, len(hashes), trees.root(hashes)),
                "proof": _texts(trees.inclusion(index, hashes)),
            },
            "feed": {
                "checkpoint": self.feed_checkpoint(party),
                "proof": _texts(trees.inclusion(sequence - 1, [leaf_hash(data) for _, data in entries])),
            },
        }

    def page(self, party, after=0, limit=100):
        """A page of the feed, as `GET /v1/feed` sends it."""
        entries = [entry for entry in self.feed(party) if entry[0] > after][:limit]
        items = ",".join(f'{{"sequence":{number},"event":{body.decode()}}}' for number, body in entries)
        return f'{{"items":[{items}],"has_more":false,"checkpoint":{json.dumps(self.feed_checkpoint(party))}}}'


def _texts(hashes):
    return [base64.b64encode(found).decode() for found in hashes]
