"""Tests of `services/transports` against a real Kafka broker."""
