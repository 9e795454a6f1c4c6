"""All functions of SQL, one file a family; importing this package registers them.

A name's overloads stand in one file.
"""

from operators.expressions import bytes_casts, nested_casts, time_casts  # noqa: F401  # importing is what registers
from operators.expressions.functions import (  # noqa: F401  # importing is what registers
    arithmetic,
    array_sets,
    arrays,
    binary,
    calendar,
    comparison,
    conditional,
    digests,
    formats,
    integers,
    intervals,
    joining,
    json,
    json_building,
    json_tests,
    maps,
    matches,
    nested,
    number_formats,
    numeric,
    patterns,
    quoting,
    series,
    text,
    time,
    transcendental,
    truncation,
    urls,
    zones,
)
from operators.expressions.registry import functions, resolve

__all__ = ["functions", "resolve"]
