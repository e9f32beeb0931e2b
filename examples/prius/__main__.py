"""`python -m examples.prius` prints the example's facts as lines of JSON, for `lodestone import`."""

import sys

import orjson

from examples.prius import bench
from examples.prius.fleet import fleet

for event in (*bench.masters(), *bench.results(), *fleet().events):
    sys.stdout.buffer.write(orjson.dumps(event) + b"\n")
