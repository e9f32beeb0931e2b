"""Lots from ore to magnet: their inputs, process records, certificates and inspections."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from events.facts.base import Custody, Fact, Moment, Text
from events.refs import Name, Ref
from events.vocabulary.keys import CharacteristicKey, check_unit
from events.vocabulary.quantities import Mass, Measured, Plain, Temperature

Level = Literal["ore", "concentrate", "oxide", "metal", "alloy", "powder", "magnet"]
Stage = Literal[
    "separation", "reduction", "melt", "hydrogen_decrepitation", "jet_mill", "press", "sinter", "anneal",
    "grain_boundary_diffusion", "machine", "coat", "magnetise", "stabilise", "store", "bond",
]  # fmt: skip
FRACTION_CEILING = 1.005
"""Mass fractions of one lot's inputs may sum to this at most (domain.md 0.3: tolerance 0.5 %)."""


class LotInput(Plain):
    """One parent lot and its share of this lot's mass."""

    lot: Ref
    mass_fraction: Annotated[float, Field(gt=0, le=1)]
    custody_model: Custody = "identity_preserved"


class LotFact(Fact):
    lot: Ref

    def owner(self) -> str | None:
        return self.lot.issuer


class LotRegistered(LotFact):
    """A lot was made: what, by whom, where, from which lots in which mass fractions (ISO 22095 custody)."""

    level: Level
    item: Ref | None = None
    supplier: Ref
    site: Name
    produced_at: Moment
    quantity: Mass | None = None
    pieces: Annotated[int, Field(gt=0)] | None = None
    custody_model: Custody = "identity_preserved"
    inputs: tuple[LotInput, ...] = ()

    @model_validator(mode="after")
    def _inputs_are_possible(self) -> Self:
        if any(part.lot == self.lot for part in self.inputs):
            raise PydanticCustomError("inputs", "the lot {lot} names itself as an input", {"lot": str(self.lot)})
        names = [str(part.lot) for part in self.inputs]
        if len(set(names)) < len(names):
            raise PydanticCustomError("inputs", "an input lot is named twice; add its fractions up")
        total = sum(part.mass_fraction for part in self.inputs)
        if total > FRACTION_CEILING:
            raise PydanticCustomError(
                "inputs", "the mass fractions sum to {total}; they may not pass 1.005", {"total": round(total, 6)}
            )
        return self


class Reading(Plain):
    """One characteristic of a lot as measured; `temperature` where it is not the reference 20 °C."""

    characteristic: CharacteristicKey
    value: Measured
    temperature: Temperature | None = None
    statistic: Literal["lot_mean", "each_piece", "minimum", "standard_deviation"] = "lot_mean"
    n: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _unit_fits(self) -> Self:
        check_unit(self.characteristic, self.value.unit)
        return self


class ProcessRecorded(LotFact):
    """A process stage of the lot with its parameters."""

    stage: Stage
    performed_at: Moment
    equipment: Name | None = None
    parameters: Annotated[tuple[Reading, ...], Field(min_length=1)]


class LotCertified(LotFact):
    """A certificate for the lot: laboratory, method, measurements with uncertainty."""

    certificate: Name
    laboratory: Ref
    method: Text
    measurements: Annotated[tuple[Reading, ...], Field(min_length=1)]


class CertificateCorrected(LotFact):
    """A certificate is replaced by a corrected one; the latest by time holds."""

    certificate: Name
    laboratory: Ref
    method: Text
    measurements: Annotated[tuple[Reading, ...], Field(min_length=1)]
    reason: Text


class IncomingInspected(Fact):
    """The receiver's own measurements of a delivered lot."""

    lot: Ref
    laboratory: Ref
    method: Text
    measurements: Annotated[tuple[Reading, ...], Field(min_length=1)]


class LotWithdrawn(LotFact):
    """The lot is taken back by its supplier."""

    reason: Text
