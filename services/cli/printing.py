"""Printing: words for people on standard error, results on standard output, progress on a terminal."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of words.")]

_people = Console(stderr=True, highlight=False, soft_wrap=True)


def words(text: str) -> None:
    """A line for people."""
    _people.print(text, markup=False)


def result(value: Mapping[str, Any], as_json: bool) -> None:
    """A result: JSON, or a line for each entry."""
    if as_json:
        print_line(json.dumps(value, ensure_ascii=False))
        return
    for name, part in value.items():
        if isinstance(part, Mapping):
            print_line(f"{name}:")
            for key, item in part.items():
                print_line(f"  {key}: {_in_line(item)}")
        else:
            print_line(f"{name}: {part}")


def _in_line(item: Any) -> str:
    """Something nested, on one line; what is not known is left out."""
    if isinstance(item, Mapping):
        return ", ".join(f"{name} {_in_line(part)}" for name, part in item.items() if part is not None)
    if isinstance(item, list):
        return "; ".join(_in_line(part) for part in item) or "none"
    return str(item)


def print_line(text: str) -> None:
    """A line of the result."""
    sys.stdout.write(text + "\n")


@contextmanager
def bar(label: str, total: int | None) -> Iterator[Progress]:
    """A progress bar on standard error; silent where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_people, disable=not _people.is_terminal) as progress:
        progress.add_task(label, total=total)
        yield progress
