"""Ledger: what the log says of itself: keys, checkpoints, feed heads, states, epochs, what was set aside."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from events.facts.base import EventRef, Text
from events.refs import Name, Ref
from events.vocabulary.quantities import Plain

Base64Hash = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{43}=$")]
"""A SHA-256 in base64, as in the notes."""
Note = Annotated[str, Field(min_length=1, max_length=10_000)]
"""A signed note (C2SP signed-note), line ends included."""
Size = Annotated[int, Field(ge=0)]


class KeyIntroduced(Plain):
    """From this position on, checkpoints that cover it are signed by this key.

    `verifier_key` is `name+hash+key` (C2SP signed-note). `statement` is a note that says so, signed by the key before
    and by this one; the first key signs alone. `retires` is the verifier key that signs no checkpoint of this size or
    beyond, and stays good for those before it.
    """

    log: Name
    verifier_key: Name
    retires: Name | None = None
    statement: Note


class CheckpointSigned(Plain):
    """A checkpoint of the log was signed; the log so carries the seals of its own past."""

    log: Name
    epoch: Annotated[int, Field(ge=1)]
    size: Size
    root: Base64Hash
    note: Note


class FeedSealed(Plain):
    """The head of one party's feed, signed: how many entries, their root, and the size of the log behind it."""

    log: Name
    party: Ref
    size: Size
    root: Base64Hash
    log_size: Size
    note: Note


class ProjectionDigest(Plain):
    """The digest of one projection's state, and the version of the fold that made it."""

    version: int
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class StateDigestRecorded(Plain):
    """The digests of projections at a position; `lodestone verify` folds the log again and compares."""

    log: Name
    position: Size
    digests: Mapping[Name, ProjectionDigest]


class EpochOpened(Plain):
    """The log was restored to an earlier state and goes on from there: what came after the fork is another history.

    `last_note` is the last checkpoint that was signed before, in the history that was left.
    """

    log: Name
    epoch: Annotated[int, Field(ge=2)]
    fork_position: Size
    reason: Text
    last_note: Note | None = None


class EventParked(Plain):
    """A projection could not fold an event and set it aside: its state is incomplete without it, the others go on.

    `event` stands at `position`; `version` is that of the fold which refused it, and `reason` is what it said.
    """

    log: Name
    projection: Name
    version: int
    position: Size
    event: EventRef
    reason: Text


class EventReleased(Plain):
    """An event that a projection had set aside is folded: it was tried again, or a rebuild did not refuse it.

    `version` is that of the fold which took it.
    """

    log: Name
    projection: Name
    version: int
    position: Size
    event: EventRef
