"""Measurements of the service itself: what each is called, counting them, and their text. Knows no room above it."""

from services.measurements.measuring import Figure, Measurements
from services.measurements.tally import Tally

__all__ = ["Figure", "Measurements", "Tally"]
