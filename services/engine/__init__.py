"""Loads state, asks the rules and the inference, and appends what they say. Decides nothing by itself."""

from services.engine.decider import Decider
from services.engine.enact import Decided, Desk

__all__ = ["Decided", "Decider", "Desk"]
