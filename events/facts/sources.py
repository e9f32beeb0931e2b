"""Sources: a supplier changed where or how something comes from, and the evidence it holds."""

from typing import Literal

from events.facts.base import Fact, Hash, Moment, Text
from events.facts.lots import Level
from events.refs import Name, Ref


class SourceFact(Fact):
    supplier: Ref

    def owner(self) -> str | None:
        return self.supplier.id


class SourceChanged(SourceFact):
    """A source, recipe, furnace, process window or custody model changed from `first_lot` on."""

    change: Name
    site: Name
    level: Level
    kind: Literal["source", "recipe", "furnace", "window", "custody"]
    before: Text
    after: Text
    first_lot: Ref
    item: Ref | None = None
    reason: Text | None = None


class EvidenceRecorded(SourceFact):
    """The supplier holds evidence: a certificate of a standard, an audit, an approval."""

    evidence: Name
    standard: Text
    edition: Text
    holder: Text
    scope: Text
    valid_until: Moment | None = None
    document_hash: Hash | None = None
    change: Name | None = None
