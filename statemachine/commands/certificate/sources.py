"""Which sources a certificate speaks of, and whether they still mean what they meant when it was made.

A source has two digests: of its text, which is quick to take, and of its meaning (its syntax tree
without docstrings and imports), which neither a comment nor another layout nor a module that moves
changes.  What is imported is a source of its own, with a digest of its own.  What a dependency of ours
changes (Django, Hypothesis) is not seen here.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

_PACKAGE = Path(__file__).parents[2]
BY_HAND = "minimal"
"""The package, or module, of hand-written histories: nothing that is found depends on it."""
CATALOGUE = "defects"
"""A package of planted bugs.  A system may have one for each of its bindings, inside of one another."""


class Digest(NamedTuple):
    """Of the text and of the meaning of one source."""

    text: str
    meaning: str


def imported_by(start: str) -> dict[str, Path]:
    """The modules of ours that ``start`` imports, itself and all theirs included, by dotted name."""
    found: dict[str, Path] = {}
    todo = [start]
    while todo:
        name = todo.pop()
        path = module_file(name)
        if name in found or path is None:
            continue
        found[name] = path
        todo += _imports(ast.parse(path.read_bytes()))
    return dict(sorted(found.items()))


def module_file(name: str) -> Path | None:
    """Where a module of ours is, by dotted name; None when there is no such module."""
    place = _PACKAGE.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names below our package; a name may be that of a function, which is then no file."""
    ours = f"{_PACKAGE.name}."
    for node in ast.walk(tree):
        names: Iterable[str] = ()
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names = (alias.name for alias in node.names)
        for name in names:
            if name.startswith(ours):
                parts = name.removeprefix(ours).split(".")
                yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def system_files(binding_path: str, defects: Collection[str]) -> tuple[dict[str, Path], dict[str, Path]]:
    """The files of the package that holds the binding: the system's by name, and each defect's own.

    The own file of a defect is the one that bears its name.  The defects of other bindings are nobody's.
    """
    named = _package_of(binding_path.partition(":")[0])
    own = {path.stem: path for path in named.values() if path.stem in defects}
    theirs = {path.parent for path in own.values()}
    played = {
        name: path
        for name, path in named.items()
        if path.stem not in defects
        and BY_HAND not in (*Path(name).parts, path.stem)
        and (CATALOGUE not in Path(name).parts or path.parent in theirs)
    }
    return played, own


def _package_of(module: str) -> dict[str, Path]:
    spec = importlib.util.find_spec(module.partition(".")[0])
    if spec is None or spec.origin is None or not spec.submodule_search_locations:
        spec = importlib.util.find_spec(module)
        return {module: Path(spec.origin)} if spec is not None and spec.origin else {}
    root = Path(spec.origin).parent
    return {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*.py"))}


def text_digest(source: bytes) -> str:
    """Of the text as it is, but for the line endings that a checkout on Windows has."""
    return _digest(source.replace(b"\r\n", b"\n"))


def meaning_digest(source: bytes) -> str:
    """Of the syntax tree without docstrings and imports; the same in every Python that can parse it."""
    return _digest("\n".join(_words(ast.parse(source))).encode())


def digest(path: Path) -> Digest:
    """Both digests of a file.  Raises ``OSError`` and ``SyntaxError``."""
    source = path.read_bytes()
    return Digest(text_digest(source), meaning_digest(source))


def combined(digests: Iterable[Digest]) -> str:
    """One digest for what several sources mean, whatever their order."""
    return _digest(" ".join(sorted(digest.meaning for digest in digests)).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _words(node: object) -> Iterator[str]:
    if isinstance(node, ast.AST):
        yield type(node).__name__
        # What is empty goes unsaid: newer versions of Python have fields that older ones lack.
        for name, value in ast.iter_fields(node):
            if value is not None and value != []:
                yield name
                yield from _words(value)
    elif isinstance(node, list):
        items = [item for item in node if not (_is_docstring(item) or _is_import(item))]
        yield str(len(items))
        for item in items:
            yield from _words(item)
    else:
        yield repr(node)


def _is_docstring(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _is_import(node: object) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def changed(path: Path | None, before: Digest) -> bool:
    """Whether a file means something else now; it is parsed only when its text has changed."""
    if path is None or not path.is_file():
        return True
    source = path.read_bytes()
    if text_digest(source) == before.text:
        return False
    try:
        return meaning_digest(source) != before.meaning
    except SyntaxError:
        return True
