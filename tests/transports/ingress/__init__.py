"""The way in from Kafka, on a real broker and a real database."""
