"""Alerts and dashboard: what they ask for exists, promtool agrees, and each alert says what to do."""

import json
import re
import subprocess
from functools import cache
from shutil import which
from typing import Any

import pytest
import yaml

from services.measurements.catalogue import METRICS, STANDARD
from tests.house.tree import ROOT

DOCS = ROOT / "docs"
BOARD: dict[str, Any] = json.loads((DOCS / "grafana.json").read_text(encoding="utf-8"))
GROUPS = yaml.safe_load((DOCS / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
RULES = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
NAME = re.compile(r"(?<![\w:$])((?:lodestone|http_server|db_client|kafka|process|python)_\w+)(?=[{)\[\s,]|$)")
LABEL_OR_VALUE = re.compile(r'by \([^)]*\)|on \([^)]*\)|"[^"]*"|\w+\s*(?:=~|!=|!~|=)')


@cache
def promtool() -> str:
    """`make test` brings it (.ci/promtool); a missing one fails and is never passed over."""
    found = which("promtool", path=str(ROOT / ".venv" / "bin")) or which("promtool")
    assert found, "There is no promtool; type: .ci/promtool .venv/bin"
    return found


def checked(*arguments: str) -> None:
    done = subprocess.run([promtool(), *arguments], cwd=DOCS, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def named(query: str) -> set[str]:
    """The measurements that a query asks for, as the catalogue calls them."""
    found = set()
    for name in NAME.findall(LABEL_OR_VALUE.sub(" ", query)):
        whole = re.sub(r"_(bucket|sum|count)$", "", name)
        found.add(whole if name not in METRICS and whole in METRICS else name)
    return found


def test_promtool_accepts_the_rules_and_they_fire_when_they_should_and_only_then():
    checked("check", "rules", "alerts.yaml")
    checked("test", "rules", "alerts.test.yaml")


def test_every_alert_is_seen_to_fire_once():
    tests = yaml.safe_load((DOCS / "alerts.test.yaml").read_text(encoding="utf-8"))["tests"]
    expected = [
        sample["labels"] for test in tests for one in test["promql_expr_test"] for sample in one.get("exp_samples", ())
    ]
    assert set(re.findall(r'alertname="(\w+)"', " ".join(expected))) == set(RULES)


def test_grafana_s_queries_are_queries(tmp_path):
    """As recording rules, with Grafana's own variables filled in, promtool reads them all."""
    filled = [query.replace("$__rate_interval", "5m").replace("$job", ".*") for query in QUERIES]
    rules = [{"record": f"panel:query:{number}", "expr": query} for number, query in enumerate(filled)]
    path = tmp_path / "panels.yaml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), encoding="utf-8")
    checked("check", "rules", "--lint=none", str(path))


@pytest.mark.parametrize("query", [*QUERIES, *(rule["expr"] for rule in RULES.values())])
def test_every_measurement_that_is_asked_for_exists(query):
    known = {name for name in named(query) if name in METRICS or name.startswith(STANDARD)}
    assert named(query) == known
    assert known or "up{" in query


def test_the_names_of_a_query_are_found():
    assert named('sum by (process_x) (rate(lodestone_commit_events_sum{job="process_y", db_client_z="a"}[5m]))') == {
        "lodestone_commit_events"
    }
    assert named("lodestone_nothing_total / db_client_connection_count") == {
        "lodestone_nothing_total",
        "db_client_connection_count",
    }


def test_the_dashboard_imports_into_a_current_grafana():
    assert BOARD["schemaVersion"] >= 39
    assert BOARD["id"] is None and BOARD["uid"] == "lodestone"
    variables = {one["name"]: one for one in BOARD["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    rows = [panel["title"] for panel in BOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Doors", "Log", "Projections", "Seal", "Kafka in", "Kafka out", "Database", "People"]
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
        assert panel["description"] and panel["targets"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], panel["title"]
        assert all("$job" in target["expr"] for target in panel["targets"]), panel["title"]


def test_no_two_panels_lie_over_each_other():
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert (x, y) not in taken, f"{panel['title']} over {taken[x, y]}"
                taken[x, y] = panel["title"]


def test_every_alert_has_a_runbook_of_three_lines_and_says_how_bad_it_is():
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    for name, rule in RULES.items():
        section = re.search(rf"^### {name}\n\n(.*?)(?=^#|\Z)", text, flags=re.MULTILINE | re.DOTALL)
        assert section, f"{name} has no section in docs/operations.md"
        assert [line.split(":")[0] for line in section[1].strip().splitlines()] == [
            "- **Means**",
            "- **Do**",
            "- **Then**",
        ], name
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    headings = re.findall(r"^### (Lodestone\w+)$", text, flags=re.MULTILINE)
    assert headings == list(RULES)


def row(name: str) -> str:
    """How a measurement stands in the table of docs/operations.md."""
    metric = METRICS[name]
    labels = ", ".join(f"`{label}`" for label in (*metric.labels, *(["process"] if metric.reported else [])))
    return f"| `{name}` | {metric.kind} | {labels or '—'} | {metric.says} |"


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_measurement_is_documented(name):
    assert row(name) in (DOCS / "operations.md").read_text(encoding="utf-8").splitlines()
