"""What follows: folds over events, and the mathematics. Pure: same input, same output; no I/O, no clock."""
