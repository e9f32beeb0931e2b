"""Fates: what became of facts that another one replaced or voided, whichever of the two arrives first."""

from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from projections.folds.fold import Ref, Row, Rows


class Fate(Row, frozen=True):
    """What became of one fact, known before or after it arrives; a fact that nothing names has no row.

    `voids` are the voids that stand, as [source, id]; `target` is the test that this fact itself voids.
    """

    source: str
    id: str
    replaced: bool = False
    voids: Any = None
    target: Any = None

    __key__: ClassVar[tuple[str, ...]] = ("source", "id")
    __undigested__: ClassVar[tuple[str, ...]] = ()
    __hidden__: ClassVar[bool] = True

    @property
    def voided(self) -> Ref | None:
        """The test that this fact itself voids."""
        return None if self.target is None else (self.target[0], self.target[1])


class Fates:
    """The fates that a batch of events reads and changes."""

    def __init__(self, row_type: type[Fate], rows: Rows) -> None:
        self.row_type = row_type
        self.rows = rows
        self.here: dict[Ref, Fate] = {}
        self.changed: dict[Ref, Fate] = {}

    def load(self, refs: Sequence[Ref]) -> None:
        """Have the fates of these facts at hand; most have none."""
        for row in self.rows.pick(self.row_type, refs):
            self.here.setdefault((row.source, row.id), row)

    def take(self, me: Ref, replaced: Ref | None, target: Ref | None) -> list[Ref]:
        """What an event says of others; returns the facts whose standing it may have changed."""
        touched = []
        if target is not None:
            self._set(me, target=list(target))
            if not self.of(me).replaced:
                self._set(target, voids=sorted([*(self.of(target).voids or []), list(me)]))
                touched.append(target)
        if replaced is not None:
            self._set(replaced, replaced=True)
            touched.append(replaced)
            lifted = self.of(replaced).voided
            if lifted is not None:
                voids = [void for void in self.of(lifted).voids or [] if void != list(replaced)]
                self._set(lifted, voids=voids or None)
                touched.append(lifted)
        return touched

    def of(self, ref: Ref) -> Fate:
        """The fate of a fact; a plain one where nothing is known."""
        return self.here.get(ref) or self.row_type(*ref)

    def standing(self, ref: Ref, voidable: bool) -> str | None:
        """`replaced`, `voided`, or None for a fact that counts."""
        fate = self.here.get(ref)
        if fate is None:
            return None
        if fate.replaced:
            return "replaced"
        return "voided" if fate.voids and voidable else None

    def write(self) -> None:
        """Store what changed."""
        for fate in self.changed.values():
            self.rows.put(fate)

    def _set(self, ref: Ref, **values: Any) -> None:
        self.here[ref] = self.changed[ref] = replace(self.of(ref), **values)
