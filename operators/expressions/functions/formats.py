"""Dates, timestamps and intervals as text in a format, and text in a format as these: PostgreSQL's words, and C's.

A format is taken apart once; `to_char` then works on whole columns, reading text on its distinct values.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.casts import cast_value
from operators.expressions.functions.format_words import Word, date_in, words_of
from operators.expressions.functions.moments import clock_of, missing_of, rows_of
from operators.expressions.functions.time import parts_of
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.time_casts import over_distinct
from operators.expressions.time_text import DAYS, MONTHS
from operators.expressions.types import Argument, ExpressionError
from operators.values.time_units import DAY

_ROMAN: Final = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
_JULIAN_1970: Final = 2_440_588
UTC: Final = pa.timestamp("us", "UTC")


class _Moments:
    """The parts of many moments, as integers; of intervals those that they have."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.missing = missing_of(value)
        self.zone = getattr(value.type, "tz", None)
        if pa.types.is_interval(value.type) or pa.types.is_duration(value.type):
            months, days, time = parts_of(value)
            years = np.sign(months) * (np.abs(months) // 12)
            self.parts = {"year": years, "month": months - years * 12, "day": days}
            self.micros = np.sign(time) * (np.abs(time) // 1_000)
            self.clock = None
        else:
            clock = clock_of(value)
            self.parts, self.micros, self.clock = {}, clock % DAY, clock // DAY
            if pa.types.is_time(value.type):
                self.clock = np.zeros(len(value), np.int64)
        seconds = np.abs(self.micros) // 1_000_000
        self.parts |= {
            "hour": seconds // 3600,
            "minute": seconds // 60 % 60,
            "second": seconds % 60,
            "fraction": np.abs(self.micros) % 1_000_000,
            "seconds": seconds,
        }
        if self.clock is None:
            sign = np.where(self.micros < 0, -1, 1)
            self.parts["hour"] = self.parts["hour"] * sign

    def part(self, name: str) -> Any:
        """A part by its name, computed when it is asked for."""
        if name not in self.parts:
            if self.clock is None:
                return np.zeros(len(self.value), np.int64)
            dates = pa.array(self.clock.astype(np.int32), pa.int32()).cast(pa.date32())
            made: Callable[[Any], Any] = {
                "year": pc.year, "month": pc.month, "day": pc.day, "doy": pc.day_of_year, "isoyear": pc.iso_year,
                "isoweek": pc.iso_week, "quarter": pc.quarter,
                "dow": lambda value: pc.day_of_week(value, count_from_zero=True, week_start=7),
            }[name]  # fmt: skip
            self.parts[name] = made(dates).to_numpy()
        return self.parts[name]


def _number(name: str, width: int, count: Callable[[Any], Any] = lambda value: value) -> Callable[..., pa.Array]:
    def text(moments: _Moments, word: Word) -> pa.Array:
        value = count(moments.part(name))
        digits = pc.cast(pa.array(np.abs(value)), pa.string())
        if not word.fill:
            digits = pc.utf8_lpad(digits, width, "0")
        if (value < 0).any():
            digits = pc.binary_join_element_wise(pa.array(np.where(value < 0, "-", "").astype(object)), digits, "")
        return _ordinal(digits, value, word.suffix)

    return text


def _ordinal(digits: pa.Array, value: Any, suffix: str) -> pa.Array:
    if not suffix:
        return digits
    last = np.where((np.abs(value) // 10 % 10) == 1, 0, np.abs(value) % 10)
    ending = np.select([last == 1, last == 2, last == 3], ["st", "nd", "rd"], "th").astype(object)
    endings = pa.array(ending, pa.string())
    return pc.binary_join_element_wise(digits, pc.utf8_upper(endings) if suffix == "TH" else endings, "")


def _last_digits(name: str, width: int) -> Callable[..., pa.Array]:
    return _number(name, width, lambda value: value % 10**width)


def _name(
    names: Sequence[str], name: str, first: int, width: int, length: int | None = None
) -> Callable[..., pa.Array]:
    def text(moments: _Moments, word: Word) -> pa.Array:
        spelled = pa.array([each[:length] for each in names])
        cased = {"U": pc.utf8_upper, "T": pc.utf8_capitalize, "l": lambda value: value}[word.case](spelled)
        padded = cased if word.fill or length else pc.utf8_rpad(cased, width)
        return padded.take(pa.array((moments.part(name) - first) % len(names)))

    return text


def _half(dots: bool, one: str, other: str, later: Callable[[_Moments], Any]) -> Callable[..., pa.Array]:
    def text(moments: _Moments, word: Word) -> pa.Array:
        names = [".".join(each) + "." if dots else each for each in (one, other)]
        names = [each.upper() if word.case == "U" else each for each in names]
        return pa.array(np.where(later(moments), names[1], names[0]).astype(object), pa.string())

    return text


def _is_afternoon(moments: _Moments) -> Any:
    return moments.part("hour") % 24 >= 12


def _never(moments: _Moments) -> Any:
    return np.zeros(len(moments.value), bool)


def _roman(moments: _Moments, word: Word) -> pa.Array:
    names = pa.array([each.upper() if word.case == "U" else each for each in _ROMAN])
    padded = names if word.fill else pc.utf8_rpad(names, 4)
    return padded.take(pa.array((moments.part("month") - 1) % 12))


def _grouped_year(moments: _Moments, word: Word) -> pa.Array:
    year = moments.part("year")
    tail = pc.utf8_lpad(pc.cast(pa.array(year % 1000), pa.string()), 3, "0")
    return pc.binary_join_element_wise(pc.cast(pa.array(year // 1000), pa.string()), tail, ",")


def _fraction(width: int) -> Callable[..., pa.Array]:
    return _number("fraction", width, lambda value: value // 10 ** (6 - width))


def _zone_text(form: str) -> Callable[..., pa.Array]:
    def text(moments: _Moments, word: Word) -> pa.Array:
        rows = len(moments.value)
        if moments.zone is None:
            return pa.repeat("" if form == "%Z" else "+00", rows)
        shown = pc.strftime(cast_value(moments.value, pa.timestamp("s", moments.zone)), format=form)
        if form == "%Z":
            return pc.utf8_lower(shown) if word.case == "l" else shown
        hours, minutes = pc.utf8_slice_codeunits(shown, 0, 3), pc.utf8_slice_codeunits(shown, 3, 5)
        if word.text in ("TZH", "TZM"):
            return hours if word.text == "TZH" else minutes
        whole = pc.equal(minutes, "00")
        return pc.if_else(whole, hours, pc.binary_join_element_wise(hours, minutes, ":"))

    return text


_TWELVE: Final = _number("hour", 2, lambda value: np.sign(value + (value == 0)) * ((np.abs(value) + 11) % 12 + 1))
_WRITERS: Final[dict[str, Callable[..., pa.Array]]] = {
    "HH24": _number("hour", 2), "HH12": _TWELVE, "HH": _TWELVE, "MI": _number("minute", 2),
    "SS": _number("second", 2), "MS": _fraction(3), "US": _fraction(6), **{f"FF{n}": _fraction(n) for n in range(1, 7)},
    "SSSSS": _number("seconds", 1), "SSSS": _number("seconds", 1),
    "AM": _half(False, "am", "pm", _is_afternoon), "A.M.": _half(True, "am", "pm", _is_afternoon),
    "BC": _half(False, "ad", "bc", _never), "B.C.": _half(True, "ad", "bc", _never),
    "Y,YYY": _grouped_year, "YYYY": _number("year", 4), "YYY": _last_digits("year", 3), "YY": _last_digits("year", 2),
    "Y": _last_digits("year", 1), "IYYY": _number("isoyear", 4), "IYY": _last_digits("isoyear", 3),
    "IY": _last_digits("isoyear", 2), "I": _last_digits("isoyear", 1),
    "MONTH": _name(MONTHS, "month", 1, 9), "MON": _name(MONTHS, "month", 1, 3, 3), "MM": _number("month", 2),
    "RM": _roman, "DAY": _name(DAYS, "dow", 0, 9), "DY": _name(DAYS, "dow", 0, 3, 3),
    "DDD": _number("doy", 3), "DD": _number("day", 2), "D": _number("dow", 1, lambda value: value + 1),
    "IDDD": lambda moments, word: _iso_day(moments, word), "ID": _number("dow", 1, lambda value: (value + 6) % 7 + 1),
    "W": _number("day", 1, lambda value: (value - 1) // 7 + 1),
    "WW": _number("doy", 2, lambda value: (value - 1) // 7 + 1), "IW": _number("isoweek", 2),
    "CC": _number("year", 2, lambda value: (value - 1) // 100 + 1), "Q": _number("quarter", 1),
    "J": lambda moments, word: pc.cast(pa.array(moments.clock + _JULIAN_1970), pa.string()),
    "TZ": _zone_text("%Z"), "OF": _zone_text("%z"), "TZH": _zone_text("%z"), "TZM": _zone_text("%z"),
}  # fmt: skip


def _iso_day(moments: _Moments, word: Word) -> pa.Array:
    moments.parts["isoday"] = (moments.part("isoweek") - 1) * 7 + (moments.part("dow") + 6) % 7 + 1
    return _number("isoday", 3)(moments, word)


def format_of(argument: Argument, example: str) -> str:
    """The format that a literal is. Raises ExpressionError where it is none."""
    if not isinstance(argument.constant, str):
        raise ExpressionError(f"the format must be a literal, for example '{example}'")
    return argument.constant


def time_to_char(arguments: Sequence[Argument]) -> Resolved | None:
    """`to_char` of what is no number."""
    families = ("date", "timestamp", "time", "interval", "duration")
    if len(arguments) != 2 or arguments[0].family not in families or not _is_text(arguments[1]):
        return None
    words = words_of(format_of(arguments[1], "YYYY-MM-DD HH24:MI:SS"))
    kind = arguments[0].type

    def kernel(value: Any, _: Any) -> pa.Array:
        moments = _Moments(value)
        texts = [_WRITERS[word.text](moments, word) if word.known else pa.scalar(word.text) for word in words]
        texts = [pa.repeat(text, len(value)) if isinstance(text, pa.Scalar) else text for text in texts]
        if not texts:
            return pa.repeat(pa.scalar(None, pa.string()), len(value))
        joined = pc.binary_join_element_wise(*texts, "")
        return pc.if_else(pa.array(moments.missing), pa.scalar(None, pa.string()), joined)

    return Resolved((kind, pa.string()), pa.string(), kernel)


def _is_text(argument: Argument) -> bool:
    return argument.family in ("text", "null")


def _reading(result: pa.DataType, count: Callable[[datetime.datetime], int]) -> Callable[..., Resolved | None]:
    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 2 or not all(_is_text(argument) for argument in arguments):
            return None
        form = format_of(arguments[1], "YYYY-MM-DD")
        words = words_of(form)

        def kernel(value: Any, _: Any) -> pa.Array:
            (value,) = rows_of(value) if isinstance(value, pa.Array) else (pa.array([value.as_py()], pa.string()),)
            counts = over_distinct(value, pa.int64(), lambda text: count(date_in(text, form, words)))
            return cast_value(counts.cast(UTC), result)

        return Resolved((pa.string(), pa.string()), result, kernel)

    return rule


def _microseconds(moment: datetime.datetime) -> int:
    return (moment - datetime.datetime(1970, 1, 1, tzinfo=moment.tzinfo)) // datetime.timedelta(microseconds=1)


overload(
    "to_timestamp(text, const text) -> timestamp",
    _reading(UTC, _microseconds),
    says="A TIMESTAMPTZ from text in a format of PostgreSQL's words; or from seconds since 1970.",
    examples=[
        "to_timestamp('05 Dec 2000 10:20', 'DD Mon YYYY HH24:MI') = TIMESTAMPTZ '2000-12-05 10:20+00'",
        "to_timestamp(1284352323.5) = TIMESTAMPTZ '2010-09-13 04:32:03.5+00'",
    ],
    by_row=True,
)
overload(
    "to_date(text, const text) -> date",
    _reading(pa.date32(), _microseconds),
    says="A date from text in a format of PostgreSQL's words; or the date of a timestamp.",
    examples=["to_date('05 Dec 2000', 'DD Mon YYYY') = DATE '2000-12-05'", "to_date('2000-12-05') = DATE '2000-12-05'"],
    by_row=True,
)


@function("to_date(date) -> date", "to_date(timestamp) -> date", "to_date(text) -> date")
def _to_date(value: Any) -> pa.Array:
    return cast_value(value, pa.date32())


@function("timestamp(timestamp) -> timestamp", "timestamp(text) -> timestamp", says="A date or text as a timestamp.",
          examples=["timestamp(DATE '2000-12-05') = TIMESTAMP '2000-12-05'"])  # fmt: skip
def _timestamp(value: Any) -> pa.Array:
    return cast_value(value, pa.timestamp("us"))


@function("to_timestamp(double) -> timestamp", result=lambda _: UTC)
def _to_timestamp(value: Any) -> pa.Array:
    microseconds = pc.round(pc.multiply(value, 1e6), 0, "half_to_even")
    return pc.cast(pc.cast(microseconds, pa.int64()), UTC)


@function("to_timestamp(bigint) -> timestamp", result=lambda _: UTC)
def _whole_seconds_to_timestamp(value: Any) -> pa.Array:
    return pc.cast(pc.multiply_checked(value, 1_000_000), UTC)


@function("from_unixtime(bigint) -> timestamp", says="A timestamp from seconds since 1970 UTC.",
          examples=["from_unixtime(1284352323) = TIMESTAMP '2010-09-13 04:32:03'"])  # fmt: skip
def _from_unixtime(value: Any) -> pa.Array:
    return pc.cast(pc.multiply_checked(value, 1_000_000), pa.timestamp("us"))


@function("to_timestamp_ms(bigint) -> timestamp", "timestamp_millis(bigint) -> timestamp",
          says="A timestamp from milliseconds since 1970 UTC.",
          examples=["to_timestamp_ms(1500) = TIMESTAMP '1970-01-01 00:00:01.5'"])  # fmt: skip
def _to_timestamp_ms(value: Any) -> pa.Array:
    return pc.cast(pc.multiply_checked(value, 1_000), pa.timestamp("us"))


@function("to_timestamp_us(bigint) -> timestamp", "timestamp_micros(bigint) -> timestamp", total=True,
          says="A timestamp from microseconds since 1970 UTC.",
          examples=["to_timestamp_us(1500000) = TIMESTAMP '1970-01-01 00:00:01.5'"])  # fmt: skip
def _to_timestamp_us(value: Any) -> pa.Array:
    return pc.cast(value, pa.timestamp("us"))


@function("to_timestamp_ns(bigint) -> timestamp", total=True, result=lambda _: pa.timestamp("ns"),
          says="A timestamp with nanoseconds from nanoseconds since 1970 UTC.",
          examples=["to_timestamp_ns(1500000000) = TIMESTAMP '1970-01-01 00:00:01.5'"])  # fmt: skip
def _to_timestamp_ns(value: Any) -> pa.Array:
    return pc.cast(value, pa.timestamp("ns"))


def _strftime_rule(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or arguments[0].family not in ("timestamp", "date") or not _is_text(arguments[1]):
        return None
    form = format_of(arguments[1], "%Y-%m-%d")
    kind = arguments[0].type if arguments[0].family == "timestamp" else pa.timestamp("us")
    # Arrow's %S has the fraction of the unit; C's, which people know, has none.
    pieces = [piece.split("%f") for piece in form.split("%%")]

    def kernel(value: Any, _: Any) -> pa.Array:
        seconds = pc.floor_temporal(value, unit="second").cast(pa.timestamp("s", kind.tz))
        fraction = pc.utf8_lpad(pc.cast(pa.array(clock_of(value) % 1_000_000), pa.string()), 6, "0")
        texts: list[Any] = []
        for number, piece in enumerate(pieces):
            texts += [pa.scalar("%")] if number else []
            for place, part in enumerate(piece):
                texts += [fraction] if place else []
                texts += [pc.strftime(seconds, format=part)] if part else []
        texts = [pa.repeat(text, len(value)) if isinstance(text, pa.Scalar) else text for text in texts]
        joined = pc.binary_join_element_wise(*texts, "") if texts else pa.repeat("", len(value))
        return pc.if_else(value.is_valid(), joined, pa.scalar(None, pa.string()))

    return Resolved((kind, pa.string()), pa.string(), kernel)


overload(
    "strftime(timestamp, const text) -> text",
    _strftime_rule,
    says="A date or timestamp as text, in a format of C's words; `%f` are microseconds.",
    examples=["strftime(TIMESTAMP '2024-02-29 10:11:12.5', '%Y/%m/%d %H:%M:%S.%f') = '2024/02/29 10:11:12.500000'"],
)


def _strptime_rule(result: pa.DataType) -> Callable[..., Resolved | None]:
    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 2 or not all(_is_text(argument) for argument in arguments):
            return None
        form = format_of(arguments[1], "%Y-%m-%d")

        def read(text: str) -> int:
            moment = datetime.datetime.strptime(text, form)
            moment = moment.astimezone(datetime.UTC) if moment.tzinfo else moment
            # Years that a format leaves out are 1970, as in DuckDB.
            return _microseconds(moment if "%y" in form.lower() else moment.replace(year=1970))

        def kernel(value: Any, _: Any) -> pa.Array:
            return cast_value(over_distinct(value, pa.int64(), read).cast(pa.timestamp("us")), result)

        return Resolved((pa.string(), pa.string()), result, kernel)

    return rule


overload(
    "strptime(text, const text) -> timestamp",
    _strptime_rule(pa.timestamp("us")),
    says="A timestamp from text in a format of C's words.",
    examples=["strptime('29.02.2024 10:11', '%d.%m.%Y %H:%M') = TIMESTAMP '2024-02-29 10:11:00'"],
    by_row=True,
)
overload(
    "str_to_date(text, const text) -> date",
    _strptime_rule(pa.date32()),
    says="A date from text in a format of C's words.",
    examples=["str_to_date('29.02.2024', '%d.%m.%Y') = DATE '2024-02-29'"],
    by_row=True,
)
