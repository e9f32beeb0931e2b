"""One function for each task of the cases: files and parameters in, named answers out; no case is known by name."""
