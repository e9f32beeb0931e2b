"""`/v1/requirements`, `/v1/specs`, `/v1/policies`: what is required, written in numbered versions."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from events.errors import NotFound
from events.refs import ref_text
from events.rules import specs
from events.rules.policies import Policy
from events.rules.requirements import Requirement
from events.rules.specs import SpecState, SpecText
from events.rules.texts import TextState
from services.doors.answers import Json, etag
from services.doors.context import Here, acts, if_match, reads
from services.doors.once import once
from services.doors.paging import Page, listed
from services.doors.path import reference
from services.engine.book import Book, read_book
from services.engine.orders import Ordered, Orders, subject_of

router = APIRouter(prefix="/v1", tags=["review"])
Item = dict[str, Any]


def _book(here: Here) -> Book:
    """The rules in force now, from the log itself."""
    with here.connect() as connection:
        return read_book(connection, here.runtime.log.head())


def _seen(here: Here) -> int | None:
    """The version that a change names, if any."""
    return if_match(here.request) if "if-match" in here.request.headers else None


def _written(kind: str, made: Ordered) -> Json:
    subject = subject_of(made.model)
    body = {kind: subject, "version": made.version, "position": made.position}
    headers = {"ETag": etag(made.version), "Location": f"/v1/{kind}s/{subject}"}
    return Json(body, 201, headers, made.position)


@router.get("/requirements", summary="Requirements", response_model=Item)
def list_requirements(here: Annotated[Here, Depends(reads("read_requirements"))], page: Page) -> Json:
    """Every requirement in its newest version, also those withdrawn."""
    return Json(listed(sorted(_book(here).requirements.items()), page, lambda item: _requirement(*item)))


@router.get("/requirements/{requirement}", summary="One requirement", response_model=Item)
def read_requirement(here: Annotated[Here, Depends(reads("read_requirements"))], requirement: str) -> Json:
    """The requirement in its newest version; `ETag` names it."""
    name = reference(requirement)
    state = _book(here).requirements.get(name)
    if state is None:
        raise NotFound(f"There is no requirement {name}.")
    return Json(_requirement(name, state), headers={"ETag": etag(state.version)})


def _requirement(name: str, state: TextState) -> Item:
    text = dict(state.text or {})
    motor_type = ref_text(text["motor_type"]) if "motor_type" in text else None
    return {**text, "requirement": name, "motor_type": motor_type, "version": state.version, "in_force": state.in_force}


@router.post("/requirements", summary="Issue a requirement", status_code=201, response_model=Item)
def issue_requirement(here: Annotated[Here, Depends(acts("issue_requirement"))], body: Requirement) -> Json:
    """Issue a requirement, or revise it whole under `If-Match`. The first one also issues the shipped policy and
    sensitivities where none exist.
    """
    orders = Orders(here.runtime.log)
    return once(here, lambda: _written("requirement", orders.requirement(body, here.principal, _seen(here))))


@router.get("/specs", summary="Specifications", response_model=Item)
def list_specs(here: Annotated[Here, Depends(reads("read_specs"))], page: Page) -> Json:
    """Every specification in its newest revision."""
    return Json(listed(sorted(_book(here).specs.items()), page, lambda item: _spec(item[0], item[1].current or {})))


@router.get("/specs/{spec}", summary="One specification", response_model=Item)
def read_spec(
    here: Annotated[Here, Depends(reads("read_specs"))],
    spec: str,
    on: Annotated[date | None, Query(alias="date", description="What binds on this day; none: today.")] = None,
    lot: Annotated[str | None, Query(description="What binds for this lot (issuer:id).")] = None,
    serial: Annotated[str | None, Query(description="What binds for this motor (issuer:id).")] = None,
) -> Json:
    """The newest revision with all earlier ones, and the one that is effective on a date, for a lot or a motor."""
    name = reference(spec)
    state = _book(here).specs.get(name)
    if state is None or state.current is None:
        raise NotFound(f"There is no specification {name}.")
    day = on or here.runtime.clock().date()
    return Json(
        {
            **_spec(name, state.current),
            "revisions": [_spec(name, revision) for revision in state.revisions],
            "effective": _effective(state, name, day, lot, serial),
        },
        headers={"ETag": etag(state.version)},
    )


def _effective(state: SpecState, name: str, day: date, lot: str | None, serial: str | None) -> Item | None:
    bound = specs.effective(state, day, lot and reference(lot), serial and reference(serial))
    return None if bound is None else _spec(name, bound)


def _spec(name: str, text: Mapping[str, Any]) -> Item:
    suppliers = [ref_text(party) for party in text.get("suppliers") or ()]
    return {**text, "spec": name, "item": ref_text(text["item"]), "suppliers": suppliers}


@router.post("/specs", summary="Issue a specification", status_code=201, response_model=Item)
def issue_spec(here: Annotated[Here, Depends(acts("issue_spec"))], body: SpecText) -> Json:
    """Issue the first revision. Later ones follow from decided proposals, so that each names its evidence."""
    orders = Orders(here.runtime.log)
    return once(here, lambda: _written("spec", orders.specification(body, here.principal)))


@router.get("/policies", summary="The policy", response_model=Item)
def list_policies(here: Annotated[Here, Depends(reads("read_policies"))], page: Page) -> Json:
    """The constants in force; version 0 are the shipped ones, before anything was issued."""
    book = _book(here)
    shown = {**book.policy.model_dump(mode="json"), "policy": str(book.policy.policy), "version": book.policy_version}
    return Json(listed([(shown["policy"], shown)], page, lambda item: item[1]))


@router.post("/policies", summary="Issue or revise the policy", status_code=201, response_model=Item)
def write_policy(here: Annotated[Here, Depends(acts("issue_policy"))], body: Policy) -> Json:
    """Every constant that changes a number or a decision, whole; a revision under `If-Match`, by an approver."""
    orders = Orders(here.runtime.log)
    return once(here, lambda: _policy(orders, here, body))


def _policy(orders: Orders, here: Here, body: Policy) -> Json:
    made = orders.policy(body, here.principal, _seen(here))
    answer = {"policy": subject_of(made.model), "version": made.version, "position": made.position}
    return Json(answer, 201, {"ETag": etag(made.version)}, made.position)
