"""SET and RESET: the settings of a run that a script can choose; the command line's options go before them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import attrs

from flow.durations import microseconds
from flow.errors import PenstockError, known
from flow.settings import TOPOLOGIES, Settings
from operators.sql.grammar.dialect import POSTGRES, Text, Tree, exp

DIALECT: Final = "dialect"


@attrs.frozen
class _Setting:
    """How the text of a setting is read, and what it means."""

    read: Callable[[str], Any]
    expected: str
    says: str


def _seconds(text: str) -> float:
    return microseconds(float(text) if text.replace(".", "", 1).isdecimal() else text) / 1_000_000


def _truth(text: str) -> bool:
    return {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}[text.lower()]


_NUMBER: Final = "a whole number"
_DURATION: Final = "a duration such as '10s'"

SETTINGS: Final[dict[str, _Setting]] = {
    "partitions": _Setting(int, _NUMBER, "instances of every operator"),
    "readers": _Setting(int, _NUMBER, "splits of a source that are read at the same time"),
    "prefetch": _Setting(int, _NUMBER, "reads that a reader is ahead of its router"),
    "threads": _Setting(int, _NUMBER, "kernels at work at the same time"),
    "topology": _Setting(str, f"one of {list(TOPOLOGIES)}", "how the run is laid out"),
    "batch_rows": _Setting(int, _NUMBER, "rows up to which waiting batches are put together"),
    "grace": _Setting(_seconds, _DURATION, "seconds that a drain may take"),
    "commit_every": _Setting(_seconds, _DURATION, "seconds between commits of what is written"),
    "interleaved": _Setting(_truth, "true or false", "whether all sources are read side by side"),
}
"""By name, as in `Settings`."""


class RunSettings:
    """The settings that the statements before have made.

    Attributes:
        settings: of the run.
        dialect: how the next statement is read.
    """

    def __init__(self, text: Text, dialect: str) -> None:
        self._text = text
        self._first = dialect
        self.settings = Settings()
        self.dialect = dialect

    def change(self, statement: exp.Set) -> None:
        """Carry out SET or RESET.

        Raises:
            SqlError: there is no such setting, or it has no such value.
        """
        (change,) = statement.expressions
        name = change.this.lower()
        if statement.args.get("unset"):
            self._reset(name, change)
        elif name == DIALECT:
            self.dialect = self._value(change)
        else:
            self._check(name, change)
            self._set(name, change)

    def listed(self) -> list[tuple[str, str | None, str]]:
        """Each setting, its value where it is not the default, and what it means."""
        rows: list[tuple[str, str | None, str]] = [
            (DIALECT, self.dialect, f"the SQL dialect of the statements that follow (default: {POSTGRES})")
        ]
        for name, setting in SETTINGS.items():
            value = getattr(self.settings, name)
            rows.append((name, None if value is None else str(value), setting.says))
        return rows

    def _set(self, name: str, change: Tree) -> None:
        text = self._value(change)
        try:
            self.settings = attrs.evolve(self.settings, **{name: SETTINGS[name].read(text)})
        except (PenstockError, ValueError, KeyError) as error:
            raise self._text.error(
                f"the setting {name!r} is {SETTINGS[name].expected}, not {text!r}", change
            ) from error

    def _reset(self, name: str, change: Tree) -> None:
        if name == "all":
            self.settings, self.dialect = Settings(), self._first
        elif name == DIALECT:
            self.dialect = self._first
        else:
            self._check(name, change)
            self.settings = attrs.evolve(self.settings, **{name: getattr(Settings(), name)})

    def _check(self, name: str, change: Tree) -> None:
        if name not in SETTINGS:
            raise self._text.error(f"no setting {name!r}; {known(name, [*SETTINGS, DIALECT])}", change)

    def _value(self, change: Tree) -> str:
        value = change.args["value"]
        if isinstance(value, exp.Neg):
            return f"-{value.this.name}"
        return str(value.name)
