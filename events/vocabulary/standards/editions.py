"""The editions of the standards that results and evidence cite, and which edition each one superseded."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from events.errors import Invalid


@dataclass(frozen=True, slots=True)
class Edition:
    """A standard with its current edition (domain dossier F.1); provenance `V` was seen in public, `K` recalled."""

    standard: str
    edition: str
    subject: str
    provenance: str
    superseded: tuple[str, ...] = ()


_EDITIONS = (
    Edition("IEC 60034-1", "2022", "rating and performance of rotating machines", "K"),
    Edition("IEC 60034-2-1", "2024", "losses and efficiency from tests", "K", ("2014",)),
    Edition("IEC 60034-2-2", "2024", "losses of large machines, supplementary", "V", ("2010",)),
    Edition("IEC 60034-2-3", "2024", "losses of converter-fed motors", "V", ("2020",)),
    Edition("IEC 60034-14", "2018", "mechanical vibration of machines", "V"),
    Edition("IEC 60034-30-1", "2025", "efficiency classes of line-operated motors", "V", ("2014",)),
    Edition("IEC TS 60034-30-2", "2016", "efficiency classes of variable-speed motors", "V"),
    Edition("IEC 60034-30-3", "2024", "efficiency classes of high-voltage motors", "V"),
    Edition("IEC 60404-5", "2015", "magnetic properties of hard materials, closed circuit", "K"),
    Edition("IEC 60404-8-1", "2023", "minimum properties of hard magnetic materials", "K", ("2015",)),
    Edition("IEC 60404-14", "2002", "magnetic dipole moment, withdrawal or rotation", "K"),
    Edition("IEC 60404-18", "2025", "open-circuit measurement in a superconducting magnet", "V", ("TR 63304:2021",)),
    Edition("IEC TR 61807", "1999", "hard magnetic materials at elevated temperature", "V"),
    Edition("IEC TR 62518", "2009", "stability of rare-earth magnets at elevated temperature", "V"),
    Edition("IEC 60085", "2007", "thermal evaluation and designation of insulation", "K"),
    Edition("ISO 20816-3", "2022", "vibration of industrial machines in service", "K"),
    Edition("ISO 21940-11", "2016", "balance quality of rigid rotors", "K"),
    Edition("ISO 22095", "2020", "chain of custody, terms and models", "V"),
    Edition("ISO 14253-1", "2017", "decision rules for conformity", "V", ("2013",)),
    Edition("JCGM 106", "2012", "measurement uncertainty in conformity assessment", "V"),
)

EDITIONS: Mapping[str, Edition] = {row.standard: row for row in _EDITIONS}


def find(standard: str) -> Edition:
    """The current edition of a standard. Raises Invalid naming the near matches."""
    found = EDITIONS.get(standard)
    if found is None:
        near = ", ".join(get_close_matches(standard, EDITIONS, n=3, cutoff=0.6)) or "IEC 60034-2-1, ISO 22095"
        raise Invalid(f"The standard '{standard}' is not in the table; near matches: {near}.", standard=standard)
    return found
