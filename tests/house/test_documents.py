"""The documents under test: what they name exists, what they link to is there."""

import os
import re
import subprocess
import sys
from functools import cache

import pytest
import yaml

from tests.house.tree import FLOORS, ROOT, files, modules

DOCUMENTS = [str(path) for path in files() if path.suffix == ".md" and path.parts[0] in {"docs", path.name}]


GROUPS = {"keys", "link", "token"}
"""Commands that hold commands."""


def _text(document):
    return (ROOT / document).read_text(encoding="utf-8")


def _code(document):
    """What stands in code: fenced blocks without their comments, and spans."""
    text = _text(document)
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [line.split(" #")[0] for block in (*fenced, *spans) for line in block.splitlines()]


def _commands():
    """Each `lodestone …` of the documents: the words of the command, and its options."""
    found: dict[str, set[str]] = {}
    for document in DOCUMENTS:
        for line in _code(document):
            for tail in re.findall(r"(?:^|[(\s/])lodestone ((?:[a-z]+\b ?)[^|)>&`]*)", line):
                words = " ".join(tail.split()[: 2 if tail.split()[0] in GROUPS else 1])
                found.setdefault(words, set()).update(re.findall(r"--[a-z-]+", tail))
    for service in yaml.safe_load(_text("docker-compose.yml"))["services"].values():
        if "build" in service:
            words, *options = service["command"]
            found.setdefault(words, set()).update(options)
    return found


@cache
def _help(words):
    """The help of a command as the command line prints it."""
    call = [sys.executable, "-c", "from services.cli import main; main()", *words.split(), "--help"]
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}
    outcome = subprocess.run(call, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def test_the_documents_name_the_two_commands():
    assert {"make run", "make test"} <= set(re.findall(r"make [a-z]+", _text("README.md")))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_named_exists(document):
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), flags=re.MULTILINE))
    named = {match for line in _code(document) for match in re.findall(r"(?:^|[\s`;&])make ([a-z]+)", line)}
    assert named - targets == set()


@pytest.mark.parametrize("words", sorted(_commands()))
def test_every_lodestone_command_that_is_named_exists_with_its_options(words):
    text = _help(words)
    assert {option for option in _commands()[words] if option not in text} == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_to_a_file_leads_somewhere(document):
    folder = (ROOT / document).parent
    links = re.findall(r"\]\(([^)#\s]+)", _text(document))
    assert [link for link in links if "://" not in link and not (folder / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_is_named_exists(document):
    tops = "|".join((*FLOORS, "migrations", "examples", "tests", "docs"))
    spans = [span for line in _code(document) for span in re.findall(rf"(?<![\w./:-])(?:{tops})/[\w./-]*\w", line)]
    missing = [span for span in spans if not (ROOT / span).exists() and not (ROOT / f"{span}.py").exists()]
    assert missing == []


def test_every_room_stands_in_the_architecture():
    rooms = {"/".join(path.parts[:2]) for path in modules(*FLOORS) if len(path.parts) > 2}
    text = _text("ARCHITECTURE.md")
    assert [room for room in sorted(rooms) if f"`{room}`" not in text] == []


def test_every_make_target_explains_itself():
    makefile = _text("Makefile")
    tools = {"browser", "compose", "kafka", "promtool"}
    phony = set(re.findall(r"^\.PHONY: ([a-z]+)", makefile, flags=re.MULTILINE)) - tools
    assert phony - set(re.findall(r"^([a-z]+):.*## .+", makefile, flags=re.MULTILINE)) == set()


def test_the_changelog_has_an_unreleased_section_with_something_in_it():
    assert re.search(r"^## \[Unreleased\]\n\n### \w+\n\n- ", _text("CHANGELOG.md"), flags=re.MULTILINE)


def test_every_tool_of_ours_in_the_ci_folder_can_be_run():
    scripts = [path for path in files() if path.parts[0] == ".ci"]
    assert scripts
    assert [str(path) for path in scripts if not os.access(ROOT / path, os.X_OK)] == []
