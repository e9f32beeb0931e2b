"""Tests of `services/transports/kafka/sharding` against a real Kafka broker and real workers."""
