"""The tests: they mirror the tree, use the real parts, and skip nothing."""
