"""The relay: publishes the committed log to Kafka in order, each event once to whoever reads committed records only."""
