"""Pure folds over keyed rows: events in, rows out; a fold does not know where rows live. Sees mathematics only."""
