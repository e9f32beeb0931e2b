"""Ingress: events that benches publish to Kafka enter the log, each once, and whatever is refused is kept and told."""
