"""The projector: folds into tables, leases, rebuilds, parked events."""
