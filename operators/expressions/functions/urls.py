"""URLs, by their parts (RFC 3986): NULL where a part is not there.

Nothing is decoded but by `url_decode`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.characters import content, from_content
from operators.expressions.functions.parameters import by_value, parametric
from operators.expressions.registry import function

_URL: Final = (
    r"^(?:(?P<protocol>[A-Za-z][A-Za-z0-9+.-]*):)?"
    r"(?://(?P<authority>(?:(?P<userinfo>[^/?#@]*)@)?(?P<host>\[[^\]/?#]*\]|[^/?#:]*)(?::(?P<port>[0-9]*))?))?"
    r"(?P<file>(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?)(?:#(?P<fragment>(?s:.*)))?$"
)

_PARTS: Final = {
    "PROTOCOL": "protocol",
    "AUTHORITY": "authority",
    "USERINFO": "userinfo",
    "HOST": "host",
    "PATH": "path",
    "QUERY": "query",
    "REF": "fragment",
    "FILE": "file",
}
"""Parts by the names that parse_url has for them."""


@cache
def _only(name: str) -> str:
    """The expression that captures one part alone."""
    return re.sub(r"\?P<(\w+)>", lambda found: found[0] if found[1] == name else "?:", _URL)


def _part(url: pa.Array, name: str) -> pa.Array:
    expression = _only(name)
    found, spans = pc.extract_regex(url, expression), pc.extract_regex_span(url, expression)
    present = pc.and_(pc.is_valid(spans), pc.is_valid(pc.struct_field(spans, 0)))
    return pc.if_else(present, pc.struct_field(found, 0), pa.scalar(None, pa.string()))


def _parameter(url: pa.Array, key: str) -> pa.Array:
    query = _part(url, "query")
    return pc.struct_field(pc.extract_regex(query, rf"(?:^|&){re.escape(key)}=(?P<value>[^&]*)"), 0)


def _parse(url: pa.Array, part: str, key: str | None = None) -> pa.Array:
    if part.upper() not in _PARTS:
        raise pa.ArrowInvalid(f"a URL has no part {part!r}; known here: {sorted(_PARTS)}")
    if key is None:
        return _part(url, _PARTS[part.upper()])
    if part.upper() != "QUERY":
        raise pa.ArrowInvalid(f"only QUERY has keys, not {part}")
    return _parameter(url, key)


function("parse_url(text, text) -> text")(parametric(_parse))
function(
    "parse_url(text, text, text) -> text",
    says="A part of a URL: PROTOCOL, AUTHORITY, USERINFO, HOST, PATH, QUERY (with a third argument one parameter of "
    "it), FILE (path and query) or REF (Flink, Spark).",
    examples=[
        "parse_url('http://user@host.org:80/a/b.html?k=v&l=w#top', 'HOST') = 'host.org'",
        "parse_url('http://host.org/a?k=v&l=w#top', 'QUERY', 'l') = 'w'",
        "parse_url('http://host.org/a?k=v#top', 'FILE') = '/a?k=v'",
        "parse_url('http://host.org/a', 'REF') IS NULL",
    ],
)(parametric(_parse))


def _extracting(part: str, says: str, example: str) -> None:
    def kernel(url: pa.Array) -> pa.Array:
        return _part(url, part)

    function(f"url_extract_{part}(text) -> text", total=True, says=says, examples=[example])(kernel)


_extracting("protocol", "The protocol of a URL.", "url_extract_protocol('https://example.org/a') = 'https'")
_extracting("host", "The host of a URL, without port.", "url_extract_host('https://example.org:443/a') = 'example.org'")
_extracting("path", "The path of a URL.", "url_extract_path('https://example.org/a/b?x=1') = '/a/b'")
_extracting("query", "The query of a URL.", "url_extract_query('https://example.org/a?x=1&y=2') = 'x=1&y=2'")
_extracting("fragment", "What follows # in a URL.", "url_extract_fragment('https://example.org/a#top') = 'top'")


@function(
    "url_extract_port(text) -> bigint",
    says="The port that a URL names.",
    examples=[
        "url_extract_port('https://example.org:8080/a') = 8080",
        "url_extract_port('https://example.org') IS NULL",
    ],
)
def _port(url: Any) -> pa.Array:
    port = _part(url, "port")
    return pc.cast(pc.if_else(pc.equal(port, ""), pa.scalar(None, pa.string()), port), pa.int64())


function(
    "url_extract_parameter(text, text) -> text",
    total=True,
    says="The value of the first parameter of a name in the query of a URL, as it is written.",
    examples=["url_extract_parameter('https://example.org/a?x=1&y=a%20b', 'y') = 'a%20b'"],
)(parametric(_parameter))

_KEPT: Final = np.isin(np.arange(256), list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"))
"""Which bytes are not encoded."""

_DIGITS: Final = np.frombuffer(b"0123456789ABCDEF", np.uint8)


@function(
    "url_encode(text) -> text",
    total=True,
    says="The text with all characters but letters, digits and -_.~ as codes of URLs (%20 for a blank).",
    examples=["url_encode('this string is+ encoded/é') = 'this%20string%20is%2B%20encoded%2F%C3%A9'"],
)
def _encode(value: Any) -> pa.Array:
    data, _, ends = content(value)
    widths = np.where(_KEPT[data], 1, 3)
    sums = np.concatenate(([0], np.cumsum(widths)))
    encoded = np.repeat(data, widths)
    places, codes = sums[:-1][widths == 3], data[widths == 3]
    encoded[places] = ord("%")
    encoded[places + 1] = _DIGITS[codes >> 4]
    encoded[places + 2] = _DIGITS[codes & 15]
    return from_content(pa.string(), encoded.tobytes(), sums[np.concatenate(([0], ends))], pc.is_valid(value))


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise ValueError(f"{text!r} is no text in UTF-8 when it is decoded") from None


def _decode() -> Callable[..., pa.Array]:
    slow = by_value(_decoded, pa.string())

    def kernel(value: Any) -> pa.Array:
        return slow(value) if pc.any(pc.match_substring(value, "%")).as_py() else value

    return kernel


function(
    "url_decode(text) -> text",
    says="The text with the codes of URLs (%20) decoded; + stays.",
    examples=["url_decode('this%20string%20is%2B%20encoded') = 'this string is+ encoded'"],
    by_row=True,
)(_decode())
