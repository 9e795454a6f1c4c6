"""The words of PostgreSQL's formats of dates and times, and reading text by them.

A format is a sequence of words and of text between them; modifiers belong to the word that they stand at.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Final

import attrs
import pyarrow as pa

from operators.expressions.time_text import DAYS, MONTHS
from operators.expressions.types import ExpressionError

_WORDS: Final = (
    "SSSSS", "SSSS", "Y,YYY", "YYYY", "IYYY", "IDDD", "MONTH", "HH24", "HH12", "A.M.", "P.M.", "B.C.", "A.D.",
    "YYY", "IYY", "DDD", "MON", "DAY", "TZH", "TZM", "FF1", "FF2", "FF3", "FF4", "FF5", "FF6", "HH", "MI", "SS", "MS",
    "US", "AM", "PM", "BC", "AD", "YY", "IY", "MM", "RM", "DY", "DD", "ID", "WW", "IW", "CC", "TZ", "OF", "Y", "I",
    "D", "W", "Q", "J",
)  # fmt: skip
_SAME: Final = {"PM": "AM", "P.M.": "A.M.", "AD": "BC", "A.D.": "B.C."}
_WIDTHS: Final = {
    "HH24": 2, "HH12": 2, "HH": 2, "MI": 2, "SS": 2, "MS": 3, "US": 6, "SSSS": 5, "SSSSS": 5, "YYYY": 4, "YYY": 3,
    "YY": 2, "Y": 1, "IYYY": 4, "IYY": 3, "IY": 2, "I": 1, "MM": 2, "DDD": 3, "IDDD": 3, "DD": 2, "D": 1, "ID": 1,
    "WW": 2, "IW": 2, "W": 1, "CC": 2, "Q": 1, "J": 7, "TZM": 2, **{f"FF{n}": n for n in range(1, 7)},
}  # fmt: skip
_ROMAN: Final = ("viii", "vii", "xii", "iii", "xi", "ix", "iv", "vi", "ii", "x", "v", "i")
_ROMAN_NUMBERS: Final = (8, 7, 12, 3, 11, 9, 4, 6, 2, 10, 5, 1)
_HALVES: Final = ("AM", (("am", 0), ("pm", 1), ("a.m.", 0), ("p.m.", 1)))
_ERAS: Final = ("BC", (("ad", 0), ("bc", 1), ("a.d.", 0), ("b.c.", 1)))
_NAMES: Final[dict[str, tuple[str, Sequence[tuple[str, int]]]]] = {
    "MONTH": ("MONTH", [(name, number) for number, name in enumerate(MONTHS, 1)]),
    "MON": ("MONTH", [(name[:3], number) for number, name in enumerate(MONTHS, 1)]),
    "DAY": ("DAY", [(name, number) for number, name in enumerate(DAYS)]),
    "DY": ("DAY", [(name[:3], number) for number, name in enumerate(DAYS)]),
    "RM": ("RM", list(zip(_ROMAN, _ROMAN_NUMBERS, strict=True))),
    "AM": _HALVES,
    "A.M.": _HALVES,
    "BC": _ERAS,
    "B.C.": _ERAS,
}
"""Of words that stand for names: the part of a moment that these say, and each name's number."""


@attrs.frozen
class Word:
    """A word of a format, or text that stands between them.

    Attributes:
        text: the word in upper case, or the text.
        known: whether it is a word.
        case: how its letters are written: U(pper), T(itle), l(ower).
        fill: whether padding is left out (FM).
        suffix: ``TH`` or ``th`` behind a number.
        quoted: whether text stood in quotes.
    """

    text: str
    known: bool = False
    case: str = "U"
    fill: bool = False
    suffix: str = ""
    quoted: bool = False


