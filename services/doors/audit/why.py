"""Why a limit is what it is: the chain that inference finds in the log, as the door answers it."""

from dataclasses import asdict
from typing import Any

from services.doors.context import Here
from services.engine.explaining import explain


def why_of(here: Here, spec: str, characteristic: str) -> dict[str, Any]:
    """`{spec, characteristic, revision, events: [{position, type, time, role, sentence}]}`, in the argument's order.

    Raises NotFound for a specification that does not exist, or that never limited the characteristic.
    """
    return asdict(explain(here.runtime.log, here.runtime.projector, spec, characteristic))
