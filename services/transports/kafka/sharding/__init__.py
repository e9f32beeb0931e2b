"""Shards: workers fold the log's topic as a consumer group, each its partitions' motors, into the same tables."""
