"""A release that folds a projection differently: what its doors say until that is there."""

from dataclasses import replace
from typing import ClassVar

from projections.folds import all_projections
from projections.folds.fold import Row
from projections.folds.lifetimes import LIFETIMES
from services.store.projecting.projector import Projector
from tests.doors.facts import built
from tests.doors.service import post

BEFORE, AFTER = LIFETIMES.version, LIFETIMES.version + 1


class MotorLife(Row, frozen=True):
    """A row of another shape than the release before made."""

    motor: str
    whatever: int

    __key__: ClassVar[tuple[str, ...]] = ("motor",)


def raised(service, **changes):
    """The doors and the worker of the next release, on the database of the one that `service` is."""
    post(service.client("manufacturing", source_prefix="/manufacturing/plant"), built("M1"))
    service.fold()
    service.projector.let_go()
    newer = replace(LIFETIMES, version=AFTER, **changes)
    others = [one for one in all_projections() if one.name != "lifetimes"]
    service.runtime.projector = Projector(service.database, service.log, (*others, newer), "newer")
    service.runtime.projector.prepare()
    return service.runtime.projector


def test_rows_of_the_version_before_are_shown_with_their_position_and_ready_says_how_far_the_next_is(service):
    projector, person = raised(service), service.client("auditor")
    answer = person.get("/readyz").json()
    assert answer["status"] == "degraded" and answer["parts"]["projections"]["ready"]
    words = f"lifetimes is being folded for this release (version {AFTER}), up to position 0 of {service.log.head()}"
    assert words in answer["degraded"]["projections"]
    seen = str(service.projector.position())
    assert person.get("/v1/motors/plant:M1/trace").headers["Lodestone-Position"] == seen
    shown = person.get("/v1/status").json()["projections"]["lifetimes"]
    assert (shown["version"], shown["folding"]) == (BEFORE, {"version": AFTER, "position": 0})
    assert projector.catch_up()
    assert "folding" not in person.get("/v1/status").json()["projections"]["lifetimes"]
    assert "lifetimes is being folded" not in person.get("/readyz").text


def test_a_release_that_cannot_read_them_is_not_ready_and_answers_503_until_its_own_are_there(service):
    projector = raised(service, row_types=(MotorLife,), together=lambda events, rows: None)
    person = service.client("auditor")
    answer = person.get("/readyz")
    assert answer.status_code == 503
    assert f"nobody here reads those of version {BEFORE}" in answer.json()["parts"]["projections"]["detail"]
    refused = person.get("/v1/motors/plant:M1/trace")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    projector.catch_up()
    assert person.get("/v1/motors/plant:M1/trace").status_code != 503
