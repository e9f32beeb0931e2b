"""Edges of the chain from process to motor: priors from physics updated by data, and their products along a path."""
