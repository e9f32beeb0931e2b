"""Run every benchmark of this folder, or those that are named: `python -m tests.benchmarks [NAME...]`."""

import sys
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent
FOUND = {
    path.stem: path.relative_to(FOLDER).with_suffix("").parts
    for path in FOLDER.rglob("[a-z]*.py")
    if "def main(" in path.read_text(encoding="utf-8")
}

names = sys.argv[1:] or sorted(FOUND)
unknown = [name for name in names if name not in FOUND]
if unknown:
    sys.exit(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(sorted(FOUND))}.")
codes = [import_module(".".join(("tests.benchmarks", *FOUND[name]))).main([]) for name in names]
sys.exit(max(codes, default=0))
