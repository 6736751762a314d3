"""What a person reads: the failure report and the summary of a run, as plain text of at most 100 columns."""

WIDTH = 100
