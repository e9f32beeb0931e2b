"""The bench door: events come in here, from test benches, manufacturing and suppliers. Translates; ingest decides."""
