"""Mutation testing of the bundled system by the search: ``python -m benchmarks.mutation``."""
