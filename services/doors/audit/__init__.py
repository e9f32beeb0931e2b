"""The audit door: the log itself, why a limit is what it is, and the schemas of events. Reads only."""
