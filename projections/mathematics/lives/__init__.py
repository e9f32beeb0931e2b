"""Times to failure with right-censoring: by lot, by mode, accelerated, and what can be said before any failure."""
