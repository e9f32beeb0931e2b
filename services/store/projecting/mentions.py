"""Mentions: the events that the corrections of a page name, and whether they lie in the page's own partition."""

from collections.abc import Iterable, Mapping, Sequence

from events import catalogue
from events.envelope import Recorded
from events.partitions import partition_of
from projections.folds.fold import Projection, Ref
from services.store.log import Log
from services.store.projecting.folding import newest


class Mentions:
    """What a page's events name, and what those name in turn: a void that is taken back frees the test it voided."""

    def __init__(self, log: Log, projections: Iterable[Projection], events: Sequence[Recorded]) -> None:
        self.log = log
        self._named = tuple(dict.fromkeys(one.named for one in projections if one.named is not None))
        self.found: dict[Ref, Recorded] = {}
        self.absent: set[Ref] = set()
        self.look(self._refs(events))
        self.look(self._refs(list(self.found.values())))

    def _refs(self, events: Iterable[Recorded]) -> list[Ref]:
        return [ref for event in events for named in self._named for ref in named(event)]

    def look(self, refs: Iterable[Ref]) -> None:
        """Have these events at hand, those that the log has; of a type that this release does not know, it has none."""
        missing = dict.fromkeys(ref for ref in refs if ref not in self.found and ref not in self.absent)
        if not missing:
            return
        read = [event for event in self.log.read_named(missing) if catalogue.known(event.type)]
        self.found |= {(event.source, event.id): newest(event) for event in read}
        self.absent.update(missing.keys() - self.found.keys())

    def look_again(self) -> None:
        """For those that were not in the log: by now they may be, and folded as well."""
        absent, self.absent = self.absent, set()
        self.look(absent)
        self.look(self._refs([self.found[ref] for ref in absent if ref in self.found]))

    def beyond(self, share: int, shares: int) -> bool:
        """Whether any of them lies in another share's partition, or may: it is not in the log yet."""
        return bool(self.absent) or any(
            partition_of(event.partition_key, shares) != share for event in self.found.values()
        )


class EarlierInShares:
    """Finds the events that a share's fold refers to: those that the share of each has folded.

    `until` says how far the share itself counts as told before, `positions` how far each share is, by number.
    """

    def __init__(self, mentions: Mentions, share: int, positions: Mapping[int, int], until: int) -> None:
        self.mentions = mentions
        self.positions = {**positions, share: until}

    def __call__(self, refs: Iterable[Ref]) -> Mapping[Ref, Recorded]:
        """Those of these events that are folded."""
        asked = list(refs)
        self.mentions.look(asked)
        found = {ref: event for ref in asked if (event := self.mentions.found.get(ref)) is not None}
        return {ref: event for ref, event in found.items() if event.position <= self._folded(event)}

    def _folded(self, event: Recorded) -> int:
        return self.positions[partition_of(event.partition_key, len(self.positions))]
