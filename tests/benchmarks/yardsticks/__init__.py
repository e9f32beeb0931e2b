"""What others do with the same events on the same servers: what ours is measured against."""
