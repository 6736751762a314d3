"""Runs of several machines as one: their sums, and each distinct failure of them once."""
