"""The chain: what explains a bad lot, and the limits that follow on magnet, alloy, process and sourcing."""
