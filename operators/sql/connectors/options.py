"""The options of a table, ``WITH (name = 'value', …)``: read by name and kind, and none of them left unread.

What has been asked for is what is known: an option that nobody asked for is refused with the names of those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flow.durations import microseconds
from flow.errors import GraphError, PenstockError, known
from operators.expressions.type_names import in_sql
from operators.sql.expressions.loading import loaded
from operators.sql.grammar.dialect import Text, Tree, exp
from operators.sql.grammar.errors import SqlError

Made = TypeVar("Made")

_FLAGS = {"true": True, "on": True, "1": True, "yes": True, "false": False, "off": False, "0": False, "no": False}


class Options:
    """The options of one table, for one use of it.

    Args:
        text: where the table is declared, for errors.
        at: the declaration.
        properties: its options.
    """

    def __init__(self, text: Text, at: Tree, properties: Sequence[exp.Property] = ()) -> None:
        self._text = text
        self._at = at
        self._given: dict[str, exp.Property] = {}
        self._asked: set[str] = set()
        for option in properties:
            name = option.this.lower()
            if name in self._given:
                raise text.error(f"the option {name!r} is given twice", option)
            self._given[name] = option

    def again(self) -> Options:
        """The same options, of which nothing has been asked yet."""
        return Options(self._text, self._at, list(self._given.values()))

    def text(self, name: str, default: str | None = None) -> str | None:
        """An option's value as it is written."""
        self._asked.add(name)
        option = self._given.get(name)
        if option is None:
            return default
        value = option.args["value"]
        if isinstance(value, exp.Literal):
            return str(value.this)
        if isinstance(value, exp.Boolean):
            return "true" if value.this else "false"
        if isinstance(value, exp.Neg) and isinstance(value.this, exp.Literal):
            return f"-{value.this.this}"
        raise self._text.error(f"the value of an option is a text, as in {name} = 'value'", value)

    def required(self, name: str) -> str:
        """An option that must be there."""
        value = self.text(name)
        if value is None:
            raise self._text.error(f"the option {name!r} is missing", self._at, hint=f"WITH ({name} = '...', ...)")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """An option that is true or false."""
        return self._read(name, default, self._as_flag, "'true' or 'false'")

    def number(self, name: str, default: int | None = None) -> int | None:
        """A whole number."""
        return self._read(name, default, int, "a whole number")

    def decimal(self, name: str, default: float | None = None) -> float | None:
        """A number."""
        return self._read(name, default, float, "a number")

    def duration(self, name: str) -> str | None:
        """A duration such as ``2s``; checked, and as it is written."""
        return self._read(name, None, self._as_duration, "a duration such as '2s' or '1 minute'")

    def choice(self, name: str, choices: Sequence[str], default: str | None = None) -> str | None:
        """One of several words."""
        value = self.text(name, default)
        if value is not None and value not in choices:
            raise self.error(name, f"the option {name!r} has no value {value!r}; {known(value, choices)}")
        return value

    def function(self, name: str) -> Any:
        """A function in Python, which must be there: ``'module:function'``."""
        self.required(name)
        value = self._given[name].args["value"]
        if not isinstance(value, exp.Literal) or not value.is_string:
            raise self.error(name, f"the option {name!r} is a text: 'module:function'")
        return loaded(self._text, value)

    def make(self, maker: Callable[[], Made]) -> Made:
        """What a maker makes of options; its own errors point at the declaration."""
        try:
            return maker()
        except SqlError:
            raise
        except PenstockError as error:
            raise self._text.error(in_sql(str(error)), self._at) from error

    def finish(self, table: str) -> None:
        """Raise for an option that nobody asked for."""
        for name in self._given:
            if name not in self._asked:
                raise self.error(name, f"{table!r} has no option {name!r} here; {known(name, self._asked)}")

    def error(self, name: str, message: str, hint: str | None = None) -> GraphError:
        """An error at an option."""
        return self._text.error(message, self._given.get(name, self._at), hint)

    def _read(self, name: str, default: Made, parse: Callable[[str], Made], expected: str) -> Made:
        value = self.text(name)
        if value is None:
            return default
        try:
            return parse(value)
        except (PenstockError, ValueError, KeyError) as error:
            raise self.error(name, f"the option {name!r} is {expected}, not {value!r}") from error

    @staticmethod
    def _as_flag(value: str) -> bool:
        return _FLAGS[value.lower()]

    @staticmethod
    def _as_duration(value: str) -> str:
        microseconds(value)
        return value
