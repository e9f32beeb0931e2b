"""Rule streams: events, the state they build, and the functions that decide: events or a refusal, and nothing else."""
