"""Verification: an honest log passes, and nothing that its database's owner does to it stays unseen."""
