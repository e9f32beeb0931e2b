"""Whole stories: what a user does, from one end of the product to the other."""
