"""A simulated plant: seeded, documented, labelled synthetic in every event; knows events, nothing of the services."""
