"""The rows of the genealogy; references are text `issuer:id`, times RFC 3339 in UTC with microseconds.

In every row `conflict` says that several facts claim the identity and the lowest (time, source, id) holds;
`event_source`, `event_id` and `position` name the fact that holds, outside the digest.
"""

from typing import Any, ClassVar

from projections.folds.claims import Claims
from projections.folds.fates import Fate
from projections.folds.fold import Row

EVENT = ("event_source", "event_id", "position")


class GenealogyFate(Fate, frozen=True):
    """What became of a fact of the genealogy."""


class GenealogyClaims(Claims, frozen=True):
    """What facts say of one thing of the genealogy."""


class Lot(Row, frozen=True):
    """A lot at any level; `level` null while only its withdrawal has arrived.

    `fraction_sum` adds the inputs' mass fractions; `incomplete` marks a sum under 0.995 (an ore has no inputs).
    `inputs` is [{lot, fraction, custody_model}] as stated, as in LotLink.
    """

    lot: str
    level: str | None
    item: str | None
    supplier: str | None
    site: str | None
    produced_at: str | None
    quantity_kg: float | None
    pieces: int | None
    custody_model: str | None
    inputs: Any
    fraction_sum: float
    incomplete: bool
    withdrawn: bool
    withdrawn_reason: str | None
    origin: str
    conflict: bool
    event_source: str | None
    event_id: str | None
    position: int | None

    __key__: ClassVar[tuple[str, ...]] = ("lot",)
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("level", "produced_at"), ("item",), ("supplier",))


class LotLink(Row, frozen=True):
    """`fraction` of the child's mass came from the parent.

    `custody_counts`: the custody model lets results be joined over this link (identity preserved and controlled
    blending; domain.md F.2). A link on a cycle counts nowhere either: that is decided on read, by trace.counting.
    `composition_counts` also holds for segregated links: their measured composition may be joined, not their source.
    """

    child: str
    parent: str
    fraction: float
    custody_model: str
    custody_counts: bool
    composition_counts: bool

    __key__: ClassVar[tuple[str, ...]] = ("child", "parent")
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("parent",),)


class Motor(Row, frozen=True):
    """A motor; `built` is false while its build record has not arrived.

    `magnets` of the rotor in it now: [{lot, pieces}], null: unknown (then see `built`). `rotors` all of them in
    order: [{since, magnets, reason}], `since` null for the one it was built with.
    """

    motor: str
    built: bool
    motor_type: str | None
    built_at: str | None
    line: str | None
    stator_batch: str | None
    magnets: Any
    rotors: Any
    retired_at: str | None
    origin: str
    conflict: bool
    event_source: str | None
    event_id: str | None
    position: int | None

    __key__: ClassVar[tuple[str, ...]] = ("motor",)
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __finite__: ClassVar[bool] = True
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("motor_type",), ("built_at",))


class MotorLot(Row, frozen=True):
    """Pieces of a magnet lot in a motor; `total` pieces of that rotor; `current` is false for a rotor taken out."""

    lot: str
    motor: str
    pieces: int
    total: int
    current: bool

    __key__: ClassVar[tuple[str, ...]] = ("lot", "motor")
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("motor",),)


class MotorType(Row, frozen=True):
    """A motor type; `design` is the constants as stored."""

    motor_type: str
    name: str
    magnet_item: str | None
    design: Any
    notes: str | None
    origin: str
    conflict: bool
    event_source: str
    event_id: str
    position: int

    __key__: ClassVar[tuple[str, ...]] = ("motor_type",)
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("magnet_item",),)


class Party(Row, frozen=True):
    """A supplier, laboratory, bench owner or manufacturer; `sites` is [{site, country}]."""

    party: str
    name: str
    kinds: Any
    sites: Any
    contact: str | None
    retired: bool
    origin: str
    conflict: bool
    event_source: str
    event_id: str
    position: int

    __key__: ClassVar[tuple[str, ...]] = ("party",)
    __undigested__: ClassVar[tuple[str, ...]] = EVENT


class Bench(Row, frozen=True):
    """A test bench."""

    bench: str
    party: str
    name: str
    location: str | None
    origin: str
    conflict: bool
    event_source: str
    event_id: str
    position: int

    __key__: ClassVar[tuple[str, ...]] = ("bench",)
    __undigested__: ClassVar[tuple[str, ...]] = EVENT


class Calibration(Row, frozen=True):
    """A calibration of an instrument of a bench."""

    bench: str
    calibration: str
    instrument: str
    accuracy_class: str | None
    laboratory: str | None
    valid_from: str
    valid_until: str
    conflict: bool
    event_source: str
    event_id: str
    position: int

    __key__: ClassVar[tuple[str, ...]] = ("bench", "calibration")
    __undigested__: ClassVar[tuple[str, ...]] = EVENT


class SourceChange(Row, frozen=True):
    """A supplier recorded a change of source, recipe, furnace, window or custody from `first_lot` on."""

    supplier: str
    change: str
    site: str
    level: str
    kind: str
    before: str
    after: str
    first_lot: str
    item: str | None
    reason: str | None
    time: str
    origin: str
    conflict: bool
    event_source: str
    event_id: str
    position: int

    __key__: ClassVar[tuple[str, ...]] = ("supplier", "change")
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("first_lot",), ("item",))


class Evidence(Row, frozen=True):
    """Evidence that a supplier holds; `change` names the source change that it was recorded for."""

    supplier: str
    evidence: str
    standard: str
    edition: str
    holder: str
    scope: str
    valid_until: str | None
    document_hash: str | None
    change: str | None
    time: str
    origin: str
    conflict: bool
    event_source: str
    event_id: str
    position: int

    __key__: ClassVar[tuple[str, ...]] = ("supplier", "evidence")
    __undigested__: ClassVar[tuple[str, ...]] = EVENT
    __indexes__: ClassVar[tuple[tuple[str, ...], ...]] = (("supplier", "change"),)


GENEALOGY_ROWS = (
    Lot, LotLink, Motor, MotorLot, MotorType, Party, Bench, Calibration, SourceChange, Evidence,
)  # fmt: skip
