"""Rule streams: events, the state they build, and the functions that decide. decide(state, command) → drafts or a refusal."""
