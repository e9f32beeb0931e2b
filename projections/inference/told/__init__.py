"""Telling: conclusions become the revisions, evidence and reasons that a reviewer reads and the log keeps."""
