"""All mutants of the packages, and a seeded sample of them.

mutmut's operators make them. mutmut itself leaves every decorated function out, and each of our
formulas is one, so the walk over the source is ours. Annotations, imports and the words of errors
are not mutated.
"""

import difflib
import hashlib
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Any

import libcst as cst
from mutmut.mutation.mutators import mutation_operators

LIBRARY = Path(__file__).resolve().parents[2] / "profiler" / "flopledger"
PACKAGES = "counting", "ledger", "metering", "play"
UNTOUCHED = cst.Annotation | cst.Raise | cst.Import | cst.ImportFrom
SCOPES = cst.FunctionDef | cst.ClassDef


def operand(node: cst.BinaryOperation) -> list[cst.BaseExpression]:
    """One side of a sum or a product alone, which mutmut has no operator for."""
    return [node.left, node.right] if isinstance(node.operator, cst.Add | cst.Multiply) else []


class Mutant:
    """One change to one file; `function` is the outermost around it, "" for what an import runs."""

    def __init__(self, file: str, function: str, module: cst.Module, old: Any, new: Any) -> None:
        self.file, self.function, self.module, self.old, self.new = file, function, module, old, new
        changes = " -> ".join(module.code_for_node(node) for node in (old, new))
        self.name = f"{file} {function} {changes}"

    @cached_property
    def code(self) -> str:
        """The whole file with the change."""
        changed = self.module.deep_replace(self.old, self.new)
        assert isinstance(changed, cst.Module)
        return changed.code

    @cached_property
    def key(self) -> str:
        """Names it among all mutants."""
        return digest(self.file, self.code)

    @cached_property
    def diff(self) -> list[str]:
        """The line where the change begins, then the lines before and after, with - and +."""
        before, after = self.module.code.split("\n"), self.code.split("\n")
        lines = list(difflib.unified_diff(before, after, n=0, lineterm=""))
        return [f"{self.file}:{lines[2].split()[1][1:].split(',')[0]} {self.function}", *lines[3:]]


class Walk(cst.CSTVisitor):
    """All mutants of a file."""

    def __init__(self, file: Path) -> None:
        self.file = str(file.relative_to(LIBRARY))
        self.module = cst.parse_module(file.read_text())
        self.scopes: list[Any] = []
        self.mutants: list[Mutant] = []
        self.module.visit(self)

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Its mutants, and whether its parts have any."""
        if isinstance(node, UNTOUCHED):
            return False
        kinds = [isinstance(scope, cst.FunctionDef) for scope in self.scopes]
        outer = self.scopes[: kinds.index(True) + 1] if any(kinds) else []
        function = ".".join(scope.name.value for scope in outer)
        for kind, make in [*mutation_operators, (cst.BinaryOperation, operand)]:
            for new in make(node) if isinstance(node, kind) else ():
                self.mutants.append(Mutant(self.file, function, self.module, node, new))
        return True

    def on_visit_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        """A body is entered; a decorator and a default stand outside of it."""
        if attribute == "body" and isinstance(node, SCOPES):
            self.scopes.append(node)

    def on_leave_attribute(self, node: cst.CSTNode, attribute: str) -> None:
        """And left."""
        if attribute == "body" and isinstance(node, SCOPES):
            self.scopes.pop()


def sample(size: int, seed: int) -> list[Mutant]:
    """The mutants whose names hash lowest: an edit elsewhere leaves most of a sample as it was."""
    files = sorted(file for name in PACKAGES for file in (LIBRARY / name).rglob("*.py"))
    mutants = [mutant for file in files for mutant in Walk(file).mutants]
    seen: Counter[str] = Counter()
    ranked = []
    for mutant in mutants:
        seen[mutant.name] += 1
        ranked.append((digest(f"{seed} {seen[mutant.name]} {mutant.name}"), mutant))
    return [mutant for _, mutant in sorted(ranked, key=lambda pair: pair[0])[:size]]


def digest(*texts: str) -> str:
    """A short name for texts that are alike only if they are the same."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:20]
