"""The whole topology as processes of this machine: a real PostgreSQL, a real Kafka, services, workers and a relay."""
