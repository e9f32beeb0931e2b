"""The log: appended once, in one order for ever, through one seam. Sees the database only."""

from services.store.log.appending import Append, Companion, Located, Outcome
from services.store.log.log import Clock, Log, LogHole, wall_clock

__all__ = ["Append", "Clock", "Companion", "Located", "Log", "LogHole", "Outcome", "wall_clock"]
