"""The worked example and the simulated plant; shared with the tests, shipped with the package, known to nobody else."""
