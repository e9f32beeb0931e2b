"""Measurements: their names, counting, and the text that Prometheus reads."""
