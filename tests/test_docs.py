"""Every python and sql block of the README and of the docs runs, block after block of a page in one namespace.

A page's blocks run in a directory of their own where `examples/` is to be found. A block that readers need not see
stands in an HTML comment. SQL blocks see the tables and views of the page's earlier ones; a bare query gets a sink.
"""

import ast
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import operators
from flow.verbs import verbs
from operators.command.main import main

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^( *)```(python|sql)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


class Block(NamedTuple):
    language: str
    line: int
    text: str


def blocks(text: str) -> list[Block]:
    return [
        Block(
            match[2], text[: match.start()].count("\n") + 2, re.sub(rf"^{match[1]}", "", match[3], flags=re.MULTILINE)
        )
        for match in FENCE.finditer(text)
    ]


def statements(script: str) -> list[str]:
    script = re.sub(r"^\s*--.*\n", "", script, flags=re.MULTILINE)
    return [statement.strip() for statement in re.split(r";\s*(?:\n|$)", script) if statement.strip()]


def runnable(script: str, earlier: list[str], number: int) -> str:
    """A block of SQL with what it builds on; a bare query gets a sink that takes any kind of stream."""
    given = statements(script)
    for index, statement in enumerate(given):
        if statement.split(maxsplit=1)[0].upper() in ("SELECT", "WITH"):
            given[index] = (
                f"CREATE TABLE shown_{number} "
                f"WITH (connector = 'files', path = 'out/shown_{number}/', format = 'json', changes = 'weight');\n"
                f"INSERT INTO shown_{number} {statement}"
            )
    return ";\n\n".join([*earlier, *given]) + ";\n"


@pytest.fixture
def page_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_block_of_a_page_runs(page: Path, page_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    earlier: list[str] = []
    for number, block in enumerate(blocks(page.read_text())):
        if block.language == "python":
            exec(compile("\n" * (block.line - 1) + block.text, str(page), "exec"), vars(module))
            continue
        script = page_directory / f"block_{number}.sql"
        script.write_text(runnable(block.text, earlier, number))
        if "INSERT INTO" in script.read_text():
            assert main(["run", str(script), "--quiet"]) == 0, f"{page.name}, line {block.line}"
        earlier += [text for text in statements(block.text) if text.upper().startswith("CREATE")]
    assert page.read_text().startswith("# ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    broken = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert broken == []


def test_every_page_is_linked_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text())}
    assert [page.name for page in PAGES if page.parent == index.parent and page not in linked | {index}] == []


@pytest.mark.parametrize("page", ["one-batch.md", "one-query.md"])
def test_the_way_of_a_batch_or_query_passes_files_and_functions_that_are_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    sections = re.split(r"^## \d+\. .*`((?:flow|operators)/\S+\.py)`.*$", text, flags=re.MULTILINE)[1:]
    files = sections[::2]
    assert 3 <= len(files) == len(set(files)) <= 6
    for file, section in zip(files, sections[1::2], strict=True):
        defined = functions((ROOT / file).read_text())
        named = set(re.findall(r"`([\w.]+)\(\)`", section))
        assert named, f"nothing of {file} is named"
        assert named <= defined, f"{file} has no {sorted(named - defined)}"


def functions(source: str) -> set[str]:
    """Functions of a module, and its classes' methods as `Class.method`."""
    module = ast.parse(source)
    outer = {node.name for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    methods = {
        f"{owner.name}.{node.name}"
        for owner in module.body
        if isinstance(owner, ast.ClassDef)
        for node in owner.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return outer | methods


def test_the_files_that_pages_name_are_there() -> None:
    named = {
        name
        for page in PAGES
        for name in re.findall(r"`((?:flow|operators|tests|examples|docs)/[\w./-]+)`", page.read_text())
    }
    assert named
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


@pytest.mark.parametrize("package", ["flow", "operators"])
def test_the_architecture_names_every_file_and_folder(package: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    there = [path for path in (ROOT / package).iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    names = {f"{package}/{path.name}{'/' if path.is_dir() else ''}" for path in there}
    assert len(names) > 20
    unnamed = {name for name in names if f"`{name}`" not in text}
    assert unnamed - {f"{package}/__init__.py", "flow/version.py"} == set()


def test_the_page_of_operators_names_all_that_is_public() -> None:
    text = (ROOT / "docs" / "operators.md").read_text()
    own = {name for name, function in verbs().items() if function.__module__.startswith("operators.")}
    assert {"filter", "join"} <= own
    assert sorted(name for name in {*operators.__all__, *own} if not re.search(rf"\b{name}\b", text)) == []


def test_blocks_and_statements_are_found() -> None:
    text = "# A\n\n```python\nx = 1\n```\n\n- b\n\n  ```sql\n  SELECT 1;\n  ```\n"
    assert blocks(text) == [Block("python", 4, "x = 1\n"), Block("sql", 10, "SELECT 1;\n")]
    assert runnable("SELECT 1;\n", ["CREATE VIEW v AS SELECT 2"], 7).startswith(
        "CREATE VIEW v AS SELECT 2;\n\nCREATE TABLE"
    )
