"""`python tests/faults/tamper.py POSITION [--how WAY]`: tampers with the log of this environment as its owner.

For those who want to see it found: `lodestone verify` afterwards says where. Take a copy first; there is no way back.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from sqlalchemy.engine import make_url

from services import settings
from services.store.database.postgres import EmbeddedPostgres
from tests.faults.tampering import WAYS, tamper


def main() -> int:
    """Tamper, and say what was done."""
    parser = argparse.ArgumentParser(prog="tests/faults/tamper.py", description=__doc__)
    parser.add_argument("position", type=int)
    parser.add_argument("--how", choices=[*WAYS, "resign"], default="byte")
    options = parser.parse_args()
    here = settings.load()
    embedded: EmbeddedPostgres | None = None
    if here.database_url is None:
        embedded = EmbeddedPostgres(here.data_dir / "postgres")
        url = embedded.open().owner
    else:
        url = here.database_owner_url or here.database_url
    try:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        print(tamper(plain, options.how, options.position, here.data_dir))
    finally:
        if embedded is not None:
            embedded.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
