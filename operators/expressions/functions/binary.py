r"""Functions of bytes (BYTEA), and between bytes and text.

Positions count bytes from 1, but those of get_byte and the like from 0.

Bytes are written as `'\x...'::bytea`, with two hexadecimal digits a byte.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from operators.expressions.bytes_casts import escaped_bytes, to_hex
from operators.expressions.characters import content, from_content
from operators.expressions.functions.parameters import as_array, by_value, parametric, row_count
from operators.expressions.registry import Resolved, Rule, function, overload
from operators.expressions.types import Argument, ExpressionError

_LINE: Final = 76
"""Characters in a line of PostgreSQL's base64."""


def _length(value: Any) -> pa.Array:
    return pc.cast(pc.binary_length(value), pa.int64())


function("length(binary) -> bigint", total=True)(_length)
function(
    "octet_length(text) -> bigint",
    "octet_length(binary) -> bigint",
    total=True,
    says="The number of bytes, of text in UTF-8.",
    examples=["octet_length('jösé') = 6", r"octet_length('\x1234'::bytea) = 2"],
)(_length)
function(
    "bit_length(text) -> bigint",
    "bit_length(binary) -> bigint",
    total=True,
    says="The number of bits, of text in UTF-8.",
    examples=["bit_length('jose') = 32"],
)(lambda value: pc.multiply(_length(value), 8))


@function("substring(binary, bigint) -> binary", "substr(binary, bigint) -> binary")
@parametric
def _substring_from(value: Any, start: int) -> pa.Array:
    return pc.binary_slice(value, max(start - 1, 0))


@function("substring(binary, bigint, bigint) -> binary", "substr(binary, bigint, bigint) -> binary")
@parametric
def _substring(value: Any, start: int, length: int) -> pa.Array:
    if length < 0:
        raise pa.ArrowInvalid("negative substring length not allowed")
    return pc.binary_slice(value, max(start - 1, 0), max(start - 1 + length, 0))


function("reverse(binary) -> binary", total=True)(pc.binary_reverse)


@function("strpos(binary, binary) -> bigint", total=True)
def _position(value: Any, part: Any) -> pa.Array:
    found = parametric(lambda data, wanted: pc.find_substring(data, wanted), pa.int32())(value, part)
    return pc.add(pc.cast(found, pa.int64()), 1)


def _trimmed(sides: str) -> Callable[[bytes, bytes], bytes]:
    return {"l": bytes.lstrip, "r": bytes.rstrip, "b": bytes.strip}[sides]


for _name, _sides in (("trim", "b"), ("btrim", "b"), ("ltrim", "l"), ("rtrim", "r")):
    function(f"{_name}(binary, binary) -> binary", total=True)(by_value(_trimmed(_sides), pa.binary()))


def _at(value: Any, place: Any, bits: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], pa.Array]:
    """All bytes, where each value starts among them, the place in each as a number, and which rows are not NULL."""
    rows = row_count([value, place])
    data, starts, ends = content(as_array(value, rows))
    places = as_array(place, rows)
    valid = pc.and_(pc.is_valid(as_array(value, rows)), pc.is_valid(places))
    numbers = pc.fill_null(places, 0).to_numpy().astype(np.int64)
    sizes = (ends - starts) * bits
    wrong = valid.to_numpy(zero_copy_only=False) & ((numbers < 0) | (numbers >= sizes))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise pa.ArrowInvalid(f"index {numbers[row]} out of valid range, 0..{sizes[row] - 1}")
    return data, starts, numbers, valid


def _numbers(values: NDArray[Any], valid: pa.Array) -> pa.Array:
    return pa.array(values.astype(np.int64), mask=~valid.to_numpy(zero_copy_only=False))


def _got(data: NDArray[np.uint8], places: NDArray[np.int64], valid: pa.Array) -> NDArray[np.int64]:
    """The bytes at these places; 0 for NULL, which may have none."""
    wanted = np.where(valid.to_numpy(zero_copy_only=False), places, 0)
    padded = data if len(data) else np.zeros(1, np.uint8)
    return padded[np.minimum(wanted, len(padded) - 1)].astype(np.int64)


@function(
    "get_byte(binary, bigint) -> bigint",
    says="The n-th byte, from 0.",
    examples=[r"get_byte('\x1234567890'::bytea, 4) = 144"],
)
def _get_byte(value: Any, place: Any) -> pa.Array:
    data, starts, numbers, valid = _at(value, place, 1)
    return _numbers(_got(data, starts + numbers, valid), valid)


