"""Loads state, asks the rules and the inference, and appends what they say. Decides nothing by itself."""
