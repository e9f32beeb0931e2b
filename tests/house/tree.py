"""What the house tests look at: the files of this project as git knows them, and their syntax trees."""

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("events", "projections", "services")
PACKAGES = (*FLOORS, "migrations", "examples")
UNLIMITED = {"golden", "data", "static", "versions"}
"""Folders that may grow: one file for each event version, table, picture or migration."""


@cache
def files() -> tuple[Path, ...]:
    """Every file that is, or is about to be, committed: tracked or not ignored; relative to the root."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    except (OSError, subprocess.CalledProcessError):
        return _walk()
    return tuple(sorted(Path(name) for name in set(names) if name and (ROOT / name).is_file()))


def _walk() -> tuple[Path, ...]:
    """The same for a tree without git, such as an unpacked archive."""
    left_out = {".venv", ".git", "__pycache__", "build", "dist"}
    found = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return tuple(sorted(path for path in found if not any(p in left_out or p.endswith("_cache") for p in path.parts)))


def modules(*tops: str) -> list[Path]:
    """The Python files, below the named top folders if any are named."""
    return [path for path in files() if path.suffix == ".py" and (not tops or path.parts[0] in tops)]


@cache
def text(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), filename=str(path))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The length of a function without its docstring and decorators: what a reader has to follow."""
    length = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        length -= (first.end_lineno or first.lineno) - first.lineno + 1
    return length
