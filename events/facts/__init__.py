"""Facts: observed outside; nobody decides them, so their streams carry no version. Sees the vocabulary only."""
