r"""Casts between text and bytes, as PostgreSQL reads and prints BYTEA.

Text is ``\x`` and hexadecimal digits; or else bytes as they are in UTF-8, but for ``\\`` and ``\ooo`` (octal).
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import register_casts
from operators.expressions.characters import content, from_content

_DIGITS: Final = np.frombuffer(bytes(range(256)).hex().encode(), np.uint8).reshape(256, 2)

_ESCAPED: Final = re.compile(rb"\\(\\|[0-3][0-7]{2}|)")


def to_hex(value: pa.Array) -> pa.Array:
    """Bytes as text of two hexadecimal digits each, in lower case."""
    data, _, ends = content(pc.cast(value, pa.binary()))
    offsets = np.concatenate(([0], 2 * ends))
    return from_content(pa.string(), _DIGITS[data].tobytes(), offsets, pc.is_valid(value))


def escaped_bytes(text: str) -> bytes:
    r"""The bytes that text stands for, with ``\\`` and ``\ooo`` in it. Raises ValueError where it is malformed."""

    def part(found: re.Match[bytes]) -> bytes:
        if not found[1]:
            raise ValueError(f"invalid input syntax for type bytea: {text!r}")
        return b"\\" if found[1] == b"\\" else bytes((int(found[1], 8),))

    return _ESCAPED.sub(part, text.encode())


def read_bytes(text: str) -> bytes:
    """The bytes of BYTEA's text. Raises ValueError where it is malformed."""
    if not text.startswith("\\x"):
        return escaped_bytes(text)
    try:
        return bytes.fromhex(text[2:])
    except ValueError:
        raise ValueError(f"invalid hexadecimal digits for type bytea: {text!r}") from None


def _text_to_bytes(value: pa.Array, target: pa.DataType) -> pa.Array:
    if pc.any(pc.match_substring(value, "\\")).as_py():
        different = value.dictionary_encode()
        read: Any = [None if text is None else read_bytes(text) for text in different.dictionary.to_pylist()]
        return pa.array(read, pa.binary()).take(different.indices).cast(target)
    return pc.cast(value, target)


def _bytes_to_text(value: pa.Array, target: pa.DataType) -> pa.Array:
    return pc.binary_join_element_wise("\\x", to_hex(value), "")


register_casts({("text", "binary"): _text_to_bytes, ("binary", "text"): _bytes_to_text})
