"""What a person reads: the failure report and the summary of a run, as plain text of at most 100 columns."""

WIDTH = 100

_EDGES = {"lease": "lease edge", "visibility": "visibility edge", "cap": "inference cap"}


def edge_name(deadline: str) -> str:
    """How a report calls the second at which a deadline falls."""
    return _EDGES.get(deadline, f"{deadline} time")
