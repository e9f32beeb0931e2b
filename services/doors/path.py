"""References in paths and queries: `issuer:id`, each part percent-encoded, once or twice."""

from events.errors import Invalid, NotFound
from events.refs import parse_ref


def reference(text: str) -> str:
    """The canonical `issuer:id` of what a path names. Raises NotFound for what is none: nothing has that name."""
    try:
        return str(parse_ref(text if ":" in text else text.replace("%3A", ":").replace("%3a", ":")))
    except (Invalid, ValueError) as error:
        raise NotFound(f"'{text}' names nothing here; things are named issuer:id.") from error
