"""The layers, the sizes and the habits of the house, read off the source with ``ast``."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "symrnn"
FILES = sorted(ROOT.rglob("*.py"))
PATHS = [str(f.relative_to(ROOT)) for f in FILES]
LAYERS = """
errors | conventions activations | notation | style | quantity_text | sign_text | node_text | writer | shown | expr | functions traverse times | equations | networks
clipping | derivation counts scheduling | cells layernorm rewrite | vjp | bptt | leftout | printing codegen | jacobians unrolling | norm_bounds | verify exports | repair | diagnosis | explaining | readings flow formulas pytest_plugin | loading output tables counts_text parsing activity starting | sweeps plots | lecture benchmarks | commands | cli | __main__
""".replace("\n", " | ").strip(" |")
RANK = {name: rank for rank, layer in enumerate(LAYERS.split("|")) for name in layer.split()}
ACCUSED = {"vjp", "bptt", "rewrite", "codegen"}


@cache
def trees() -> dict[str, ast.Module]:
    return {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in PATHS}


def imported(tree: ast.AST) -> set[str]:
    """Modules of symrnn that a file imports, as dotted names without the package's."""
    found = set()
    for_types = [n for n in ast.walk(tree) if isinstance(n, ast.If) and ast.unparse(n.test) == "TYPE_CHECKING"]
    skipped = {inner for block in for_types for inner in ast.walk(block)}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "symrnn":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("symrnn."):
            found.add((node.module or "").removeprefix("symrnn."))
        elif isinstance(node, ast.Import):
            found |= {alias.name.removeprefix("symrnn.") for alias in node.names if alias.name.startswith("symrnn.")}
    return found


def layer_of(path: str) -> str:
    return Path(path).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", PATHS)
def test_layers(path: str) -> None:
    tree = trees()[path]
    own = layer_of(path)
    if own != "__init__":
        assert own in RANK, "a new module needs a place in LAYERS"
        wrong = [m for m in imported(tree) if m.partition(".")[0] != own and RANK[m.partition(".")[0]] >= RANK[own]]
        assert not wrong, f"{path} imports {wrong}, which is not to its left"


@pytest.mark.parametrize("path", PATHS)
def test_habits(path: str) -> None:
    tree = trees()[path]
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    for function in functions:
        assert not [n for n in ast.walk(function) if isinstance(n, ast.Import | ast.ImportFrom)], function.name
        assert (function.end_lineno or 0) - function.lineno < 50, f"{path}: {function.name} is too long"
    assert len((ROOT / path).read_text(encoding="utf-8").splitlines()) <= 300, f"{path} is too long"
    if path not in {"cli.py", "__main__.py"}:
        called = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        assert not called & {"print", "exit", "sys.exit", "sys.stdout.write", "os._exit"}, f"{path} prints or exits"


def module_of(path: str) -> str:
    return path.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")


@cache
def graph() -> dict[str, set[str]]:
    return {module_of(path): imported(tree) for path, tree in trees().items()}


def reach(start: str) -> set[str]:
    """Everything that a module imports, directly or through others."""
    waiting, seen = [start], set()
    while waiting:
        for name in graph().get(waiting.pop(), set()) - seen:
            seen.add(name)
            waiting.append(name)
    return seen


@pytest.mark.parametrize("judge", ["verify.entrywise", "verify.balls", "verify.handwritten.process"])
def test_judges_do_not_know_the_accused(judge: str) -> None:
    direct = {m.partition(".")[0] for f in trees() if f.startswith("verify/") and f != "verify/panel.py"
              for m in imported(trees()[f])}
    assert not direct & ACCUSED
    assert not {m.partition(".")[0] for m in reach(judge)} & ACCUSED


def test_no_cycles() -> None:
    for module in graph():
        assert module not in reach(module), f"{module} imports itself through others"


def test_most_functions_are_short() -> None:
    lengths = sorted(
        (n.end_lineno or 0) - n.lineno + 1 for tree in trees().values() for n in ast.walk(tree)
        if isinstance(n, ast.FunctionDef)
    )
    assert lengths[int(0.9 * len(lengths))] <= 28
    sizes = sorted(len(f.read_text(encoding="utf-8").splitlines()) for f in FILES)
    assert sizes[len(sizes) // 2] <= 150
