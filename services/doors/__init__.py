"""HTTP: each door turns a request into a question or a command, and an answer into a response. No rule lives here."""
