"""What flows along an edge: columns, whether rows can be taken back, and which column is the event time.

Event times are int microseconds since 1970-01-01 UTC wherever they leave a column.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import attrs
import pyarrow as pa

from flow.errors import GraphError, known

WEIGHT: Final = "_weight"
"""Name of the int64 column that makes a stream a changelog: +1 inserts the row, -1 retracts it."""

BEFORE_ALL: Final = -(2**63)
"""The watermark of an input of which nothing is known yet."""

AFTER_ALL: Final = 2**63 - 1
"""The watermark of an input that ended: infinity."""


@attrs.frozen
class StreamSchema:
    """The type of a stream.

    Attributes:
        columns: names and types; a changelog's last column is ``_weight`` (int64).
        event_time: name of the column that the watermark speaks of, if there is one.
    """

    columns: pa.Schema
    event_time: str | None = None

    def __attrs_post_init__(self) -> None:
        names = self.columns.names
        if len(set(names)) != len(names):
            twice = sorted(name for name, count in Counter(names).items() if count > 1)
            raise GraphError(f"column names must be unique; these are not: {twice}")
        if WEIGHT in names and (names[-1] != WEIGHT or self.columns.field(WEIGHT).type != pa.int64()):
            raise GraphError(
                f"the column name {WEIGHT!r} is kept for changelogs, where it is the last column, of type int64"
            )
        if self.event_time is not None:
            kind = self.column_type(self.event_time)
            if not pa.types.is_timestamp(kind):
                raise GraphError(
                    f"event time column {self.event_time!r} has type {kind}; it must be a timestamp "
                    "(declare the column's type, e.g. timestamp('ms') for integer milliseconds)"
                )

    @property
    def changelog(self) -> bool:
        """Whether rows can be retracted."""
        return bool(self.columns.names) and self.columns.names[-1] == WEIGHT

    @property
    def names(self) -> list[str]:
        """Column names without ``_weight``."""
        return [name for name in self.columns.names if name != WEIGHT]

    def column_type(self, name: str) -> pa.DataType:
        """The type of a column; raises GraphError with the known names when there is none."""
        index = self.columns.get_field_index(name)
        if index < 0:
            raise GraphError(f"no column {name!r}; {known(name, self.columns.names)}")
        return self.columns.field(index).type

    def with_columns(self, columns: pa.Schema) -> StreamSchema:
        """This stream with other columns; the event time stays where its column still is one."""
        event_time = self.event_time
        if event_time is not None:
            index = columns.get_field_index(event_time)
            if index < 0 or not pa.types.is_timestamp(columns.field(index).type):
                event_time = None
        return StreamSchema(columns, event_time)


def changelog_of(columns: pa.Schema) -> pa.Schema:
    """The columns of a changelog whose rows have these columns."""
    return columns.append(pa.field(WEIGHT, pa.int64(), nullable=False))
