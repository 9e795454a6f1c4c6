"""JSON values: text in, Python values between, text out.

What comes out has no spaces; NaN and infinities are no JSON. Of equal names of an object the last counts.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from operators.expressions.lists import gathered, over_distinct, valid_of

_SHOWN: Final = 60

Step = str | int
"""A name of an object, or a place in an array (from 0; from the end where negative)."""


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_number)
_SCAN: Final[Callable[[str, int], tuple[Any, int]]] = _DECODER.scan_once  # type: ignore[attr-defined]
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def load(text: str) -> Any:
    """The value of a document. Raises ArrowInvalid, with the place in the text, where it is none."""
    try:
        # Most documents have no space around them, and need no more than the scanner.
        value, end = _SCAN(text, 0)
        if end == len(text):
            return value
    except (StopIteration, ValueError, RecursionError):
        pass
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        where = f"line {error.lineno}, column {error.colno}"
        raise pa.ArrowInvalid(f"invalid JSON at {where}: {error.msg}: {shown!r}") from None
    except (ValueError, RecursionError) as error:
        raise pa.ArrowInvalid(f"invalid JSON: {error}") from None


def dump(value: Any) -> str:
    """A value as a document."""
    if type(value) is int or (type(value) is float and math.isfinite(value)):
        return repr(value)
    return _ENCODER.encode(value)


def is_document(text: str) -> bool:
    """Whether a text is a JSON value."""
    try:
        _DECODER.decode(text)
    except (ValueError, RecursionError):
        return False
    return True


def kind_of(value: Any) -> str:
    """What PostgreSQL calls the type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
    return "array" if isinstance(value, list) else "object"


def text_of(value: Any) -> str | None:
    """A value as plain text: strings without quotes, null as NULL."""
    return value if isinstance(value, str) or value is None else dump(value)


def found(value: Any, steps: Sequence[Step]) -> tuple[bool, Any]:
    """Whether a path leads somewhere, and to what."""
    for step in steps:
        if isinstance(step, str):
            there = isinstance(value, dict) and step in value
        else:
            there = isinstance(value, list) and -len(value) <= step < len(value)
        if not there:
            return False, None
        value = value[step]
    return True, value


_PART: Final = re.compile(
    r"""\s*(?:\.\s*(?:"((?:[^"\\]|\\.)*)"|([^\s.\["'*?@()]+))|\[\s*(-?\d+|"[^"]*"|'[^']*')\s*\])"""
)


def parse_path(path: str) -> tuple[Step, ...]:
    """The steps of a path such as ``$.a[0]."b c"``. Raises ArrowInvalid where it has others than names and numbers."""
    text = path.strip()
    text = re.sub(r"^(lax|strict)\s+", "", text)
    if text.startswith("$"):
        position = 1
    elif text and text[0] not in ".[":
        text, position = "." + text, 0
    else:
        raise pa.ArrowInvalid(f"{path!r} is no path; write for example '$.name[0]'")
    steps: list[Step] = []
    while position < len(text):
        part = _PART.match(text, position)
        if part is None:
            raise pa.ArrowInvalid(f"{path!r} is no path of names and numbers; write for example '$.name[0]'")
        quoted, name, index = part.groups()
        if index is not None:
            steps.append(index[1:-1] if index[0] in "\"'" else int(index))
        else:
            steps.append(name if quoted is None else load(f'"{quoted}"'))
        position = part.end()
    return tuple(steps)


def checked(texts: pa.Array) -> pa.Array:
    """The texts, each of which is a document. Raises ArrowInvalid where one is not."""
    known = texts.drop_null()
    for text in known.unique().to_pylist():
        load(text)
    return texts


def mapped(function: Any, kind: pa.DataType, texts: pa.Array) -> pa.Array:
    """A Python function over documents, called once for each distinct one; NULL gives NULL."""
    known = valid_of(texts)
    if known.all():
        return over_distinct(function, kind, texts)
    result = over_distinct(function, kind, texts.drop_null())
    return gathered(result, np.where(known, np.cumsum(known) - 1, -1))
