"""Notices as the engine issues them, put into a party's feed."""

from events.receive import Origin, draft
from events.rules.notices import NoticeIssued
from services.store.log import Append


def notice(party, number):
    """The notice `<party>-n<number>`."""
    return NoticeIssued.model_validate(
        {
            "notice": f"{party}-n{number}",
            "party": {"issuer": party, "id": party},
            "spec": {"issuer": "plant", "id": "S-1"},
            "revision": 2,
            "previous_revision": 1,
            "level": "magnet",
            "item": {"issuer": "plant", "id": "SEG-1"},
            "changes": [
                {
                    "characteristic": "magnet.HcJ",
                    "old": {"lower": 1750, "unit": "kA/m"},
                    "new": {"lower": 1900, "unit": "kA/m"},
                    "direction": "tightened",
                }
            ],
            "reason": "Soak results.",
            "effectivity": {"date": "2026-06-01"},
            "run_out": "Stock may be used up.",
            "respond_by": "2026-04-01",
        }
    )


def tell(log, party, *numbers):
    """Append notices to a party's feed."""
    origin = Origin("/services/review", "2026-03-01T08:00:00.000000Z")
    drafts = tuple(draft(notice(party, n), id=f"{party}-{n}", origin=origin) for n in numbers)
    log.append(Append(drafts))
