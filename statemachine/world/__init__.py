"""The simulated world: the clock, the queue, the workers, the faults, and what can happen next in it."""
