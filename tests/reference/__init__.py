"""The reference cases: certified, published and independently computed answers, and the runner that compares."""
