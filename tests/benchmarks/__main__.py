"""Run every benchmark of this folder, or those that are named: `python -m tests.benchmarks [NAME...]`."""

import sys
from importlib import import_module
from pathlib import Path

names = sys.argv[1:] or sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
codes = [import_module(f"tests.benchmarks.{name}").main([]) for name in names]
sys.exit(max(codes, default=0))
