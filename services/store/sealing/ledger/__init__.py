"""The ledger: what the log says of its own keys, seals, states and epochs; read here, and written by its modules."""

from services.store.sealing.ledger.reading import (
    SOURCE,
    KeyInForce,
    Ledger,
    ledger_of,
    ledgers_of,
    log_id,
    read_on,
)

__all__ = ["SOURCE", "KeyInForce", "Ledger", "ledger_of", "ledgers_of", "log_id", "read_on"]