def words_of(form: str) -> list[Word]:
    """A format taken apart. Raises ExpressionError where a quotation does not end."""
    words: list[Word] = []
    place = 0
    fill = False
    while place < len(form):
        rest = form[place:]
        if rest[0] == '"':
            found = re.match(r'"((?:[^"\\]|\\.)*)"', rest)
            if found is None:
                raise ExpressionError(f"the format {form!r} has a quotation that does not end")
            words.append(Word(re.sub(r"\\(.)", r"\1", found[1]), quoted=True))
            place += found.end()
            continue
        if rest[:2].upper() in ("FM", "TM", "FX"):
            fill = fill or rest[:2].upper() != "FX"
            place += 2
            continue
        word = next((word for word in _WORDS if rest.upper().startswith(word)), None)
        if word is None:
            length = 2 if rest[0] == "\\" and len(rest) > 1 else 1
            words.append(Word(rest[length - 1]))
            place += length
            continue
        spelled = rest[: len(word)]
        place += len(word)
        suffix = form[place : place + 2] if form[place : place + 2] in ("TH", "th") else ""
        place += len(suffix)
        case = "U" if spelled[:2].isupper() or (len(spelled) < 2 and spelled.isupper()) else "l"
        if spelled[0].isupper() and spelled[1:2].islower():
            case = "T"
        words.append(Word(_SAME.get(word, word), True, case, fill, suffix))
        fill = False
    return words


def date_in(text: str, form: str, words: Sequence[Word]) -> datetime.datetime:
    """The moment that a text says in a format, UTC. Raises ArrowInvalid where it says none."""
    try:
        return _assembled(_parts(text, form, words), text)
    except (ValueError, OverflowError) as error:
        why = str(error) if isinstance(error, _MismatchError) else "it is out of range"
        raise pa.ArrowInvalid(f"{text!r} does not fit the format {form!r}: {why}") from None


class _MismatchError(ValueError):
    """The text is not as the format says."""


def _parts(text: str, form: str, words: Sequence[Word]) -> dict[str, int]:
    parts: dict[str, int] = {}
    place = 0
    for number, word in enumerate(words):
        if not word.known:
            place = _after_text(text, place, word)
            continue
        while place < len(text) and text[place].isspace():
            place += 1
        if place >= len(text):
            break
        follows = number + 1 < len(words) and words[number + 1].known and words[number + 1].text in _WIDTHS
        place = _read(text, place, word, follows, parts)
        if word.suffix and text[place : place + 2].lower() in ("st", "nd", "rd", "th"):
            place += 2
    return parts


def _after_text(text: str, place: int, word: Word) -> int:
    """Separators stand for any one; letters and quoted text for as many characters."""
    if word.text.isspace():
        while place < len(text) and text[place].isspace():
            place += 1
        return place
    if word.quoted or word.text.isalnum():
        return min(place + len(word.text), len(text))
    while place < len(text) and text[place].isspace():
        place += 1
    return place + 1 if place < len(text) and not text[place].isalnum() and text[place] not in "+" else place


def _read(text: str, place: int, word: Word, follows: bool, parts: dict[str, int]) -> int:
    """Read what a word stands for into the parts of a moment; gives the place behind it."""
    rest = text[place:]
    if word.text in _NAMES:
        return place + _read_name(rest, word.text, parts)
    if word.text in ("TZH", "TZ", "OF"):
        return place + _read_zone(rest, parts)
    if word.text == "Y,YYY":
        found = re.match(r"(\d+),(\d{3})", rest)
        if found is None:
            raise _MismatchError(f"{rest[:12]!r} is not for {word.text}")
        parts["YYYY"] = int(found[1] + found[2])
        return place + found.end()
    return place + _read_number(rest, word.text, follows, parts)


def _read_name(rest: str, word: str, parts: dict[str, int]) -> int:
    part, numbers = _NAMES[word]
    for name, number in numbers:
        if rest.lower().startswith(name):
            parts[part] = number
            return len(name)
    raise _MismatchError(f"{rest[:12]!r} is not for {word}")


