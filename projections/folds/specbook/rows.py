"""The rows of the specification book; `data` is the event's content as stored, references in columns are text."""

from typing import Any, ClassVar

from projections.folds.fold import Row

EVENT = ("event_source", "event_id", "position", "recorded_time")


class SpecRevision(Row, frozen=True):
    """One revision of a specification; `suppliers` is [issuer:id], empty: all. `effective_date` is YYYY-MM-DD."""

    spec: str
    revision: int
    level: str
    item: str
    suppliers: Any
    effective_date: str
    first_lot: str | None
    first_serial: str | None
    reason: str
    case_id: str | None
    round: int | None
    origin: str
    time: str
    version: int
    data: Any
    event_source: str
    event_id: str
    position: int
    recorded_time: str

    __key__: ClassVar[tuple[str, ...]] = ("spec", "revision")
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("case_id",), ("item",))


class SpecHead(Row, frozen=True):
    """The newest revision of each specification, effective already or not; `version` is the stream's."""

    spec: str
    revision: int
    level: str
    item: str
    suppliers: Any
    effective_date: str
    origin: str
    time: str
    version: int
    data: Any
    event_source: str
    event_id: str
    position: int
    recorded_time: str

    __key__: ClassVar[tuple[str, ...]] = ("spec",)
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("item",),)


class RequirementRow(Row, frozen=True):
    """A requirement: its newest text, whether it is in force, and the event that last issued or revised it."""

    requirement: str
    motor_type: str
    metric: str
    title: str
    in_force: bool
    version: int
    time: str
    text: Any
    event_source: str
    event_id: str
    position: int
    recorded_time: str

    __key__: ClassVar[tuple[str, ...]] = ("requirement",)
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("motor_type", "metric"),)


class PolicyRow(Row, frozen=True):
    """A policy: its constants, whole."""

    policy: str
    version: int
    time: str
    text: Any
    event_source: str
    event_id: str
    position: int
    recorded_time: str

    __key__: ClassVar[tuple[str, ...]] = ("policy",)
    __undigested__: ClassVar[tuple[str, ...]] = EVENT


class SensitivityRow(Row, frozen=True):
    """A sensitivity parent → child in canonical units: prior mean and 1-sigma, and where it holds."""

    sensitivity: str
    parent: str
    child: str
    form: str
    mean: float
    sigma: float
    unit: str
    scale: float | None
    valid_from: float | None
    valid_to: float | None
    source: str
    reason: str
    version: int
    time: str
    event_source: str
    event_id: str
    position: int
    recorded_time: str

    __key__: ClassVar[tuple[str, ...]] = ("sensitivity",)
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("child",), ("parent",))


class Assessment(Row, frozen=True):
    """A characteristic of a lot as assessed from one certificate against one revision: the latest conclusion."""

    lot: str
    spec: str
    revision: int
    characteristic: str
    statistic: str
    certificate_source: str
    certificate_id: str
    result: str
    rule: str
    reason: str
    time: str
    data: Any
    event_source: str
    event_id: str
    position: int
    recorded_time: str

    __key__: ClassVar[tuple[str, ...]] = (
        "lot", "spec", "revision", "characteristic", "statistic", "certificate_source", "certificate_id",
    )  # fmt: skip
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("spec",),)


SPECBOOK_ROWS = (SpecRevision, SpecHead, RequirementRow, PolicyRow, SensitivityRow, Assessment)
