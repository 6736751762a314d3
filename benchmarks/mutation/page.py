"""What a session came to, in words: on the terminal, and as docs/mutation.md."""

from __future__ import annotations

from benchmarks.mutation.listed import Known, stub
from benchmarks.mutation.score import Result


def summary(result: Result, known: Known) -> str:
    return "\n".join(
        [
            f"{result.score:.4f} {len(result.killed)} of {result.counted}",
            *result.errors,
            *(stub(m.place) for m in result.survivors if m.place not in known.survivors),
        ]
    )


def page(result: Result, known: Known, clean_seconds: dict[str, float], seed: int) -> str:
    return summary(result, known)
