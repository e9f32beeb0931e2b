"""The review door: proposals and their decisions, specifications, requirements, lots and motors. No rule lives here."""
