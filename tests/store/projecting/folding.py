"""A projector on the counting projection, and its rows in either home, for the tests of projecting."""

from itertools import count

from msgspec.structs import asdict
from sqlalchemy import select

from services.store.log import Append
from services.store.projecting import generations
from services.store.projecting.projector import Projector
from services.store.projecting.shapes import stored_table
from tests.folds.dictionaries import fold_all
from tests.store.projecting.counting import COUNTING

SIZE = 500
"""Events in a page here."""
_owners = count(1)


def projecting(log, *projections, owner=None):
    made = Projector(log.database, log, projections or (COUNTING,), owner or f"test-{next(_owners)}", page=SIZE)
    made.prepare()
    return made


def append(log, *drafts):
    log.append(Append(tuple(drafts)))


def rows_of(projector, row_type):
    """The rows as readers see them, by key."""
    with projector.database.connect() as connection:
        found = connection.execute(select(projector.table(row_type))).mappings().all()
    return {row[row_type.__key__[0]]: dict(row) for row in found}


def stored(projector, row_type):
    """The rows as they are stored, numbers as they were written."""
    (projection,) = projector.projections.values()
    with projector.database.connect() as connection:
        at = generations.locked(connection, projection.name)
        found = connection.execute(select(stored_table(projection, row_type, at.generation))).mappings().all()
    return {row[row_type.__key__[0]]: dict(row) for row in found}


def in_dictionaries(log, projection=COUNTING):
    return fold_all(projection, log.read(0, 100_000))


def seen(rows, row_type):
    return {
        key[0]: {name: _listed(value) for name, value in asdict(row).items()}
        for key, row in rows.tables[row_type].items()
    }


def _listed(value):
    return [_listed(item) for item in value] if isinstance(value, (tuple, list)) else value
