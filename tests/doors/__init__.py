"""The doors over real HTTP on a real database."""
