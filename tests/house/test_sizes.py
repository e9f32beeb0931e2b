"""Nothing grows past what one reader holds in mind: files, functions, folders."""

from collections import Counter

from tests.house.tree import ROOT, UNLIMITED, files, functions, lines, modules, text

FILE_LINES = 300
FUNCTION_LINES = 40
FOLDER_MODULES = 15
FOLDER_FILES = 25


def test_no_python_file_is_longer_than_300_lines():
    long = {str(path): len(text(path).splitlines()) for path in modules() if "golden" not in path.parts}
    assert {name: count for name, count in long.items() if count > FILE_LINES} == {}


def test_no_function_is_longer_than_40_lines():
    long = {
        f"{path}:{node.lineno} {node.name}": lines(node)
        for path in modules()
        if not path.match("migrations/versions/*")
        for node in functions(path)
        if lines(node) > FUNCTION_LINES
    }
    assert long == {}


def test_no_folder_holds_15_python_modules():
    count = Counter(
        str(path.parent) for path in modules() if path.name != "__init__.py" and not UNLIMITED & {*path.parts}
    )
    assert {folder: number for folder, number in count.items() if number >= FOLDER_MODULES} == {}


def test_no_folder_is_crowded():
    count = Counter(str(path.parent) for path in files() if not UNLIMITED & {*path.parts} and "cases" not in path.parts)
    assert {folder: number for folder, number in count.items() if number > FOLDER_FILES} == {}


def test_the_top_of_the_tree_holds_only_what_the_ecosystem_expects():
    expected = {
        ".ci", ".dockerignore", ".env.example", ".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md",
        "Dockerfile", "LICENSE", "Makefile", "README.md", "docker-compose.yml", "docs", "events", "examples",
        "migrations", "projections", "pyproject.toml", "requirements.lock", "services", "tests",
    }  # fmt: skip
    assert {path.parts[0] for path in files()} - expected == set()
    assert ROOT.is_dir()
