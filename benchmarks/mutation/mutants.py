"""The mutants that mutmut makes, and which of them no test can ever distinguish from the original.

mutmut is used for its operators alone: it cannot run a suite that takes its options and its corpus from the
command line, so :mod:`benchmarks.mutation.suite` does.  Each mutant is a whole source file with one place
changed.  Class attributes are mutated too, which mutmut itself leaves out because its trampolines cannot
switch them.

What is not mutated, by mutmut's own choice: annotations, decorators and decorated functions, triple-quoted
strings, calls of ``len`` and ``isinstance``.  Statements are never deleted.
"""

from __future__ import annotations

import ast
import difflib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import create_mutations
from mutmut.mutation.mutators import mutation_operators

SAME_PROGRAM = "only an annotation or a docstring differs"
MESSAGE = "only the text of a raised error differs"


@dataclass(frozen=True)
class MutantPlace:
    """Where a mutant differs, described so that edits elsewhere in the module do not change it.

    ``before`` and ``after`` are the lines that differ, stripped and joined; ``occurrence`` counts from 1
    among the same changes in the same definition.
    """

    module: str
    definition: str
    before: str
    after: str
    occurrence: int = 1

    def __str__(self) -> str:
        again = f" ({self.occurrence})" if self.occurrence > 1 else ""
        return (
            f"{self.module} {self.definition}: {self.before or 'nothing'} → {self.after or 'nothing'}{again}"
        )


@dataclass(frozen=True)
class Mutant:
    place: MutantPlace
    line: int
    operator: str
    source: str
    excluded: str | None


def mutants_of(path: Path) -> list[Mutant]:
    """Return every mutant of a module, ordered by line; equal programs once."""
    original = path.read_text(encoding="utf-8")
    module, mutations, *_ = create_mutations(str(path), original)
    positions = MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider)
    programs = {ast.dump(ast.parse(original))}
    occurrences: Counter[MutantPlace] = Counter()
    mutants = []
    for mutation in sorted(mutations, key=lambda mutation: positions[mutation.original_node].start.line):
        changed: Any = module.deep_replace(mutation.original_node, mutation.mutated_node)
        source = changed.code
        program = ast.dump(ast.parse(source))
        if program in programs:
            continue
        programs.add(program)
        line = positions[mutation.original_node].start.line
        before, after = difference(original, source)
        place = MutantPlace(path.name, definition_at(original, line), before, after)
        occurrences[place] += 1
        place = MutantPlace(place.module, place.definition, before, after, occurrences[place])
        operator = _operator_of(mutation.original_node, mutation.mutated_node)
        mutants.append(Mutant(place, line, operator, source, why_excluded(original, source)))
    return mutants


def why_excluded(original: str, mutated: str) -> str | None:
    """Return the rule by which a mutant needs no run, or None.

    Both programs are compared as syntax trees without annotations and docstrings, and then also without the
    arguments of raised calls.
    """
    if _bare(original) == _bare(mutated):
        return SAME_PROGRAM
    if _bare(original, messages=False) == _bare(mutated, messages=False):
        return MESSAGE
    return None


def definition_at(source: str, line: int) -> str:
    """Return the qualified name of the innermost class or function around a line, or ``<module>``."""
    names: list[str] = []
    body: list[ast.stmt] = ast.parse(source).body
    while True:
        around = [node for node in body if node.lineno <= line <= (node.end_lineno or 0)]
        if not around or not isinstance(around[0], ast.ClassDef | ast.FunctionDef):
            return ".".join(names) or "<module>"
        names.append(around[0].name)
        body = around[0].body


def difference(original: str, mutated: str) -> tuple[str, str]:
    """Return the differing lines of both sides, stripped and joined by a blank."""
    ours, theirs = original.splitlines(), mutated.splitlines()
    changes = [
        change
        for change in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
        if change[0] != "equal"
    ]
    before = [line.strip() for _, start, end, *_ in changes for line in ours[start:end]]
    after = [line.strip() for *_, start, end in changes for line in theirs[start:end]]
    return " ".join(before), " ".join(after)


def without(source: str, definitions: Collection[str]) -> str:
    """Return ``source`` with these definitions disabled: a function raises when called, a class is empty.

    Raise ``LookupError`` for a name that is not defined.
    """
    tree = ast.parse(source)
    found = dict(_definitions(tree.body))
    unknown = sorted(set(definitions) - set(found))
    if unknown:
        raise LookupError(f"no definition of {', '.join(unknown)}; there are {', '.join(found)}")
    for name in definitions:
        node = found[name]
        if isinstance(node, ast.ClassDef):
            node.bases, node.body = [], [ast.Pass()]
        else:
            node.body = ast.parse("raise AssertionError('it was called')").body
    return ast.unparse(tree)


def _definitions(
    body: list[ast.stmt], prefix: str = ""
) -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef]]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield f"{prefix}{node.name}", node
        if isinstance(node, ast.ClassDef):
            yield from _definitions(node.body, f"{prefix}{node.name}.")


def _bare(source: str, messages: bool = True) -> str:
    tree = ast.parse(source)
    # Without that import annotations are evaluated, and are part of the program.
    deferred = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:]
        if deferred and isinstance(node, ast.AnnAssign):
            node.annotation = ast.Name("Any", ast.Load())
        if deferred and isinstance(node, ast.arg):
            node.annotation = None
        if deferred and isinstance(node, ast.FunctionDef):
            node.returns = None
        if not messages and isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            node.exc.args, node.exc.keywords = [], []
    return ast.dump(tree)


def _operator_of(original: libcst.CSTNode, mutated: libcst.CSTNode) -> str:
    for kind, operator in mutation_operators:
        if isinstance(original, kind) and any(mutated.deep_equals(other) for other in operator(original)):
            return operator.__name__.removeprefix("operator_")
    raise LookupError(f"no operator of mutmut makes {mutated!r}")
