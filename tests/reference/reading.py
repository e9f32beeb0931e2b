"""A case as the tasks see it: its parameters, its tables with exact numbers, and the names that are asked for."""

import ast
import csv
import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

Answers = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """A CSV file: columns of strings."""

    columns: dict[str, list[str]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def text(self, name: str) -> list[str]:
        return self.columns[name]

    def exact(self, name: str) -> list[Fraction]:
        """The decimal strings as rationals."""
        return [Fraction(value) for value in self.columns[name]]

    def number(self, name: str) -> list[float]:
        return [float(value) for value in self.columns[name]]

    def get(self, name: str | None, default: str) -> list[str]:
        return self.columns.get(name or "", [default] * len(self))

    def shifted(self, name: str) -> tuple[list[float], Fraction]:
        """Values minus the first one (a fixed origin, exact), and that origin."""
        values = self.exact(name)
        return [float(value - values[0]) for value in values], values[0]

    def row(self, number: int = 0) -> dict[str, str]:
        return {name: column[number] for name, column in self.columns.items()}


@dataclass(frozen=True)
class Case:
    """One folder of the reference cases."""

    folder: Path
    task: str
    params: dict[str, Any]
    names: list[str]
    files: list[str]

    @classmethod
    def read(cls, folder: Path) -> "Case":
        spec = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        files = [entry["file"] for entry in spec["data"]]
        return cls(folder, spec["task"], spec.get("params", {}), [e["name"] for e in spec["expected"]], files)

    def table(self, file: str | None = None) -> Table:
        with (self.folder / (file or self.files[0])).open(encoding="utf-8", newline="") as stream:
            reader = csv.reader(stream)
            header = next(reader)
            rows = [row for row in reader if row]
        return Table({name: [row[place] for row in rows] for place, name in enumerate(header)})

    def other(self, column: str) -> Table | None:
        """The first file that has this column."""
        return next((t for t in (self.table(file) for file in self.files) if column in t.columns), None)


def levels(values: list[str]) -> list[str]:
    """Sorted levels of a factor: as numbers when all are numbers."""
    found = set(values)
    try:
        return sorted(found, key=float)
    except ValueError:
        return sorted(found)


FUNCTIONS: dict[str, Callable[..., float]] = {
    "ln": math.log,
    "log": math.log,
    "exp": math.exp,
    "sqrt": math.sqrt,
    "max": max,
    "min": min,
    "log10": math.log10,
}
OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b, ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b, ast.Pow: lambda a, b: a**b,
}  # fmt: skip


def formula(text: str, **values: float) -> float:
    """A formula of the parameters: arithmetic and ln, log, exp, sqrt, max, min; `ln t` means ln(t)."""
    dressed = re.sub(r"\b(ln|log|sqrt|exp)\s+([A-Za-z_]\w*)", r"\1(\2)", text).replace("^", "**")
    return _value(ast.parse(dressed, mode="eval").body, values)


def _value(node: ast.expr, values: dict[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.Name(id=name):
            return float(values[name])
        case ast.BinOp(left=left, op=op, right=right):
            return float(OPERATORS[type(op)](_value(left, values), _value(right, values)))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, values)
        case ast.Call(func=ast.Name(id=name), args=args):
            return float(FUNCTIONS[name](*(_value(arg, values) for arg in args)))
    raise ValueError(f"not a formula: {ast.unparse(node)}")
