"""What obeys: the clock, the queue, the workers and the faults that the machine plays with."""
