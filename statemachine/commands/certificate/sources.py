"""The sources that decide what a search finds, and whether they have changed since they were measured.

A source has two digests.  That of its text is quick to compute.  That of its meaning is one of the syntax
tree without docstrings and imports, so that comments, layout and moved modules do not change it; what is
imported is a source with digests of its own.  A new version of a dependency (Django, Hypothesis) is not
noticed here.
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
"""The package, or module, of histories written by hand: no search depends on it."""
CATALOGUE = "defects"
"""A package of planted defects.  A system may have one for each of its bindings, nested in each other."""


class Digest(NamedTuple):
    """The first 16 hex digits of a SHA-256 of the text and of the meaning of one source."""

    text: str
    meaning: str


def imported_by(start: str) -> dict[str, Path]:
    """Return the files of ``start`` and of all modules of ours that it leads to, by dotted name.

    Raise ``LookupError`` when there is no module ``start``.
    """
    if module_file(start) is None:
        # It stands as text where it is named, so no type checker notices that a module was moved.
        raise LookupError(f"there is no module {start} below {_PACKAGE.name}/")
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
    """Return the file of a module by its dotted name below statemachine/; None when there is none."""
    place = _PACKAGE.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield imported names below statemachine/.  Some name a function or class, and so no file."""
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
    """Return the files of the package that holds the binding, and the file of each defect, by name.

    A defect's file bears the defect's name.  The defects of other bindings are in neither.
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
    """Return the digest of the text, the same with the line endings of a checkout on Windows."""
    return _digest(source.replace(b"\r\n", b"\n"))


def meaning_digest(source: bytes) -> str:
    """Return the digest of the syntax tree without docstrings and imports, the same in every Python."""
    return _digest("\n".join(_words(ast.parse(source))).encode())


def digest(path: Path) -> Digest:
    """Return both digests of a file.  Raise ``OSError`` or ``SyntaxError``."""
    source = path.read_bytes()
    return Digest(text_digest(source), meaning_digest(source))


def combined(digests: Iterable[Digest]) -> str:
    """Return one digest of the meanings of several sources, in any order."""
    return _digest(" ".join(sorted(digest.meaning for digest in digests)).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _words(node: object) -> Iterator[str]:
    if isinstance(node, ast.AST):
        yield type(node).__name__
        # Empty fields are left out: newer versions of Python have fields that older ones lack.
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
    """Return whether the meaning of a file has changed; it is parsed only when its text has."""
    if path is None or not path.is_file():
        return True
    source = path.read_bytes()
    if text_digest(source) == before.text:
        return False
    try:
        return meaning_digest(source) != before.meaning
    except SyntaxError:
        return True
