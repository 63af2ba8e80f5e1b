"""A process that builds when told to, once per line of input: `python kustomize.py [stripped]`.

Each answer is the CPU seconds of one build without provenance, nothing of it parsed before. With
`stripped` every statement that serves provenance only is taken out of the engine's source before it
is imported, so that a comparison of both says what it costs a build that does not ask for it. The
first line of output is the number of statements that were taken out.
"""

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import pathlib
import sys
import types
from collections.abc import Sequence

ENGINES = ("fluvial.render.kustomize.", "fluvial.render.yaml.")
CALLS = {"note", "amend", "_amend"}
TABLES = {"ledger", "places", "apart"}


def _is_kept(test: ast.AST) -> bool:
    """Say whether a condition asks for one of provenance's tables: `… is not None`."""
    return any(
        isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.IsNot)
        and (getattr(node.left, "attr", None) or getattr(node.left, "id", None)) in TABLES
        for node in ast.walk(test)
    )


class Strip(ast.NodeTransformer):
    """Takes out what serves provenance only."""

    def __init__(self) -> None:
        self.count = 0

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Take out the calls that record something."""
        call = node.value
        name = getattr(call.func, "attr", "") if isinstance(call, ast.Call) else ""
        if name not in CALLS:
            return node
        self.count += 1
        return ast.copy_location(ast.Pass(), node)

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        """Leave of a question for provenance only what happens without it."""
        self.generic_visit(node)
        if not _is_kept(node.test):
            return node
        self.count += 1
        return node.orelse or ast.copy_location(ast.Pass(), node)

    def visit_For(self, node: ast.For) -> ast.AST:
        """Take out loops that run with provenance only."""
        self.generic_visit(node)
        if not _is_kept(node.iter):
            return node
        self.count += 1
        return ast.copy_location(ast.Pass(), node)


class Loader(importlib.machinery.SourceFileLoader):
    """Compiles a module without provenance."""

    strip = Strip()

    def source_to_code(self, data, path, *, _optimize: int = -1) -> types.CodeType:  # type: ignore[override,no-untyped-def]  # as the base class has it
        """Compile what is left of the source."""
        tree = self.strip.visit(ast.parse(data))
        return compile(ast.fix_missing_locations(tree), path, "exec", optimize=_optimize)

    def get_code(self, fullname: str) -> types.CodeType:
        """Pass by the compiled files on disk."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules of the engine before anybody else does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the module's place with our loader."""
        if not fullname.startswith(ENGINES):
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.origin is None:
            return spec
        return importlib.util.spec_from_file_location(
            fullname, spec.origin, loader=Loader(fullname, spec.origin)
        )


def main() -> None:
    """Answer each line of input with the seconds of a build."""
    if "stripped" in sys.argv:
        sys.meta_path.insert(0, Finder())
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
    bench = importlib.import_module("kustomize")
    tree = bench.MemoryTree(bench.many_files(300))
    print(Loader.strip.count, flush=True)
    for _ in sys.stdin:
        print(bench.clocked(lambda: bench.cold(tree, "overlay")), flush=True)


if __name__ == "__main__":
    main()
