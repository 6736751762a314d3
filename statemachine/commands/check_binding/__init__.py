"""``python -m statemachine check-binding``: a binding exercised once, step by step, while it grows.

It plays the machine's own operations on a database of its own and lets the claims judge them; what is
added here is which mistake of a *binding* a broken claim usually means, and how to mend it.  It plays
each thing once and in order: that nothing is to mend shows that the binding fits, not that the system
behind it is right.  The search is for that.
"""
