"""A TARGET of the command line (``file.py[:name]``, ``package.module:name``, ``file.sql``) to the graph that it names.

Loading a Python target runs the user's code: whatever that raises leaves here as a `TargetError`.
"""

from __future__ import annotations

import importlib.util
import inspect
import linecache
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType

import flow
from flow import Graph
from flow.errors import PenstockError, known
from operators.sql import Script, open_script

_NOT_THE_USERS = tuple(
    str(folder) + os.sep
    for folder in (Path(flow.__file__).parent, Path(__file__).parent.parent, Path(os.__file__).parent)
)


class TargetError(PenstockError):
    """A target that gives no graph.

    Attributes:
        details: lines that help to find the place: the user's part of a traceback.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


def load_target(target: str) -> Graph:
    """The graph that a target names, which runs something.

    Raises:
        TargetError: as `open_target`.
        PenstockError: as `open_target`, and where a SQL script only asks.
    """
    opened = open_target(target)
    if not opened.graph.nodes:
        raise TargetError(f"{target!r} inserts into no table: it only asks, and nothing would run")
    return opened.graph


def open_target(target: str) -> Script:
    """The graph that a target names, and what it asks and computes, if it is a SQL script.

    Raises:
        TargetError: there is none, there are several, or the user's code raised.
        PenstockError: a SQL script is wrong.
    """
    place, name = _divide(target)
    if place.endswith(".sql"):
        if name is not None:
            raise TargetError(f"{target!r}: a SQL script has one graph, which has no name to ask for")
        return _load_sql(place)
    module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    return Script(_graph_in(module, place, name))


def _divide(target: str) -> tuple[str, str | None]:
    if Path(target).is_file() and target.endswith((".py", ".sql")):
        return target, None
    place, colon, name = target.rpartition(":")
    if not colon:
        place, name = target, ""
    if place.endswith((".py", ".sql")):
        if not Path(place).is_file():
            raise TargetError(_no_file(place))
        return place, name or None
    if os.sep in place or Path(target).exists():
        raise TargetError(f"{target!r} is no target: it must be file.py[:name], package.module:name or file.sql")
    return place, name or None


def _no_file(place: str) -> str:
    folder = Path(place).parent
    if not folder.is_dir():
        return f"no file {place!r}: there is no folder {str(folder)!r}"
    there = [path.name for path in folder.iterdir() if path.suffix in (".py", ".sql")]
    return f"no file {place!r}; {known(Path(place).name, there)}"


def _load_sql(place: str) -> Script:
    with _user_code(Path(place)):
        return open_script(Path(place))


def _load_file(path: Path) -> ModuleType:
    path = path.resolve()
    _search_first(path.parent)
    name = path.stem if path.stem not in sys.modules else f"{path.stem}_target"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # What pickles, and what asks for the annotations of its class, looks for the module here.
    sys.modules[name] = module
    try:
        with _user_code(path):
            spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _load_module(name: str) -> ModuleType:
    _search_first(Path.cwd())
    importlib.invalidate_caches()
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError) as error:
        raise TargetError(f"no module {name!r}: {error}") from error
    if spec is None:
        raise TargetError(
            f"no module and no file {name!r}; a target is file.py[:name], package.module:name or file.sql"
        )
    with _user_code(Path(spec.origin) if spec.origin else Path.cwd()):
        return importlib.import_module(name)


def _search_first(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _graph_in(module: ModuleType, place: str, name: str | None) -> Graph:
    graphs = {key: value for key, value in vars(module).items() if isinstance(value, Graph)}
    if name is None:
        return _only_graph(graphs, module, place)
    if not hasattr(module, name):
        raise TargetError(f"{place!r} has no {name!r}; {known(name, [*graphs, *_makers(module)])}")
    value = getattr(module, name)
    if isinstance(value, Graph):
        return value
    if not callable(value):
        raise TargetError(
            f"{name!r} in {place!r} is a {type(value).__name__}, neither a graph nor a function giving one"
        )
    with _user_code(Path(module.__file__ or place)):
        required = [
            parameter.name
            for parameter in inspect.signature(value).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        if required:
            raise TargetError(f"{name!r} in {place!r} needs the arguments {required}; a target's function takes none")
        made = value()
    if not isinstance(made, Graph):
        if inspect.iscoroutine(made):
            made.close()
        raise TargetError(f"{name}() in {place!r} gave a {type(made).__name__}, not a graph")
    return made


def _only_graph(graphs: dict[str, Graph], module: ModuleType, place: str) -> Graph:
    distinct = {id(graph): (name, graph) for name, graph in reversed(graphs.items())}
    if len(distinct) == 1:
        return next(iter(distinct.values()))[1]
    if distinct:
        names = sorted(name for name, _ in distinct.values())
        raise TargetError(f"{place!r} has several graphs: say which, as {place}:{names[0]}; known here: {names}")
    functions = _makers(module)
    more = (
        f": name the function that makes one, as {place}:{functions[0]}; known here: {functions}" if functions else ""
    )
    raise TargetError(f"{place!r} has no graph among its variables{more}")


def _makers(module: ModuleType) -> list[str]:
    """Functions of the module's own that could make a graph."""
    return sorted(
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value)
        and value.__module__ == module.__name__
        and not name.startswith("_")
        and not any(each.default is each.empty for each in inspect.signature(value).parameters.values())
    )


@contextmanager
def _user_code(path: Path) -> Iterator[None]:
    """Turns what the user's code raises into an error that names the user's line."""
    try:
        yield
    except TargetError:
        raise
    except SyntaxError as error:
        where = f"{_shown(error.filename or str(path))}:{error.lineno}"
        line = (error.text or "").rstrip()
        caret = " " * max(0, (error.offset or 1) - 1) + "^"
        raise TargetError(f"{where}: {error.msg}", f"    {line}\n    {caret}" if line else "") from error
    except PenstockError as error:
        frames = user_frames(error.__traceback__)
        if not frames:
            raise
        last = frames[-1]
        raise TargetError(f"{_shown(last.filename)}:{last.lineno}: {error}", _source(last)) from error
    except SystemExit as error:
        raise TargetError(
            f"{_shown(str(path))} ends the program when it is imported (SystemExit: {error.code}); "
            "put what runs it under: if __name__ == '__main__'"
        ) from error
    except Exception as error:
        frames = user_frames(error.__traceback__)
        details = "".join(traceback.format_list(frames)).rstrip()
        raise TargetError(f"{_shown(str(path))}: {type(error).__name__}: {error}", details) from error


def user_frames(trace: TracebackType | None) -> list[traceback.FrameSummary]:
    """The frames of a traceback that are neither Penstock's, nor the import system's, nor a library's."""
    return [
        frame
        for frame in traceback.extract_tb(trace)
        if not frame.filename.startswith((*_NOT_THE_USERS, "<frozen", "<attrs generated"))
        and "site-packages" not in Path(frame.filename).parts
    ]


def _source(frame: traceback.FrameSummary) -> str:
    line = linecache.getline(frame.filename, frame.lineno or 0).strip()
    return f"    {line}" if line else ""


def _shown(filename: str) -> str:
    """A path as the user would write it: relative where it is below the current folder."""
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else str(path)
