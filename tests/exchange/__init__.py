"""Ways in and out: the CloudEvents codec, ingest, the quarantine."""
