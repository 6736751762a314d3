"""The sensitivity certificate: how surely and how soon each planted defect is found, as a table.

It says how sensitive the verifier is to the bugs that somebody thought of planting, on the seeds that
were played, each in the lane that can see it.  It does not say how sensitive it is to others.
"""
