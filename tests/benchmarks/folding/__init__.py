"""What the benchmark of the folds measures beside them: their parts, and the runner of another package."""
