"""Descriptions of sources, operators and sinks in few words: what differs from the defaults, and nothing else.

Only for people: what is told cannot be read back.
"""

from __future__ import annotations

from typing import Any

import attrs
import pyarrow as pa

_MOST = 12


def told(value: Any) -> str:
    """A value in the words of ``penstock explain``.

    Frozen attrs classes are told by their names and the fields that differ from their defaults; those with a text of
    their own (``__str__``), by that.
    """
    kind = type(value)
    if attrs.has(kind) and not any("__str__" in vars(base) for base in kind.__mro__ if base is not object):
        return _instance(value)
    if isinstance(value, tuple | list | frozenset | set):
        return _several(list(value))
    if isinstance(value, pa.Schema):
        return _several([(field.name, field.type) for field in value])
    if callable(value):
        return getattr(value, "__qualname__", None) or told(type(value).__name__)
    return str(value)


def _instance(value: Any) -> str:
    words = []
    for field in attrs.fields(type(value)):
        content = getattr(value, field.name)
        if not field.init or field.repr is False or content is None or _is_default(field, content):
            continue
        text = field.repr(content) if callable(field.repr) else told(content)
        words.append(text if field is attrs.fields(type(value))[0] else f"{field.name} {text}")
    return f"{type(value).__name__}({', '.join(words)})" if words else type(value).__name__


def _is_default(field: attrs.Attribute[Any], content: Any) -> bool:
    # Some values compare to something else than a truth value: an expression to an expression, an array to an array.
    same = field.default == content
    return same is True


def _several(values: list[Any]) -> str:
    pairs = all(isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) for value in values)
    texts = [f"{value[0]}: {told(value[1])}" if pairs else told(value) for value in values[:_MOST]]
    if len(values) > _MOST:
        texts.append(f"... {len(values) - _MOST} more")
    if len(values) == 1 and not pairs:
        return texts[0]
    left, right = "{}" if pairs and values else "[]"
    return f"{left}{', '.join(texts)}{right}"
