"""The worked example: one real Toyota Prius 2004 motor, and a simulated fleet around it."""
