"""Benches: where motors are tested, and how their instruments were calibrated."""

from events.facts.base import Fact, Moment, Text
from events.refs import Name, Ref


class BenchRegistered(Fact):
    """A test bench and the party that owns it."""

    bench: Ref
    party: Ref
    name: Text
    location: Text | None = None


class CalibrationRecorded(Fact):
    """An instrument of a bench was calibrated."""

    bench: Ref
    calibration: Name
    instrument: Text
    accuracy_class: Text | None = None
    laboratory: Ref | None = None
    valid_from: Moment
    valid_until: Moment
