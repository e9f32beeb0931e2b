"""Pins the examples of new event types: `python -m tests.golden`."""

import sys

from tests.golden.pins import pin

sys.stdout.write("".join(f"pinned the {item}\n" for item in pin()) or "nothing new to pin\n")
