"""Lots: results selected at the reference condition, lot effects with their errors, and a verdict for each lot."""
