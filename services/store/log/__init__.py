"""The log: appended once, in one order for ever, through one seam. Sees the database only."""

from services.store.log.appending import Advance, Append, Companion, Conflicts, CursorMoved, Located, Outcome, leaf_hash
from services.store.log.log import Log, LogHole
from services.store.log.writer import Clock, wall_clock

__all__ = [
    "Advance",
    "Append",
    "Clock",
    "Companion",
    "Conflicts",
    "CursorMoved",
    "Located",
    "Log",
    "LogHole",
    "Outcome",
    "leaf_hash",
    "wall_clock",
]
