"""Parties: suppliers, laboratories, bench owners and manufacturers, with their sites."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from events.facts.base import Fact, Text
from events.refs import Name, Ref
from events.vocabulary.quantities import Plain

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
PartyKind = Literal["supplier", "laboratory", "bench_owner", "manufacturer"]


class Site(Plain):
    """A place where the party works; country by ISO 3166-1 alpha-2."""

    site: Name
    country: Country


class PartyRegistered(Fact):
    """A supplier, laboratory, bench owner or manufacturer is known. It issues ids under `party.id`."""

    party: Ref
    name: Text
    kinds: Annotated[tuple[PartyKind, ...], Field(min_length=1)]
    sites: tuple[Site, ...] = ()
    contact: Text | None = None


class PartyRetired(Fact):
    """The party is no longer dealt with."""

    party: Ref
    reason: Text
