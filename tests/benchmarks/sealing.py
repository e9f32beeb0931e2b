"""What sealing costs: the share of one core that keeps up with the append rate, Python and PostgreSQL together."""

import os
import sys
import time
from pathlib import Path

from services.store.database import Database
from services.store.database.postgres import EmbeddedPostgres
from services.store.log import Log
from services.store.sealing.sealer import Sealer
from tests.benchmarks._server import own_server
from tests.benchmarks._table import Row, merge, report
from tests.store.facts import straight

EVENTS, ROUND = 200_000, 25_000
"""A round every half second at 50 000 events/s, the rate that an append is asked for."""
RATE, SHARE = 50_000, 0.15
BODY = 600
FILL = """
    INSERT INTO log_events (position, stream, type, recorded_at, content_hash, leaf_hash, body)
    SELECT p, 'lots/a', 'lodestone.lots.lot_registered.v1', now(), sha256(b), sha256('\\x00'::bytea || b), b
    FROM (SELECT p, decode(rpad(md5(p::text), %(digits)s, md5((-p)::text)), 'hex') AS b
          FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS p) AS made
"""
"""Events of 600 bytes, put there without our append: only the sealer's own cost is measured."""


def backend_seconds(pid: int) -> float:
    """The processor time of a PostgreSQL process, in s."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(server: EmbeddedPostgres, folder: Path) -> dict[str, float]:
    """Seconds of processor time for each event, here and in PostgreSQL, in rounds as they come under load."""
    server.make_database("seal")
    addresses = server.addresses("seal")
    database = Database(addresses.service, addresses.owner, pool_size=1)
    database.migrate()
    sealer = Sealer(database, Log(database), folder, "bench")
    with database.connect() as connection:
        pid = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    here = there = 0.0
    with straight(addresses.owner) as owner:
        for first in range(1, EVENTS + 1, ROUND):
            owner.execute(FILL, {"first": first, "last": first + ROUND - 1, "digits": 2 * BODY})
            begin, begin_there = time.process_time(), backend_seconds(pid)
            assert sealer.seal() == ROUND
            here += time.process_time() - begin
            there += backend_seconds(pid) - begin_there
    database.dispose()
    return {"python": here / EVENTS, "postgres": there / EVENTS}


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, merge; exit code 1 when sealing takes more of a core than it may."""
    del arguments
    with own_server() as server:
        cost = measured(server, server.folder.parent)
    share = RATE * sum(cost.values())
    budget = f"share of a core at {RATE} events/s, at most"
    rows: dict[str, Row] = {
        "seal": {"ours": share, "yardstick": SHARE, "yardstick_name": budget, "ratio": SHARE / share, "unit": "cores"},
        **{
            f"seal_{part}": {
                "ours": 1e6 * seconds, "yardstick": None, "yardstick_name": "-", "ratio": None, "unit": "us/event",
            }
            for part, seconds in cost.items()
        },
    }  # fmt: skip
    print(report(rows))
    merge(rows)
    return 1 if share > SHARE else 0


if __name__ == "__main__":
    sys.exit(main())
