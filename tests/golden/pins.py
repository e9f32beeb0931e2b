"""Where the golden examples lie, and what is pinned about each of them."""

import json
from pathlib import Path
from typing import Any

from events.canonical import content_hash
from events.schema import json_schema

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "events" / "golden"
HASHES = ROOT / "tests" / "golden" / "hashes.json"
SCHEMAS = ROOT / "tests" / "golden" / "schemas"
HOW = (
    "A released type never changes: an incompatible change is a new version with an upcaster and an example of its "
    "own. For a NEW type write events/golden/<type>.json and run `python -m tests.golden`, which adds what is missing "
    "and changes nothing that is there. A type that no release carries yet may still change: delete its pins first."
)


def example(event_type: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / f"{event_type}.json").read_text(encoding="utf-8"))
    return found


def hashes() -> dict[str, str]:
    return dict(json.loads(HASHES.read_text(encoding="utf-8"))) if HASHES.exists() else {}


def text(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def pin() -> list[str]:
    """Pin the hash and schema of every example that has none; returns what was added."""
    pinned, added = hashes(), []
    for path in sorted(EXAMPLES.glob("*.json")):
        event_type, schema = path.stem, SCHEMAS / path.name
        if event_type not in pinned:
            pinned[event_type] = content_hash(example(event_type)).hex()
            added.append(f"hash of {event_type}")
        if not schema.exists():
            SCHEMAS.mkdir(exist_ok=True)
            schema.write_text(text(json_schema(event_type)), encoding="utf-8")
            added.append(f"schema of {event_type}")
    HASHES.write_text(text(pinned), encoding="utf-8")
    return added
