"""Rules of the code base that no type checker knows: direction of imports, one nursery file, one word for one thing."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping
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


def cycle(graph: Mapping[str, Collection[str]]) -> list[str]:
    """Nodes that lead from one back to itself; none where there are no such."""
    done: set[str] = set()

    def found(node: str, path: tuple[str, ...]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node not in done:
            for target in sorted(graph[node]):
                if target != node and (around := found(target, (*path, node))):
                    return around
            done.add(node)
        return []

    return next((around for node in graph if (around := found(node, ()))), [])


def test_there_is_no_cycle_of_imports() -> None:
    graph = {module: {name for name in imports(path) if name in MODULES} for module, path in MODULES.items()}
    assert cycle(graph) == []


def test_packages_of_sql_build_on_each_other_in_one_direction() -> None:
    sql = Path("operators/sql")
    graph: dict[str, set[str]] = {
        path.name: set() for path in (ROOT / sql).iterdir() if (path / "__init__.py").exists()
    }
    assert len(graph) > 5
    for path in TREES:
        if path.is_relative_to(sql) and path.parent.name in graph:
            used = (name.split(".") for name in imports(path))
            graph[path.parent.name] |= {name[2] for name in used if name[:2] == ["operators", "sql"] and len(name) > 2}
    assert set().union(*graph.values()) - set(graph) <= {"explain", "query"}, "the ways in are for scripts only"
    assert cycle({name: targets & set(graph) for name, targets in graph.items()}) == []


def test_a_cycle_is_found() -> None:
    assert cycle({"a": {"b"}, "b": {"c"}, "c": {"b", "c"}}) == ["b", "c", "b"]


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
