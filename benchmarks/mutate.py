"""Measure how many subtle edits of the code turn its tests red.

    python -m benchmarks.mutate [--count 40] [--seed 0] [--save] [PACKAGE ...]

For each package, such as evaluate, so many edits are drawn at random, made one at a time in a copy
of the project, and tried with the tests of tests/unit/<package> that are not slow, and with those
of refusals of settings, tables and inputs, tests/contract/test_broken_*: a comparison at its
boundary, a condition dropped, a number one off, `and` for `or`, an operator or two arguments
exchanged. Prints the edits that no test noticed, and the score: the edits that a test did; --save
keeps both in benchmarks/results/mutations.json.
"""

import argparse
import ast
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import results
from tests.verify import ROOT, project_files

PACKAGES = ("evaluate", "split", "vectorize", "artifacts")
TIME_LIMIT = 300  # seconds, after which an edit counts as noticed: it made a loop endless
LARGEST = 1000  # numbers above it are limits and sizes for which one more is no mistake
OTHERS: dict[type[ast.AST], Any] = {
    old: new
    for pair in (
        (ast.Lt, ast.LtE),
        (ast.Gt, ast.GtE),
        (ast.Eq, ast.NotEq),
        (ast.In, ast.NotIn),
        (ast.Is, ast.IsNot),
        (ast.And, ast.Or),
        (ast.Add, ast.Sub),
    )
    for old, new in (pair, pair[::-1])
} | {ast.Mult: ast.Div, ast.FloorDiv: ast.Div}


class Edit(NamedTuple):
    """The bytes of a file from `start` to `end` replaced by a text."""

    path: Path
    line: int
    start: int
    end: int
    new: str

    def apply(self, source: bytes) -> bytes:
        """Return the source with this edit."""
        return source[: self.start] + self.new.encode() + source[self.end :]

    def describe(self, source: bytes) -> str:
        """Return the place, what stood there, and what the edit makes of it."""
        old = " ".join(source[self.start : self.end].decode().split())
        return f"{self.path}:{self.line}: {old} -> {self.new}"


def variants(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what a subtle mistake may make of an expression."""
    match node:
        case ast.Compare(left, [operator], [right]) if type(operator) in OTHERS:
            yield ast.Compare(left, [OTHERS[type(operator)]()], [right])
        case ast.BoolOp(operator, values):
            yield ast.BoolOp(OTHERS[type(operator)](), values)
            for dropped in range(len(values)):
                others = values[:dropped] + values[dropped + 1 :]
                yield ast.BoolOp(operator, others) if len(others) > 1 else others[0]
        case ast.UnaryOp(ast.Not(), operand):
            yield operand
        case ast.BinOp(left, operator, right) if type(operator) in OTHERS:
            yield ast.BinOp(left, OTHERS[type(operator)](), right)
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() as value) if abs(value) <= LARGEST:
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Call(
            ast.Name("isinstance" | "max" | "min")
        ):  # an exchange changes nothing, or fails
            pass
        case ast.Call(function, [first, second, *rest], keywords):
            if not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred):
                yield ast.Call(function, [second, first, *rest], keywords)
        case ast.IfExp(test, body, orelse):
            yield from (body, orelse)
            yield ast.IfExp(test, orelse, body)


def executed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and those below, without annotations, decorators and formatted strings."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list", "type_params"} or isinstance(
            node, ast.JoinedStr
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from executed(child)


def edits(path: Path) -> Iterator[Edit]:
    """Yield every edit of a module, whose path is relative to the project."""
    source = (ROOT / path).read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node in executed(ast.parse(source)):
        if (
            isinstance(node, ast.expr)
            and node.end_lineno is not None
            and node.end_col_offset is not None
        ):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            for variant in variants(node):
                yield Edit(
                    path,
                    node.lineno,
                    start,
                    end,
                    f"({ast.unparse(ast.fix_missing_locations(variant))})",
                )


def copy_project(folder: Path) -> None:
    """Copy the files that Git tracks or would track."""
    for name in project_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def is_noticed(folder: Path, tests: Sequence[str]) -> bool:
    """Return whether a test fails, or takes too long."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-m",
        "not slow",
        "-p",
        "no:cacheprovider",
        *tests,
    ]
    try:
        return (
            subprocess.run(
                command, cwd=folder, capture_output=True, check=False, timeout=TIME_LIMIT
            ).returncode
            != 0
        )
    except subprocess.TimeoutExpired:
        return True


def survivors(package: str, drawn: Iterable[Edit], folder: Path) -> Iterator[str]:
    """Yield a package's edits that its tests don't notice; the module's own tests run first."""
    tests = Path("tests", "unit", package)
    for edit in drawn:
        path = folder / edit.path
        source = path.read_bytes()
        path.write_bytes(edit.apply(source))
        named = [
            str(test.relative_to(folder))
            for test in (folder / tests).rglob(f"test_{edit.path.stem}*.py")
        ]
        refusals = [
            str(test.relative_to(folder))
            for test in (folder / "tests/contract").glob("test_broken_*.py")
        ]
        if not any(is_noticed(folder, some) for some in (named, [str(tests)], refusals) if some):
            yield edit.describe(source)
        path.write_bytes(source)


def main(arguments: Sequence[str]) -> int:
    """Print the edits that stay unnoticed and the score of each package."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("packages", nargs="*", default=PACKAGES, metavar="PACKAGE")
    parser.add_argument("--count", type=int, default=40, help="edits per package")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", action="store_true", help="keep the scores in benchmarks/results")
    given = parser.parse_args(arguments)
    scores = {}
    with tempfile.TemporaryDirectory(prefix="textclf-mutate-") as place:
        folder = Path(place)
        copy_project(folder)
        for package in given.packages:
            if is_noticed(folder, [f"tests/unit/{package}"]):
                print(
                    f"error: mutate: the tests of {package} must pass before an edit",
                    file=sys.stderr,
                )
                return 2
            modules = sorted((ROOT / "textclf" / package).rglob("*.py"))
            every = [edit for module in modules for edit in edits(module.relative_to(ROOT))]
            drawn = random.Random(f"{given.seed} {package}").sample(  # noqa: S311
                every, min(given.count, len(every))
            )
            unnoticed = []
            for line in survivors(package, drawn, folder):
                print(line, flush=True)
                unnoticed.append(line)
            noticed = len(drawn) - len(unnoticed)
            print(f"{package}: {noticed} of {len(drawn)} edits turned a test red", flush=True)
            scores[package] = {"edits": len(drawn), "noticed": noticed, "unnoticed": unnoticed}
    if given.save:
        results.write("mutations", scores)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
