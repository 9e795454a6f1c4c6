"""Check sums and hashes of text (in UTF-8) and of bytes.

Of text, SHA-2 is text in hexadecimal digits, as in DuckDB; of bytes it is bytes, as in PostgreSQL.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from flow.hashing import hash_columns
from operators.expressions.functions.parameters import as_array, by_value, row_count
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.types import Argument


def _data(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _hexadecimal(name: str) -> Callable[..., pa.Array]:
    def digest(value: str | bytes) -> str:
        return hashlib.new(name, _data(value), usedforsecurity=False).hexdigest()

    return by_value(digest, pa.string())


function(
    "md5(text) -> text",
    "md5(binary) -> text",
    total=True,
    says="MD5, in hexadecimal digits.",
    examples=["md5('abc') = '900150983cd24fb0d6963f7d28e17f72'"],
    by_row=True,
)(_hexadecimal("md5"))
function(
    "sha1(text) -> text",
    "sha1(binary) -> text",
    total=True,
    says="SHA-1, in hexadecimal digits.",
    examples=["sha1('abc') = 'a9993e364706816aba3e25717850c26c9cd0d89d'"],
    by_row=True,
)(_hexadecimal("sha1"))


def _sha2(bits: int) -> None:
    name = f"sha{bits}"
    first = hashlib.new(name, b"abc").digest()
    function(
        f"{name}(text) -> text",
        total=True,
        says=f"SHA-2 of {bits} bits: of text in hexadecimal digits, of bytes as bytes.",
        examples=[f"{name}('abc') = '{first.hex()}'", f"{name}('\\x616263'::bytea) = '\\x{first.hex()}'"],
        by_row=True,
    )(_hexadecimal(name))
    function(f"{name}(binary) -> binary", total=True)(
        by_value(lambda data: hashlib.new(name, data).digest(), pa.binary())
    )


for _bits in (224, 256, 384, 512):
    _sha2(_bits)


def _sha2_digits(value: str | bytes, bits: int) -> str | None:
    """As Spark and MySQL: 0 stands for 256, and there is no digest of other lengths."""
    if bits not in (0, 224, 256, 384, 512):
        return None
    return hashlib.new(f"sha{bits or 256}", _data(value)).hexdigest()


function(
    "sha2(text, bigint) -> text",
    "sha2(binary, bigint) -> text",
    total=True,
    says="SHA-2 of a number of bits, in hexadecimal digits (Spark, MySQL).",
    examples=["left(sha2('abc', 256), 8) = 'ba7816bf'", "sha2('abc', 1) IS NULL"],
    by_row=True,
)(by_value(_sha2_digits, pa.string()))
function(
    "crc32(text) -> bigint",
    "crc32(binary) -> bigint",
    total=True,
    says="CRC-32.",
    examples=["crc32('abc') = 891568578"],
    by_row=True,
)(by_value(lambda value: zlib.crc32(_data(value)), pa.int64()))


def _hash(*values: Any) -> pa.Array:
    rows = row_count(values)
    return pa.array(hash_columns([as_array(value, rows) for value in values]))


def _hashed(arguments: Sequence[Argument]) -> Resolved | None:
    if not arguments:
        return None
    return Resolved(tuple(argument.type for argument in arguments), pa.uint64(), _hash, total=True)


overload(
    "hash(any...) -> ubigint",
    _hashed,
    says="A hash of values of any types, the same in every run (other numbers than DuckDB's); NULLs are equal.",
    examples=["(hash('a', 1) = hash('a', 1)) = true", "(hash('a') = hash('b')) = false"],
)
