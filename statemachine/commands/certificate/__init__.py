"""The sensitivity certificate: on how many seeds, and how soon, the search finds each planted defect.

It measures how sensitive the verifier is to the bugs that were thought of and planted, on the seeds that
were played, each in the lane that can see it.  It says nothing about the bugs that were not thought of.
"""