@function(
    "get_bit(binary, bigint) -> bigint",
    says="The n-th bit, from 0; the first is the lowest of the first byte.",
    examples=[r"get_bit('\x1234567890'::bytea, 30) = 1"],
)
def _get_bit(value: Any, place: Any) -> pa.Array:
    data, starts, numbers, valid = _at(value, place, 8)
    return _numbers((_got(data, starts + numbers // 8, valid) >> (numbers % 8)) & 1, valid)


def _set(value: Any, place: Any, new: Any, bits: int) -> pa.Array:
    rows = row_count([value, place, new])
    data, starts, numbers, valid = _at(as_array(value, rows), place, bits)
    fresh = as_array(new, rows)
    valid = pc.and_(valid, pc.is_valid(fresh))
    given = pc.fill_null(fresh, 0).to_numpy().astype(np.int64)
    there = valid.to_numpy(zero_copy_only=False)
    changed = data.copy()
    places = (starts + numbers // bits)[there]
    if bits == 1:
        changed[places] = given[there].astype(np.uint8)
    else:
        if (there & ((given < 0) | (given > 1))).any():
            raise pa.ArrowInvalid("new bit must be 0 or 1")
        shift = numbers[there] % 8
        changed[places] = (changed[places] & ~(1 << shift).astype(np.uint8)) | (given[there] << shift).astype(np.uint8)
    _, _, ends = content(as_array(value, rows))
    return from_content(pa.binary(), changed.tobytes(), np.concatenate(([0], ends)), valid)


@function(
    "set_byte(binary, bigint, bigint) -> binary",
    says="The bytes with the n-th, from 0, replaced.",
    examples=[r"set_byte('\x1234567890'::bytea, 4, 64) = '\x1234567840'"],
)
def _set_byte(value: Any, place: Any, new: Any) -> pa.Array:
    return _set(value, place, pc.bit_wise_and(new, 255), 1)


@function(
    "set_bit(binary, bigint, bigint) -> binary",
    says="The bytes with the n-th bit, from 0, replaced.",
    examples=[r"set_bit('\x1234567890'::bytea, 30, 0) = '\x1234563890'"],
)
def _set_bit(value: Any, place: Any, new: Any) -> pa.Array:
    return _set(value, place, new, 8)


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _to_lines(data: bytes) -> str:
    text = _to_base64(data)
    return "\n".join(text[start : start + _LINE] for start in range(0, len(text), _LINE))


def _to_escapes(data: bytes) -> str:
    return "".join("\\\\" if byte == 0x5C else chr(byte) if 0 < byte < 0x80 else f"\\{byte:03o}" for byte in data)


def _of_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"invalid hexadecimal digits: {text!r}") from None


def _of_base64(text: str) -> bytes:
    try:
        return base64.b64decode(re.sub(r"\s", "", text), validate=True)
    except binascii.Error as error:
        raise ValueError(f"invalid base64 {text!r}: {error}") from None


_ENCODE: Final[dict[str, Callable[..., pa.Array]]] = {
    "hex": to_hex,
    "base64": by_value(_to_lines, pa.string()),
    "escape": by_value(_to_escapes, pa.string()),
}
_DECODE: Final[dict[str, Callable[..., pa.Array]]] = {
    "hex": by_value(_of_hex, pa.binary()),
    "base64": by_value(_of_base64, pa.binary()),
    "escape": by_value(escaped_bytes, pa.binary()),
}


def _charset(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise ExpressionError(
            f"no encoding {name!r}; known here: Python's, such as UTF8, LATIN1, WIN1252, and "
            f"{', '.join(_ENCODE)} of bytes as text"
        ) from None


def _encoded(charset: str) -> Callable[..., pa.Array]:
    if charset == "utf-8":
        return lambda value: pc.cast(value, pa.binary())
    return by_value(lambda text: text.encode(charset), pa.binary())


def _utf8(value: pa.Array) -> pa.Array:
    try:
        return pc.cast(value, pa.string())
    except pa.ArrowInvalid:
        raise pa.ArrowInvalid("the bytes are no text in UTF-8") from None


def _decoded(charset: str) -> Callable[..., pa.Array]:
    return _utf8 if charset == "utf-8" else by_value(lambda data: data.decode(charset), pa.string())


def _format(arguments: Sequence[Argument], name: str) -> str:
    """The second argument, which the query says; UTF-8 without one."""
    if len(arguments) == 1:
        return "UTF8"
    if not isinstance(arguments[1].constant, str):
        raise ExpressionError(f"the format or encoding of {name}() must be said by the query")
    return arguments[1].constant


def _applied(kernel: Callable[..., pa.Array]) -> Callable[..., pa.Array]:
    """A kernel that does without its second argument, which is a constant."""
    return lambda value, *_: kernel(value)


def _encoding(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) not in (1, 2) or arguments[0].family not in ("text", "binary", "null"):
        return None
    form, more = _format(arguments, "encode"), (pa.string(),) * (len(arguments) - 1)
    if form.lower() in _ENCODE:
        if arguments[0].family == "text" and not arguments[0].unknown:
            return None
        return Resolved((pa.binary(), *more), pa.string(), _applied(_ENCODE[form.lower()]))
    charset = _charset(form)
    if arguments[0].family == "binary":
        return None
    return Resolved((pa.string(), *more), pa.binary(), _applied(_encoded(charset)))


def _decoding(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) not in (1, 2) or arguments[0].family not in ("text", "binary", "null"):
        return None
    form, more = _format(arguments, "decode"), (pa.string(),) * (len(arguments) - 1)
    if form.lower() in _DECODE:
        return (
            None
            if arguments[0].family == "binary"
            else Resolved((pa.string(), *more), pa.binary(), _applied(_DECODE[form.lower()]))
        )
    charset = _charset(form)
    if arguments[0].family == "text" and not arguments[0].unknown:
        return None
    return Resolved((pa.binary(), *more), pa.string(), _applied(_decoded(charset)))


overload(
    "encode(binary, const text) -> text",
    _encoding,
    says="Bytes as text: `hex`, `base64` (lines of 76) or `escape`; text as bytes in an encoding, UTF8 where none is "
    "said. All but hex and UTF8 are computed value by value.",
    examples=[
        r"encode('\x123456'::bytea, 'hex') = '123456'",
        r"encode('\x123456'::bytea, 'base64') = 'EjRW'",
        r"encode('\x6100ff'::bytea, 'escape') = 'a\000\377'",
    ],
    by_row=True,
)
overload(
    "decode(text, const text) -> binary",
    _decoding,
    says="The inverse of encode: text as the bytes that it stands for; bytes as text in an encoding.",
    examples=[
        r"decode('123456', 'hex') = '\x123456'",
        r"decode('Ej RW', 'base64') = '\x123456'",
        r"decode('a\000', 'escape') = '\x6100'",
        r"decode('\xc3a9'::bytea, 'UTF8') = 'é'",
    ],
    by_row=True,
)


def _with_charset(make: Callable[[str], Callable[..., pa.Array]], source: str, name: str) -> Rule:
    types = (pa.string(), pa.binary()) if source == "text" else (pa.binary(), pa.string())

    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 2 or not (arguments[0].family == source or arguments[0].unknown):
            return None
        return Resolved((types[0], pa.string()), types[1], _applied(make(_charset(_format(arguments, name)))))

    return rule


overload(
    "convert_to(text, const text) -> binary",
    _with_charset(_encoded, "text", "convert_to"),
    says="Text as bytes in an encoding (value by value, but for UTF8).",
    examples=[r"convert_to('é', 'UTF8') = '\xc3a9'", r"convert_to('é', 'LATIN1') = '\xe9'"],
    by_row=True,
)
overload(
    "convert_from(binary, const text) -> text",
    _with_charset(_decoded, "binary", "convert_from"),
    says="Bytes in an encoding as text (value by value, but for UTF8).",
    examples=[r"convert_from('\xc3a9'::bytea, 'UTF8') = 'é'", r"convert_from('\xe9'::bytea, 'LATIN1') = 'é'"],
    by_row=True,
)

function(
    "to_base64(binary) -> text",
    "base64(binary) -> text",
    total=True,
    says="Bytes as base64 in one line.",
    examples=[r"to_base64('\x123456'::bytea) = 'EjRW'"],
    by_row=True,
)(by_value(_to_base64, pa.string()))
function("to_base64(text) -> text", "base64(text) -> text", total=True)(
    by_value(lambda text: _to_base64(text.encode()), pa.string())
)
function(
    "from_base64(text) -> binary",
    says="The bytes that base64 stands for.",
    examples=[r"from_base64('EjRW') = '\x123456'"],
    by_row=True,
)(_DECODE["base64"])
function(
    "unhex(text) -> binary",
    "from_hex(text) -> binary",
    says="The bytes that hexadecimal digits stand for.",
    examples=[r"unhex('6162') = '\x6162'"],
    by_row=True,
)(_DECODE["hex"])


def _digits(value: Any) -> pa.Array:
    """Whole numbers in hexadecimal, of the width of their type where they are negative."""
    big = value.cast(pa.int64()) if value.type != pa.uint64() else value
    mask = (1 << value.type.bit_width) - 1
    return by_value(lambda number: f"{number & mask:x}", pa.string())(big)


function(
    "to_hex(integer) -> text",
    total=True,
    says="A whole number in hexadecimal; a negative one as the two's complement of its type.",
    examples=["to_hex(255) = 'ff'", "to_hex((-1)::int) = 'ffffffff'"],
    by_row=True,
)(_digits)
function("to_hex(text) -> text", "to_hex(binary) -> text", total=True)(to_hex)
function(
    "hex(text) -> text",
    "hex(binary) -> text",
    total=True,
    says="Bytes, of text in UTF-8, as hexadecimal digits in upper case; of a number, its own.",
    examples=["hex('duck') = '6475636B'", "hex(255) = 'FF'"],
)(lambda value: pc.ascii_upper(to_hex(value)))
function("hex(integer) -> text", total=True)(lambda value: pc.ascii_upper(_digits(value)))
