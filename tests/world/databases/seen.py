"""Processes as /proc shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Of each process that is no zombie: its id, and the state, parent and more of its stat file."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            yield int(process.name), fields


def alive(pid: int) -> bool:
    return pid in dict(_processes())


def family(pid: int) -> set[int]:
    """A server's process, all that it started, and the watchdog above it."""
    parents = {child: int(fields[1]) for child, fields in _processes()}
    return {pid, parents[pid], *(child for child, parent in parents.items() if parent == pid)}


def speaking_of(path: Path) -> list[str]:
    """The command lines that name this path."""
    lines = [command_line(pid) for pid, _ in _processes()]
    return [line for line in lines if str(path) in line]


def command_line(pid: int) -> str:
    """Empty for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def all_gone(pids: set[int]) -> Callable[[], bool]:
    return lambda: not any(map(alive, pids))
