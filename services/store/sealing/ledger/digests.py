"""Recording the digests of the projections' state at a position, for `lodestone verify` to check later."""

from collections.abc import Mapping

from events.envelope import utc_text
from events.errors import Refused
from events.ids import conclusion_id
from events.receive import Origin, draft
from events.rules.ledger import ProjectionDigest, StateDigestRecorded
from services.store.log import Append, Log
from services.store.sealing.ledger.reading import SOURCE, log_id


def record_digests(log: Log, position: int, versions: Mapping[str, int], digests: Mapping[str, str]) -> int:
    """Append the digests; returns the position of that event, or of the one that said so first.

    Raises Refused while an event that could not be folded makes a state incomplete.
    """
    incomplete = sorted(name for name, digest in digests.items() if ":" in digest)
    if incomplete:
        raise Refused(f"The state of {', '.join(incomplete)} is incomplete, so its digest says nothing; see `status`.")
    with log.database.connect() as connection:
        name = log_id(connection)
    of_projections = {one: ProjectionDigest(version=versions[one], digest=digests[one]) for one in sorted(digests)}
    model = StateDigestRecorded(log=name, position=position, digests=of_projections)
    id = conclusion_id(name, "state_digest_recorded", f"{position}/{sorted(versions.items())}")
    known = log.find(SOURCE, str(id))
    if known is not None:
        return known.position
    event = draft(model, id=id, origin=Origin(SOURCE, utc_text(log.clock())))
    return log.append(Append((event,)))[0].position or 0
