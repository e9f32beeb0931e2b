"""The command line: help, usage, and what goes to which stream."""
