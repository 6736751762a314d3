"""How much of the bundled system's code the search really tests: ``python -m benchmarks.mutation``."""
