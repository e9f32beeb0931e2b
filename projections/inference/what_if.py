"""What-if in first form: proposed limits run over the recorded lots; which would have been stopped, at what price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from projections.inference.chain.properties import Properties
from projections.inference.conclusions import Limit


@dataclass(frozen=True, slots=True)
class Bound:
    """Limits on the true value of one characteristic, canonical unit; None: open on that side."""

    characteristic: str
    lower: float | None = None
    upper: float | None = None


def bounds_of(limits: Sequence[Limit]) -> tuple[Bound, ...]:
    """The concluded limits as bounds."""
    return tuple(
        Bound(item.characteristic, item.value, None)
        if item.side == "lower"
        else Bound(item.characteristic, None, item.value)
        for item in limits
    )


def what_if(
    bounds: Sequence[Bound], lots: Sequence[str], bad: Sequence[str], known: Properties, supplier: Mapping[str, str]
) -> dict[str, object]:
    """Which recorded lots the bounds would have stopped; bad ones caught or missed, good ones lost; by supplier.

    A lot is stopped when a certified value lies beyond a bound; `doubtful` lots lie within twice their uncertainty
    of a bound that they meet; `unmeasured` lots lack at least one bounded characteristic and break none.
    """
    rows = [_row(lot, bounds, known) for lot in sorted(lots)]
    stopped = [str(row["lot"]) for row in rows if row["stopped_by"]]
    return {
        "lots": len(rows),
        "bounds": [{"characteristic": b.characteristic, "lower": b.lower, "upper": b.upper} for b in bounds],
        "stopped": stopped,
        "caught": [lot for lot in stopped if lot in bad],
        "missed": [lot for lot in sorted(bad) if lot not in stopped],
        "good_lost": [lot for lot in stopped if lot not in bad],
        "doubtful": [row["lot"] for row in rows if row["doubtful"] and not row["stopped_by"]],
        "unmeasured": [row["lot"] for row in rows if row["unmeasured"] and not row["stopped_by"]],
        "by_supplier": _by_supplier(rows, stopped, bad, supplier),
        "by_lot": rows,
    }


def _row(lot: str, bounds: Sequence[Bound], known: Properties) -> dict[str, object]:
    stopped_by, doubtful, unmeasured = [], [], []
    for bound in bounds:
        found = known.get(lot, {}).get(bound.characteristic)
        if found is None:
            unmeasured.append(bound.characteristic)
            continue
        room = min(
            found.value - bound.lower if bound.lower is not None else float("inf"),
            bound.upper - found.value if bound.upper is not None else float("inf"),
        )
        if room < 0.0:
            stopped_by.append(bound.characteristic)
        elif room < 2.0 * found.u:
            doubtful.append(bound.characteristic)
    return {"lot": lot, "stopped_by": stopped_by, "doubtful": doubtful, "unmeasured": unmeasured}


def _by_supplier(
    rows: Sequence[Mapping[str, object]], stopped: Sequence[str], bad: Sequence[str], supplier: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        lot = str(row["lot"])
        own = counts.setdefault(supplier.get(lot, "unknown"), {"lots": 0, "stopped": 0, "caught": 0, "good_lost": 0})
        own["lots"] += 1
        own["stopped"] += lot in stopped
        own["caught"] += lot in stopped and lot in bad
        own["good_lost"] += lot in stopped and lot not in bad
    return dict(sorted(counts.items()))
