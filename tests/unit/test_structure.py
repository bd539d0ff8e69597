"""The code stays easy to read: small modules, short functions, documented names."""

import ast
import subprocess
from collections.abc import Iterator

import pytest

from tests.conftest import ROOT

LINES_OF_A_MODULE = 400
LINES_OF_A_FUNCTION = 60

_LISTED = subprocess.run(
    ["git", "ls-files", "*.py", "*.smk"], cwd=ROOT, capture_output=True, text=True
).stdout.split()
FILES = _LISTED or [
    str(path.relative_to(ROOT))
    for folder in ("workflow", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
]


def functions(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef, int]]:
    """Every function with its number of lines, without those of its docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node) is not None:
                length -= (first.end_lineno or 0) - first.lineno + 1
            yield node, length


@pytest.mark.parametrize("file", FILES)
def test_modules_and_functions_are_small(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES_OF_A_MODULE
    if file.endswith(".py"):
        long = {f.name: n for f, n in functions(ast.parse(text)) if n > LINES_OF_A_FUNCTION}
        assert not long


@pytest.mark.parametrize(
    "file", [f for f in FILES if f.startswith("workflow/") and f[-3:] == ".py"]
)
def test_public_names_are_documented(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    public = [
        node
        for parent in [
            tree,
            *(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name[0] != "_"),
        ]
        for node in parent.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    assert not [node.name for node in public if not ast.get_docstring(node)]
