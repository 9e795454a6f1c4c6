import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flow import Graph, GraphError
from operators.command.target import TargetError, load_target

GRAPH = """
import pyarrow as pa
from flow import Graph
from operators import Null, Table

def make(name="made"):
    graph = Graph(name)
    graph.source("numbers", Table(pa.table({"x": [1, 2]}))).sink("out", Null())
    return graph
"""

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a file into a new current folder; what loading it leaves in the interpreter is taken back."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def write(name: str, text: str) -> str:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        return name

    yield write
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in str(getattr(module, "__file__", "")):
            del sys.modules[name]


def test_the_only_graph_of_a_file_needs_no_name(write: Write) -> None:
    graph = load_target(write("bars.py", f"{GRAPH}\ngraph = same = make('bars')\n"))
    assert isinstance(graph, Graph)
    assert graph.name == "bars"


def test_a_file_is_not_main_and_finds_its_neighbours(write: Write) -> None:
    write("deep/lookups.py", "NAME = 'from beside'")
    text = f"{GRAPH}\nimport lookups\nassert __name__ == 'bars'\ngraph = make(lookups.NAME)\n"
    assert load_target(write("deep/bars.py", text)).name == "from beside"


def test_a_file_may_have_the_name_of_a_module_that_is_there(write: Write) -> None:
    assert load_target(write("json.py", f"{GRAPH}\ngraph = make('own')\n")).name == "own"
    assert sys.modules["json"].__name__ == "json"


def test_a_variable_or_a_function_is_named_after_a_colon(write: Write) -> None:
    file = write("bars.py", f"{GRAPH}\none = make('one')\ntwo = make('two')\n")
    assert load_target(f"{file}:two").name == "two"
    assert load_target(f"{file}:make").name == "made"


def test_a_module_is_named_with_dots(write: Write) -> None:
    write("flows_here/__init__.py", "")
    write("flows_here/bars.py", f"{GRAPH}\ngraph = make('in a module')\n")
    assert load_target("flows_here.bars:graph").name == "in a module"
    assert load_target("flows_here.bars").name == "in a module"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("bers.py", "no file 'bers.py'; known here: ['bars.py', 'empty.py', 'several.py']; did you mean 'bars.py'?"),
        ("nowhere/bars.py", "no file 'nowhere/bars.py': there is no folder 'nowhere'"),
        ("bars.py:grahp", "'bars.py' has no 'grahp'; known here: ['graph', 'make']; did you mean 'graph'?"),
        ("bars.py:needy", "'needy' in 'bars.py' needs the arguments ['x']; a target's function takes none"),
        ("bars.py:number", "'number' in 'bars.py' is a int, neither a graph nor a function giving one"),
        ("bars.py:nothing", "nothing() in 'bars.py' gave a NoneType, not a graph"),
        ("bars.py:later", "later() in 'bars.py' gave a coroutine, not a graph"),
        ("several.py", "'several.py' has several graphs: say which, as several.py:one; known here: ['one', 'two']"),
        (
            "empty.py",
            "'empty.py' has no graph among its variables: name the function that makes one, as empty.py:make; "
            "known here: ['make']",
        ),
        (
            "no_such_module",
            "no module and no file 'no_such_module'; a target is file.py[:name], package.module:name or file.sql",
        ),
        (
            "bars.txt/x",
            "'bars.txt/x' is no target: it must be file.py[:name], package.module:name or file.sql",
        ),
    ],
)
def test_a_target_that_gives_no_graph_says_what_is_known(write: Write, target: str, message: str) -> None:
    more = "def needy(x): return make(x)\ndef nothing(): pass\nasync def later(): pass\nnumber = 3\n"
    write("bars.py", f"{GRAPH}\ngraph = make()\n{more}")
    write("several.py", f"{GRAPH}\ntwo, one = make(), make()\n")
    write("empty.py", GRAPH)
    with pytest.raises(TargetError) as caught:
        load_target(target)
    if target == "bars.py:grahp":
        message = message.replace("['graph', 'make']", "['graph', 'later', 'make', 'nothing']")
    assert str(caught.value) == message


def test_an_error_in_the_file_comes_with_the_users_frames_only(write: Write) -> None:
    file = write("bars.py", "import math\n\ndef deep():\n    return math.sqrt(-1)\n\nvalue = deep()\n")
    with pytest.raises(TargetError, match=r"^bars\.py: ValueError: math domain error$") as caught:
        load_target(file)
    lines = caught.value.details.splitlines()
    assert [line.split(", ")[1:] for line in lines if "File" in line] == [
        ["line 6", "in <module>"],
        ["line 4", "in deep"],
    ]
    assert "importlib" not in caught.value.details


def test_a_syntax_error_is_shown_at_its_place(write: Write) -> None:
    with pytest.raises(TargetError, match=r"^bars\.py:2: ") as caught:
        load_target(write("bars.py", "x = 1\ny = = 2\n"))
    assert caught.value.details == "    y = = 2\n        ^"


def test_a_wrong_graph_names_the_line_that_builds_it(write: Write) -> None:
    text = f"{GRAPH}\ngraph = make()\ngraph.source('numbers', Table(pa.table({{'x': [1]}})))\n"
    with pytest.raises(TargetError, match=r"^bars\.py:12: there is a node 'numbers' already") as caught:
        load_target(write("bars.py", text))
    assert isinstance(caught.value.__cause__, GraphError)
    assert caught.value.details == "    graph.source('numbers', Table(pa.table({'x': [1]})))"


def test_a_file_that_ends_the_program_is_no_target(write: Write) -> None:
    with pytest.raises(TargetError, match=r"put what runs it under: if __name__ == '__main__'"):
        load_target(write("bars.py", "import sys\nsys.exit(0)\n"))


def test_a_file_that_failed_is_loaded_anew(write: Write) -> None:
    with pytest.raises(TargetError):
        load_target(write("bars.py", "raise ValueError\n"))
    assert load_target(write("bars.py", f"{GRAPH}\ngraph = make('mended')\n")).name == "mended"


def test_a_script_has_no_name_to_ask_for(write: Write) -> None:
    with pytest.raises(TargetError, match="a SQL script has one graph"):
        load_target(f"{write('bars.sql', '')}:graph")


def test_a_script_is_a_graph_of_its_name(write: Write) -> None:
    script = """
        CREATE TABLE numbers (x BIGINT) WITH (connector = 'files', path = 'numbers.csv', format = 'csv');
        CREATE TABLE big WITH (connector = 'files', path = 'out/', format = 'csv');
        INSERT INTO big SELECT x FROM numbers WHERE x > 1;
    """
    write("numbers.csv", "x\n1\n2\n")
    graph = load_target(write("bars.sql", script))
    assert graph.name == "bars"
    assert "big" in graph.nodes
    with pytest.raises(GraphError, match=r"line 4, column \d+: no column 'y'"):
        load_target(write("wrong.sql", script.replace("SELECT x", "SELECT y")))
