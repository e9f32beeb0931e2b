"""All pages together: their routers, their filters, their place in the navigation."""

from fastapi import APIRouter

from services.doors.pages import cases, feed, log, lots, motors, specs
from services.doors.pages.environment import NAVIGATION, Tab, environment
from services.doors.pages.filters import FILTERS

REVIEWERS = frozenset({"engineer", "approver", "auditor", "admin"})

ROUTERS: tuple[APIRouter, ...] = (cases.router, specs.router, lots.router, motors.router, feed.router, log.router)

environment().filters.update(FILTERS)
NAVIGATION.extend(
    [
        Tab("/", "Proposals", REVIEWERS),
        Tab("/specs", "Specifications", REVIEWERS),
        Tab("/lots", "Lots", REVIEWERS),
        Tab("/feed", "Feed", REVIEWERS | {"supplier"}),
        Tab("/audit", "Log", REVIEWERS),
        Tab("/docs", "Calls"),
    ]
)
