"""Versions of a fact: a log of an earlier release, the same facts in the newest version, and any mixture fold alike."""

import hashlib
from pathlib import Path
from typing import Any

import orjson
import pytest
from msgspec.structs import asdict, replace

from events.canonical import canonical
from events.catalogue import newest, upcast
from events.envelope import Recorded, decode
from events.facts.earlier import vibration_v2
from projections.folds import all_projections
from projections.folds.audit import AUDIT, AuditEntry
from projections.folds.correlation import CORRELATION, CrossSum, MotorResults, ResultGroup
from projections.folds.memory import digested
from tests.folds.dictionaries import DictRows, fold_all, state_digest
from tests.folds.plants import golden, recorded
from tests.golden.pins import example

DATA = Path(__file__).parent / "data"
EXPORT = DATA / "before_vibration_v2.ndjson"
"""Exported by the release that knew version 1 only: it says its band, leaves it out, or has it upside down."""
DIGESTS = DATA / "before_vibration_v2.digests.json"
"""What `lodestone digest --json` of that release said of it."""
V1 = "lodestone.tests.vibration_measured.v1"
by_name = pytest.mark.parametrize("projection", all_projections(), ids=lambda one: one.name)


def stored() -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in EXPORT.read_bytes().splitlines()]


def rewritten(event: dict[str, Any]) -> dict[str, Any]:
    if event["type"] != V1:
        return event
    return {**event, "type": newest("tests.vibration_measured"), "data": vibration_v2(event["data"])}


def read(events: list[dict[str, Any]]) -> list[Recorded]:
    return [upcast(decode(position, orjson.dumps(event))) for position, event in enumerate(events, 1)]


def pinned(name: str) -> str:
    return str(orjson.loads(DIGESTS.read_bytes())["digests"][name])


@by_name
def test_a_log_of_an_earlier_release_folds_to_the_digests_that_it_had_there(projection):
    rows = fold_all(projection, read(stored()))
    if projection is AUDIT:
        # That release kept the version of the type in this one column; all of them were first versions.
        rows = with_version(rows, ".v1")
    tables = correlation_as_it_was(rows) if projection is CORRELATION else state_of(rows)
    assert digest_as_it_was(tables) == pinned(projection.name)


Tables = dict[str, list[dict[str, Any]]]


def digest_as_it_was(tables: Tables) -> str:
    """The digest as that release made it: over the rows themselves, not over their hashes."""
    total = hashlib.sha256()
    for name, table in sorted(tables.items()):
        total.update(name.encode() + b"\x00" + b"\x00".join(sorted(map(canonical, table))) + b"\x01")
    return total.hexdigest()


def state_of(rows: DictRows) -> Tables:
    """What digests cover, by the name of the row type."""
    picked = {kind: [digested(kind)(asdict(row)) for row in table.values()] for kind, table in rows.tables.items()}
    return {kind.__name__: [one for one in found if one is not None] for kind, found in picked.items()}


def correlation_as_it_was(rows: DictRows) -> Tables:
    """The rows as that release kept them: groups by their whole name, what follows beside the claims."""
    fields = ("motor_type", "metric", "condition", "selection", "pieces", "repeats")
    names = {
        row.group: canonical({name: getattr(row, name) for name in fields}).decode()
        for row in rows.tables[ResultGroup].values()
    }
    built = ("motor", "motor_type", "built", "built_at", "stator_batch", "rotors")
    kept = (*built, "tests", "results", "counted", "waiting")
    return {
        "CorrelationClaims": [],
        "CorrelationFate": [],
        "CrossSum": [{**asdict(row), "group": names[row.group]} for row in rows.tables[CrossSum].values()],
        "MotorResults": [
            {name: getattr(row, name) for name in kept} for row in rows.tables[MotorResults].values() if not row.empty
        ],
        "ResultGroup": [{**asdict(row), "group": names[row.group]} for row in rows.tables[ResultGroup].values()],
    }


def with_version(rows: DictRows, version: str) -> DictRows:
    found = DictRows([AuditEntry])
    for row in rows.tables[AuditEntry].values():
        found.put(replace(row, type=row.type + version))
    return found


@by_name
def test_the_same_facts_in_the_newest_version_and_in_a_mixture_give_the_same_state(projection):
    old = stored()
    new = [rewritten(event) for event in old]
    assert sum(event["type"] == V1 for event in old) > 10 and not any(event["type"] == V1 for event in new)
    mixed = [(old, new)[position % 2][position] for position in range(len(old))]
    digests = {state_digest(fold_all(projection, read(events))) for events in (old, new, mixed)}
    assert len(digests) == 1


@by_name
def test_the_golden_examples_of_both_versions_tell_the_same_result(projection):
    first, second = example(V1), example(newest("tests.vibration_measured"))
    second["data"]["standard"] = first["data"]["standard"]
    same = [{**one, "id": "x", "source": "/benches/T-3"} for one in (first, second)]
    before = [one for one in golden() if "vibration" not in one.type]
    states = []
    for one in same:
        told = replace(recorded([one])[0], position=len(before) + 1)
        states.append(state_digest(fold_all(projection, [*before, told])))
    assert states[0] == states[1]


@by_name
def test_a_projection_names_newest_versions_only(projection):
    assert V1 not in projection.types
