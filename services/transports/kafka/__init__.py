"""Kafka: bench events in, the log and the feeds out. Synchronous clients, never used in the course of a request."""
