"""Pure folds over keyed rows: events in, rows out; a fold does not know where rows live. Sees mathematics only."""

from projections.folds.audit import AUDIT
from projections.folds.cases import CASES
from projections.folds.certificates import CERTIFICATES
from projections.folds.correlation import CORRELATION
from projections.folds.feeds import FEEDS
from projections.folds.fold import Projection
from projections.folds.genealogy import GENEALOGY
from projections.folds.lifetimes import LIFETIMES
from projections.folds.specbook import SPECBOOK


def all_projections() -> tuple[Projection, ...]:
    """Every projection that a worker keeps up with the log."""
    return (GENEALOGY, CERTIFICATES, SPECBOOK, CORRELATION, LIFETIMES, CASES, FEEDS, AUDIT)
