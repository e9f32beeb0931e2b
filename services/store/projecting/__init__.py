"""Projecting: the folds' rows in PostgreSQL, batch by batch, each batch with its checkpoint in one transaction."""
