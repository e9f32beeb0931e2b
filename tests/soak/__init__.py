"""Growth: what an event costs, and how much memory a process holds, as the log grows; `make soak N=…`."""
