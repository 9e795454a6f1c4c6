"""Numbers as text in a format of PostgreSQL's, and text in such a format as numbers.

A format is taken apart once; numbers are written one by one, over the distinct values.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

import attrs
import pyarrow as pa

from operators.expressions.functions.formats import format_of, time_to_char
from operators.expressions.registry import Resolved, overload
from operators.expressions.time_casts import over_distinct
from operators.expressions.types import NUMBERS, Argument, ExpressionError, decimal

_TOKENS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|EEEE|FM|MI|PL|SG|PR|RN|TH|[90.,DGLSV]|\\.|.', re.IGNORECASE | re.DOTALL)
_CONTEXT: Final = Context(prec=80, rounding=ROUND_HALF_UP)
_ROMAN: Final = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
    (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
_LEADING_SIGN: Final = "\0S"
"""Holds the place of a sign that comes right before the number."""


@attrs.frozen
class Picture:
    """A number's format.

    Attributes:
        tokens: what it is made of, in order; words in upper case, text as it comes out.
        words: which of them are words.
        whole: digits before the point.
        fraction: digits behind it.
        first_zero: the first digit that is written even as 0: its place among those before the point, or their number.
        last_zero: how many digits behind the point are always written.
        shift: digits by which the number is multiplied (V).
    """

    tokens: tuple[str, ...]
    words: tuple[bool, ...]
    whole: int
    fraction: int
    first_zero: int
    last_zero: int
    shift: int

    def has(self, *names: str) -> bool:
        """Whether one of these words is in the format."""
        return any(word and token in names for token, word in zip(self.tokens, self.words, strict=True))


def picture_of(form: str) -> Picture:
    """A format taken apart. Raises ExpressionError where it makes no sense."""
    tokens: list[str] = []
    words: list[bool] = []
    whole = fraction = shift = last_zero = 0
    first_zero = -1
    behind = shifted = False
    for token in _TOKENS.findall(form):
        name = token.upper()
        word = (len(token) > 1 and token[0] not in '"\\') or name in ("9", "0", ".", ",", "D", "G", "L", "S", "V")
        if name in ("9", "0"):
            if shifted:
                shift += 1
            elif behind:
                fraction += 1
            else:
                whole += 1
            if name == "0" and behind:
                last_zero = fraction
            elif name == "0" and first_zero < 0:
                first_zero = whole + shift - 1
        elif name in (".", "D"):
            if behind:
                raise ExpressionError(f"the number format {form!r} has two decimal points")
            behind = True
        elif name == "V":
            shifted = True
        if token[0] == '"':
            token = re.sub(r"\\(.)", r"\1", token[1:-1])
        elif token[0] == "\\" and len(token) > 1:
            token = token[1:]
        tokens.append((name if name != "TH" else token) if word else token)
        words.append(bool(word))
    if (shifted and behind) or (any(w and t == "EEEE" for t, w in zip(tokens, words, strict=True)) and shifted):
        raise ExpressionError(f"the number format {form!r} has V beside a decimal point")
    total = whole + shift
    return Picture(
        tuple(tokens), tuple(words), total, fraction, total if first_zero < 0 else first_zero, last_zero, shift
    )


def written(number: Decimal, picture: Picture) -> str:
    """A number in a format, as PostgreSQL writes it."""
    fill = picture.has("FM")
    if picture.has("RN"):
        value = int(number.to_integral_value(ROUND_HALF_UP)) if number.is_finite() else 0
        roman = "".join(_roman(value)) if 0 < value < 4000 else "#" * 15
        return roman if fill else roman.rjust(15)
    if not number.is_finite():
        return _overflowed(picture, number, fill)
    if picture.has("EEEE"):
        return _scientific(number, picture, fill)
    scaled = abs(number).scaleb(picture.shift, _CONTEXT)
    rounded = scaled.quantize(Decimal(1).scaleb(-picture.fraction), ROUND_HALF_UP, _CONTEXT)
    negative = number < 0 and rounded != 0
    digits, _, behind = f"{rounded:f}".partition(".")
    digits = "" if digits == "0" and picture.whole != 0 and picture.fraction != 0 else digits
    if len(digits) > picture.whole:
        digits, behind = "#" * picture.whole, "#" * picture.fraction
    if picture.whole and rounded == 0 and not picture.fraction and not digits:
        digits = "0"
    return _laid_out(digits.rjust(picture.whole), behind, negative, picture, fill)


def _laid_out(digits: str, behind: str, negative: bool, picture: Picture, fill: bool) -> str:
    """The digits in their places, and all else around them.

    Args:
        digits: before the decimal point, with blanks where there are places for more.
        behind: the digits behind it.
        negative: whether the number is below zero.
        picture: the format.
        fill: whether padding is left out.
    """
    blank = "" if fill else " "
    shown = next((place for place, digit in enumerate(digits) if digit != " "), len(digits))
    start = min(shown, picture.first_zero)
    if fill:
        kept = behind.rstrip("0") if "#" not in behind else behind
        behind = kept + behind[len(kept) : picture.last_zero]
    out: list[str] = []
    place = after = 0
    number_start: int | None = None
    for token, word in zip(picture.tokens, picture.words, strict=True):
        if not word:
            out.append(token)
        elif token in ("9", "0") and place >= len(digits):
            out.append(behind[after : after + 1])
            after += 1
        elif token in ("9", "0"):
            if place >= start:
                number_start = len(out) if number_start is None else number_start
                out.append("0" if digits[place] == " " else digits[place])
            else:
                out.append(blank)
            place += 1
        elif token in (".", "D"):
            number_start = len(out) if number_start is None else number_start
            out.append(".")
        elif token in (",", "G"):
            out.append("," if place > start else blank)
        elif token == "S" and place == 0:
            out.append(_LEADING_SIGN)
        elif (mark := _mark(token, digits, negative, blank)) is not None:
            out.append(mark)
    return _signed(out, len(out) if number_start is None else number_start, negative, picture, blank)


def _mark(token: str, digits: str, negative: bool, blank: str) -> str | None:
    """What a word of a format that is no place of a digit stands for; None where it says how others are written."""
    match token:
        case "L":
            return blank
        case "S" | "SG":
            return "-" if negative else "+"
        case "MI":
            return "-" if negative else blank
        case "PL":
            return blank if negative else "+"
        case "PR":
            return ">" if negative else blank
        case "TH" | "th" | "Th" | "tH":
            ending = "" if negative else "th" if "#" in digits else _ending(digits)
            return ending.upper() if token.isupper() else ending
    return None


def _signed(out: list[str], start: int, negative: bool, picture: Picture, blank: str) -> str:
    """The parts of a number as one text, with its sign where the number starts, unless it stands elsewhere."""
    if _LEADING_SIGN in out:
        out.remove(_LEADING_SIGN)
        out.insert(max(start - 1, 0), "-" if negative else "+")
    elif picture.has("PR"):
        out.insert(start, "<" if negative else blank)
    elif not picture.has("S", "MI", "SG"):
        out.insert(start, "-" if negative else blank)
    return "".join(out)


def _ending(digits: str) -> str:
    number = int(digits.strip() or 0)
    if number // 10 % 10 == 1:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _roman(value: int) -> list[str]:
    letters = []
    for size, letter in _ROMAN:
        while value >= size:
            letters.append(letter)
            value -= size
    return letters


def _overflowed(picture: Picture, number: Decimal, fill: bool) -> str:
    behind = "#" * picture.fraction
    return _laid_out("#" * picture.whole, behind, number.is_signed() and not number.is_nan(), picture, fill)


def _scientific(number: Decimal, picture: Picture, fill: bool) -> str:
    text = f"{number:.{picture.fraction}e}" if number else f"{0:.{picture.fraction}e}"
    mantissa, _, exponent = text.partition("e")
    shown = f"{mantissa}e{int(exponent):+03d}"
    return shown if number < 0 or fill else f" {shown}"


def read_number(text: str, picture: Picture) -> Decimal:
    """The number that a text says in a format. Raises ArrowInvalid where it says none."""
    negative = "-" in text or (picture.has("PR") and "<" in text)
    digits = "".join(character for character in text if character.isdigit() or character == ".")
    whole, _, behind = digits.partition(".")
    if not (whole or behind):
        raise pa.ArrowInvalid(f"{text!r} has no number for the format")
    number = Decimal(f"{whole[: picture.whole] or 0}.{behind[: picture.fraction] or 0}").scaleb(-picture.shift)
    return -number if negative else number


def _to_char(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or arguments[0].family not in NUMBERS:
        return time_to_char(arguments)
    if arguments[1].family != "text":
        return None
    picture = picture_of(format_of(arguments[1], "999.99"))
    kind = arguments[0].type

    def spelled(value: Any) -> str:
        return written(Decimal(repr(value)) if isinstance(value, float) else Decimal(value), picture)

    return Resolved((kind, pa.string()), pa.string(), lambda value, _: over_distinct(value, pa.string(), spelled))


overload(
    "to_char(any, const text) -> text",
    _to_char,
    says="A number, date, timestamp or interval as text in a format of PostgreSQL's words.",
    examples=[
        "to_char(1485.5, '9,999.99') = ' 1,485.50'",
        "to_char(-12, 'FM000') = '-012'",
        "to_char(TIMESTAMP '2024-02-29 17:31:12.66', 'FMDay, DD Mon YYYY HH12:MI:SS.MS AM')"
        " = 'Thursday, 29 Feb 2024 05:31:12.660 PM'",
        "to_char(INTERVAL '15h 2m 12s', 'HH24:MI:SS') = '15:02:12'",
    ],
    by_row=True,
)


def _to_number(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or any(argument.family not in ("text", "null") for argument in arguments):
        return None
    picture = picture_of(format_of(arguments[1], "999.99"))
    result = decimal(max(picture.whole + picture.fraction, 1), picture.fraction + picture.shift)

    def kernel(value: Any, _: Any) -> pa.Array:
        return over_distinct(value, result, lambda text: read_number(text, picture))

    return Resolved((pa.string(), pa.string()), result, kernel)


overload(
    "to_number(text, const text) -> decimal",
    _to_number,
    says="The number that a text says in a format of PostgreSQL's words, a decimal of as many digits.",
    examples=["to_number('12,454.8-', '99G999D9S') = -12454.8"],
    by_row=True,
)
