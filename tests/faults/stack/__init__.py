"""Everything at once: services, workers, relays, broker and database killed, paused and cut off under load."""