def _read_zone(rest: str, parts: dict[str, int]) -> int:
    found = re.match(r"(?:utc|gmt|z)?([+-]?\d{1,2})?(?::?(\d{2}))?", rest, re.IGNORECASE)
    assert found is not None
    hours = found[1] or "0"
    parts["TZH"] = abs(int(hours))
    parts["west"] = int(hours.startswith("-"))
    if found[2]:
        parts["TZM"] = int(found[2])
    return found.end()


def _read_number(rest: str, word: str, follows: bool, parts: dict[str, int]) -> int:
    long = word in ("YYYY", "IYYY", "J") and not follows
    sign = "[+-]?" if word in ("YYYY", "IYYY") else ""
    found = re.match(rf"{sign}\d{{1,{9 if long else _WIDTHS[word]}}}", rest)
    if found is None:
        raise _MismatchError(f"{rest[:12]!r} is no number for {word}")
    if word in ("MS", "US") or word.startswith("FF"):
        parts["US"] = int(found[0].ljust(6, "0")[:6])
    else:
        parts[word] = int(found[0])
    return found.end()


def _year(parts: dict[str, int], prefix: str) -> int | None:
    for name in ("YYYY", "YYY", "YY", "Y"):
        spelled = name if not prefix else prefix + name[1:]
        if spelled in parts:
            year = parts[spelled]
            if name != "YYYY":
                # The year nearest to 2020.
                year += 2000 if year < 70 else 1900 if year < 100 else 2000 if year < 520 else 1000
            return 1 - year if parts.get("BC") else year
    return None


def _assembled(parts: dict[str, int], text: str) -> datetime.datetime:
    day = _day(parts, text)
    hour, minute, second = _clock(parts)
    moment = datetime.datetime(day.year, day.month, day.day, hour, minute, second, parts.get("US", 0))
    offset = datetime.timedelta(hours=parts.get("TZH", 0), minutes=parts.get("TZM", 0))
    return moment + (offset if parts.get("west") else -offset)


def _day(parts: dict[str, int], text: str) -> datetime.date:
    if "J" in parts:
        return datetime.date.fromordinal(parts["J"] - 1_721_425)
    if (iso := _year(parts, "I")) is not None:
        if "IDDD" in parts:
            return datetime.date.fromisocalendar(iso, 1, 1) + datetime.timedelta(parts["IDDD"] - 1)
        weekday = parts.get("ID") or (parts.get("DAY", 1) or 7)
        return datetime.date.fromisocalendar(iso, parts.get("IW", 1), weekday)
    year = _year(parts, "")
    if year is None:
        year = (parts["CC"] - 1) * 100 + 1 if "CC" in parts else 1
    if year < 1:
        raise _MismatchError("years before 1 are not supported")
    if "DDD" in parts:
        day = datetime.date(year, 1, 1) + datetime.timedelta(parts["DDD"] - 1)
        if day.year != year:
            raise ValueError(text)
        return day
    if "WW" in parts:
        return datetime.date(year, 1, 1) + datetime.timedelta((parts["WW"] - 1) * 7)
    month = parts.get("MM") or parts.get("MONTH") or parts.get("RM") or 1
    first = (parts["W"] - 1) * 7 + 1 if "W" in parts and "DD" not in parts else 1
    return datetime.date(year, month, parts.get("DD", first))


def _clock(parts: dict[str, int]) -> tuple[int, int, int]:
    """Hours, minutes and seconds since midnight."""
    hour = parts.get("HH24", 0)
    if "HH12" in parts or "HH" in parts:
        hour = parts.get("HH12", parts.get("HH", 0))
        if not 1 <= hour <= 12:
            raise _MismatchError(f'hour "{hour}" is not one of a clock of twelve hours')
        hour = hour % 12 + 12 * parts.get("AM", 0)
    seconds = parts.get("SSSSS", parts.get("SSSS"))
    if seconds is not None:
        return seconds // 3600, seconds // 60 % 60, seconds % 60
    return hour, parts.get("MI", 0), parts.get("SS", 0)
