"""One frozen example, hash and schema of every event type and version; `python -m tests.golden` pins new ones."""
