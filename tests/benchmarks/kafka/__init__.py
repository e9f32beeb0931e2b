"""Benchmarks of what goes over Kafka."""
