"""Many lots, many metrics, looked at all the time: e-values, false discovery, planned looks, charts."""
