"""Rules of the code base that no type checker knows: direction of imports, one nursery file, one word for one thing."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import flow.version

ROOT = Path(__file__).parent.parent
FILES = [
    ROOT / "penstock.py",
    *sorted(path for package in ("flow", "operators") for path in (ROOT / package).rglob("*.py")),
]
TREES = {path.relative_to(ROOT): ast.parse(path.read_text()) for path in FILES}
MODULES = {path.with_suffix("").as_posix().removesuffix("/__init__").replace("/", "."): path for path in TREES}

UNUSED_WORDS = {"worker", "workers", "shard", "shards", "stage", "stages", "task", "tasks"}


def imports(path: Path) -> Iterator[str]:
    """Dotted names of the modules that a file imports anywhere, also in functions and for type checkers only."""
    package = path.parent.parts
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{module}.{alias.name}" if f"{module}.{alias.name}" in MODULES else module


def defined_names(tree: ast.Module) -> Iterator[str]:
    """Names that a file gives to its own things."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name


def words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def test_flow_never_imports_operators() -> None:
    wrong = [
        f"{path}: {name}"
        for path in TREES
        if path.parts[0] == "flow"
        for name in imports(path)
        if name.split(".")[0] == "operators"
    ]
    assert len(TREES) > 10
    assert not wrong


def test_there_is_no_cycle_of_imports() -> None:
    graph = {module: {name for name in imports(path) if name in MODULES} for module, path in MODULES.items()}
    for module, targets in graph.items():
        targets.discard(module)
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"a cycle: {' → '.join([*path[path.index(module) :], module])}"
        if module not in done:
            for target in sorted(graph[module]):
                visit(target, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())
    assert done == set(graph)


def test_one_file_opens_nurseries() -> None:
    opening = [
        path
        for path, tree in TREES.items()
        if any(isinstance(node, ast.Attribute) and node.attr == "open_nursery" for node in ast.walk(tree))
    ]
    assert [path.parts[0] for path in opening] == ["flow"]


@pytest.mark.parametrize("path", TREES, ids=str)
def test_file_is_short_and_says_what_it_is(path: Path) -> None:
    lines = (ROOT / path).read_text().splitlines()
    assert len(lines) <= 450
    assert ast.get_docstring(TREES[path]), "no module docstring"


@pytest.mark.parametrize("path", TREES, ids=str)
def test_one_word_for_one_thing(path: Path) -> None:
    wrong = sorted({name for name in defined_names(TREES[path]) if UNUSED_WORDS & set(words(name))})
    assert [name for name in wrong if "worker_thread" not in name] == []


def test_sqlglot_has_one_place() -> None:
    users = sorted(path for path in TREES if any(name.split(".")[0] == "sqlglot" for name in imports(path)))
    assert users
    assert {path.parts[:2] for path in users} == {("operators", "sql")}


def test_the_changelog_is_of_this_version() -> None:
    newest = re.search(r"^## \[(\S+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == flow.version.__version__


def test_the_words_of_a_name() -> None:
    assert words("StageOf_workerCount_SQL") == ["stage", "of", "worker", "count", "sql"]
    assert list(defined_names(ast.parse("def shard(tasks): self.x = y")))[0:2] == ["shard", "tasks"]
