"""A pytest plugin: where CI=true a skipped or expected-to-fail test is a failure, so green means all ran."""

import os

import pytest


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and _in_ci():
        report.outcome = "failed"
        vars(report).pop("wasxfail", None)  # pytest counts no failure of a report that has it
        report.longrepr = f"{item.nodeid} was skipped; in CI nothing is: make the part available instead."


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and _in_ci():
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped whole; in CI nothing is: make the part available instead."
