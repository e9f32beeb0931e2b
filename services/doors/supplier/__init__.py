"""The supplier door: a numbered feed of notices for one party, and its answers. Shows nothing of another party."""
