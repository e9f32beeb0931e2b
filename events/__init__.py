"""What happened: facts, the rules that allow them, the vocabulary. Pure: no I/O, no clock, no numpy."""
