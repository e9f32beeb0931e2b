"""Closed forms of magnets and machines: plain numbers in stated units, each with the source of its equation."""
