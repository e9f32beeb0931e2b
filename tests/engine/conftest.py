"""Fixtures of the engine's tests: a service with a small plant, folded and ready to decide."""

import pytest

from services.store.database import Database
from tests.engine.story import Story, story
from tests.inference.plants import made, requirement
from tests.inference.test_assess import specs


@pytest.fixture
def low_coercivity(database: Database) -> Story:
    """A plant with one lot of low coercivity after a recorded change of source, and a requirement on flux loss."""
    found = story(database)
    for text in specs():
        found.specify(text)
    found.order(requirement("motor.dpsi_irr"))
    found.facts(made("low_hcj").events)
    return found
