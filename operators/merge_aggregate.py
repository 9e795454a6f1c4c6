"""MergeAggregate: the half of an aggregate that runs after the exchange, whatever the aggregate.

Its output is the whole's, whichever rows were aggregated before the exchange and however many at a time.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import attrs

from flow.operator import Kept, Operator, Partition, PartitionContext
from flow.schema import StreamSchema


class WholeAggregate(Operator, ABC):
    """An aggregate that can be split into a `PreAggregate` and a `MergeAggregate`."""

    @abstractmethod
    def open_merging(self, schema: StreamSchema, context: PartitionContext) -> Partition:
        """A partition that merges partial results.

        Args:
            schema: of the rows that are aggregated.
            context: of the half: its input is the partial results.
        """


@attrs.frozen
class MergeAggregate(Operator):
    """Merges what `PreAggregate` puts out.

    Attributes:
        whole: the aggregate that was split.
        schema: of the rows that are aggregated.
        single: as the whole's.
        timed: as the whole's.
    """

    whole: WholeAggregate
    schema: StreamSchema
    single: bool = attrs.field(init=False, repr=False, eq=False)
    timed: bool = attrs.field(init=False, repr=False, eq=False)

    vectorised = True

    @single.default
    def _single(self) -> bool:
        return self.whole.single

    @timed.default
    def _timed(self) -> bool:
        return self.whole.timed

    def output(self, inputs: Mapping[str, StreamSchema]) -> StreamSchema:
        """As the whole's."""
        return self.whole.output({"in": self.schema})

    def keeps(self, inputs: Mapping[str, StreamSchema]) -> Kept | None:
        """As the whole."""
        return self.whole.keeps({"in": self.schema})

    def open(self, context: PartitionContext) -> Partition:
        """As `Operator.open`."""
        return self.whole.open_merging(self.schema, context)
