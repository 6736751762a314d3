"""Adds up the runs of several machines: one verdict, and each distinct failure once."""
