"""The rotors of a motor in order of time, and the one that was in it when it was tested."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from msgspec import Struct

from events.refs import ref_text
from projections.folds.claims import Claim, living, order, that_holds
from projections.folds.reading import instant


class Rotor(Struct, frozen=True, gc=False):
    """A rotor: since when (null: built with it), its magnets [{lot, pieces}] or null for unknown lots, and why."""

    since: str | None
    magnets: Any
    reason: str | None
    claim: Claim

    @property
    def pieces(self) -> int:
        """Pieces of all lots."""
        return sum(int(share["pieces"]) for share in self.magnets or ())

    def shown(self) -> dict[str, Any]:
        return {"since": self.since, "magnets": self.magnets, "reason": self.reason}


def magnets_of(says: Any) -> list[dict[str, Any]] | None:
    """[{lot, pieces}] by lot, or None where the lots are unknown."""
    magnets = says.get("magnets")
    if magnets is None:
        return None
    shares = [{"lot": ref_text(share["lot"]), "pieces": int(share["pieces"])} for share in magnets]
    return sorted(shares, key=_lot) if len(shares) > 1 else shares


_lot = itemgetter("lot")


def rotors_of(claims: Sequence[Claim]) -> list[Rotor]:
    """The rotor that the motor was built with, then its replacements in order of time.

    Without a build record only the replacements. Of several claims for one instant the lowest (time, source, id) holds.
    """
    if len(claims) == 1 and claims[0].type == "motor_built" and claims[0].fate is None:  # nearly every motor
        return [Rotor(None, magnets_of(claims[0].says), None, claims[0])]
    built, _ = that_holds(claims, "motor_built")
    found = [Rotor(None, magnets_of(built.says), None, built)] if built else []
    replacing = [claim for claim in claims if claim.type == "rotor_replaced"]
    replaced: dict[str, Claim] = {}
    for claim in sorted(living(replacing), key=order):
        replaced.setdefault(instant(claim.says["replaced_at"]), claim)
    for since in sorted(replaced):
        says = replaced[since].says
        found.append(Rotor(since, magnets_of(says), says["reason"], replaced[since]))
    return found


def rotor_at(rotors: Sequence[Rotor], moment: str) -> int:
    """The number of the rotor that was in the motor at this instant (RFC 3339 UTC text), counted from 0."""
    number = 0
    for index, rotor in enumerate(rotors):
        if rotor.since is None or rotor.since <= moment:
            number = index
    return number
