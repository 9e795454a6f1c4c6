"""Which files a path means: a file, several, a glob, or a directory.

The same files come in the same order every time, and nothing that a sink has not committed yet (names that begin with a
dot or an underscore) is ever among them, unless it is named itself.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import attrs
import pyarrow as pa

from flow.errors import GraphError

Path = str | os.PathLike[str]

_GLOB = frozenset("*?[")


class FileError(GraphError):
    """A file cannot be read: which, and why."""


@attrs.frozen
class Identity:
    """What tells one version of a file from another: the same inode may have been written anew."""

    path: str
    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, path: str) -> Identity:
        """The version that stands at a path now."""
        with reading(path):
            status = os.stat(path)
        return cls(path, status.st_ino, status.st_size, status.st_mtime_ns)


def as_paths(path: Path | Iterable[Path]) -> tuple[str, ...]:
    """One path or several, as text with the home directory filled in."""
    several = [path] if isinstance(path, str | os.PathLike) else list(path)
    if not several:
        raise GraphError("no path is given")
    return tuple(os.path.expanduser(os.fspath(one)) for one in several)


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Name the file in whatever goes wrong with it inside."""
    try:
        yield
    except FileError:
        raise
    except FileNotFoundError as error:
        raise FileError(f"{path!r} is not there (any more)") from error
    except PermissionError as error:
        raise FileError(f"{path!r} may not be read by this user") from error
    except IsADirectoryError as error:
        raise FileError(f"{path!r} is a directory") from error
    except (OSError, EOFError, pa.ArrowException) as error:
        raise FileError(f"{path!r} cannot be read: {error}") from error


def find_files(paths: Sequence[str], endings: Sequence[str], *, none_allowed: bool = False) -> list[str]:
    """The files that paths mean, each once: the paths in the order given, what a directory or glob holds sorted.

    Args:
        paths: files, globs (``**`` descends) and directories (searched at every depth).
        endings: what the names of files in directories must end with.
        none_allowed: whether a directory or glob may hold nothing (yet).

    Raises:
        FileError: a path means nothing; says what is in the directory.
    """
    found: dict[str, None] = {}
    for path in paths:
        matches = _matches(path, tuple(endings))
        if not matches and not (none_allowed and (os.path.isdir(path) or _is_glob(path))):
            raise FileError(_nothing(path, endings))
        found.update(dict.fromkeys(matches))
    return list(found)


def _is_glob(path: str) -> bool:
    return not os.path.exists(path) and any(character in _GLOB for character in path)


def _matches(path: str, endings: tuple[str, ...]) -> list[str]:
    if _is_glob(path):
        matches: list[str] = []
        for match in sorted(glob.glob(path, recursive=True)):
            if not _hidden(os.path.basename(match)):
                matches.extend(_inside(match, endings) if os.path.isdir(match) else [match])
        return matches
    if os.path.isdir(path):
        return _inside(path, endings)
    return [path] if os.path.exists(path) else []


def _inside(directory: str, endings: tuple[str, ...]) -> list[str]:
    matches: list[str] = []
    for folder, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if not _hidden(name)]
        matches.extend(
            os.path.join(folder, name) for name in names if name.lower().endswith(endings) and not _hidden(name)
        )
    return sorted(matches)


def _hidden(name: str) -> bool:
    return name.startswith((".", "_"))


def _nothing(path: str, endings: Sequence[str]) -> str:
    if os.path.isdir(path):
        directory, wrong = path, f"directory {path!r} has no file that ends with {' or '.join(endings)}"
    else:
        directory = os.path.dirname(path) or "."
        wrong = f"no file matches {path!r}" if _is_glob(path) else f"no file {path!r}"
        while directory and not os.path.isdir(directory):
            directory = os.path.dirname(directory)
        directory = directory or "."
    try:
        names = sorted(os.listdir(directory))
    except OSError as error:
        return f"{wrong}; {directory!r} cannot be listed: {error.strerror}"
    shown = names if len(names) <= 20 else [*names[:20], f"... {len(names) - 20} more"]
    return f"{wrong}; in {directory!r} there are: {shown}"
