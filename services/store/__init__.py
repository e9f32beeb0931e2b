"""The database, the log and the projection tables. The lowest room of the services: sees none of the others."""
