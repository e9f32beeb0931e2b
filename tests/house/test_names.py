"""Names say what a thing is, nothing names this machine, and `events` is ours."""

import ast
import re

import pytest

import events
from tests.house.tree import PACKAGES, ROOT, files, modules, text, tree

VAGUE = re.compile(r"(?:^|_)(manager|helper|helpers|util|utils|misc)(?:_|$)|(?:Manager|Helper|Util|Utils)(?=[A-Z]|$)")
MACHINE = re.compile(
    r"/(?:work|farm)/[a-z]|/(?:home|Users)/[A-Za-z]\w*/|/tmp/brief|\bpypi\.org\b|files\.pythonhosted|--(?:extra-)?index-url"
)
OUTSIDE = {"tests/house/test_names.py", "tests/house/test_strict.py", "tests/house/test_dependencies.py"}


def _names(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def test_the_name_events_is_ours_and_not_the_package_of_that_name():
    assert events.__file__ is not None
    assert events.__file__ == str(ROOT / "events" / "__init__.py")


@pytest.mark.parametrize("name", ["StoreManager", "db_utils", "helper_for_x", "util"])
def test_a_vague_name_is_recognised(name):
    assert VAGUE.search(name)


def test_no_name_is_vague():
    vague = [f"{path}: {name}" for path in modules() for name in (path.stem, *_names(path)) if VAGUE.search(name)]
    assert vague == []


def test_no_file_names_a_path_of_a_machine_or_a_registry():
    found = []
    for path in files():
        if str(path) in OUTSIDE or path.suffix in {".png", ".ico", ".woff2"}:
            continue
        found += [f"{path}: {match[0]}" for match in MACHINE.finditer(text(path))]
    assert found == []


def test_the_lower_floors_print_nothing_and_take_no_time_or_chance():
    wrong = []
    for path in modules("events", "projections"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and _called(node) in IMPURE:
                wrong.append(f"{path}:{node.lineno} {_called(node)}")
    assert wrong == []


IMPURE = {
    "print", "input", "open", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4",
    "np.random.seed", "np.random.default_rng", "random.default_rng", "default_rng",
}  # fmt: skip


def _called(node):
    return ast.unparse(node.func)


OUTERMOST = ("services/worker.py", "services/store/log/writer.py")
"""The worker's loop outlives what it runs; the log's writer hands whatever it met to the caller it belongs to."""


def test_nobody_catches_everything_but_the_worker_and_the_writer():
    wrong = []
    for path in modules(*PACKAGES):
        for node in ast.walk(tree(path)):
            if not isinstance(node, ast.ExceptHandler) or str(path) in OUTERMOST:
                continue
            if node.type is None or _broad(node.type):
                wrong.append(f"{path}:{node.lineno}")
    assert wrong == []


def _broad(kind):
    names = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"} for name in names)


def test_nothing_is_left_unfinished():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|\bNotImplementedError\b")
    found = [f"{path}: {match[0]}" for path in modules(*PACKAGES) for match in marks.finditer(text(path))]
    assert found == []


def test_no_test_is_skipped_or_uses_a_mock():
    skips = r"pytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\b"
    marks = re.compile(skips + r"|unittest\.mock|MagicMock|monkeypatch\.setattr")
    found = []
    for path in modules("tests"):
        if str(path) not in OUTSIDE:
            found += [f"{path}: {match[0]}" for match in marks.finditer(text(path))]
    assert found == []
