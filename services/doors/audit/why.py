"""Why a limit is what it is: the chain that the engine explains, as the door and the page answer it."""

from dataclasses import asdict
from typing import Any

from services.doors.context import Here
from services.engine.explaining import explain


def why_of(here: Here, spec: str, characteristic: str) -> dict[str, Any]:
    """`{spec, characteristic, revision, events: [{position, type, time, role, sentence}]}`, in the argument's order.

    Raises NotFound for a specification that does not exist, or that does not limit the characteristic.
    """
    chain = explain(here.runtime.log, here.runtime.projector, spec, characteristic)
    return {**asdict(chain), "events": [asdict(event) for event in chain.events]}
