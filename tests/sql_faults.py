"""Faults put in on purpose, in memory: python -m tests.sql_faults tells how many random cases it takes to find each.

A search that would not see a broken NULL rule, a lost retraction or a doubled pair proves nothing by finding nothing.
"""

import sys
from collections.abc import Callable, Iterator
from unittest.mock import patch

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow import WEIGHT, Partition, PartitionContext
from operators.aggregate import Aggregate
from operators.filter import Filter
from operators.join import Join
from tests.sql_fuzz import Tally, chunk

MOST = 2_000

Broken = Callable[[pa.RecordBatch], pa.RecordBatch]


def keep_unknown(operator: Filter, context: PartitionContext) -> Partition:
    """A condition that is NULL counts as true."""
    partition = _open_filter(operator, context)
    condition = partition._condition
    partition._condition = lambda batch: pc.fill_null(condition(batch), True)
    return partition


def nulls_meet(operator: Join, context: PartitionContext) -> Partition:
    """NULL keys equal each other in every join."""
    return _open_join(attrs.evolve(operator, null_safe=True), context)


def lose_retraction(operator: Aggregate, context: PartitionContext) -> Partition:
    """Of the groups that change in one batch, the last one's old row stays."""
    return _changed(_open_aggregate(operator, context), _without_last)


def double_pair(operator: Join, context: PartitionContext) -> Partition:
    """Where a batch gives several rows, the last one comes twice."""
    return _changed(_open_join(operator, context), _with_last_twice)


FAULTS = [
    (Filter, keep_unknown, "a NULL condition counts as true"),
    (Join, nulls_meet, "NULL keys meet in joins"),
    (Aggregate, lose_retraction, "an aggregate loses a retraction"),
    (Join, double_pair, "a join gives a pair twice"),
]
_open_filter, _open_join, _open_aggregate = Filter.open, Join.open, Aggregate.open


def _changed(partition: Partition, broken: Broken) -> Partition:
    on_batch = partition.on_batch

    def changed(*given: object) -> Iterator[pa.RecordBatch]:
        return (broken(batch) for batch in on_batch(*given))

    partition.on_batch = changed
    return partition


def _without_last(batch: pa.RecordBatch) -> pa.RecordBatch:
    if WEIGHT not in batch.schema.names:
        return batch
    gone = np.flatnonzero(batch[WEIGHT].to_numpy() < 0)
    return batch if not len(gone) else batch.take(pa.array(np.delete(np.arange(batch.num_rows), gone[-1])))


def _with_last_twice(batch: pa.RecordBatch) -> pa.RecordBatch:
    rows = batch.num_rows
    return batch if rows < 3 else batch.take(pa.array([*range(rows), rows - 1]))


def cases_until_found(kind: type, fault: Callable[..., Partition], most: int = MOST) -> int | None:
    """How many random cases were right before one was not; None where all were."""
    tally = Tally()
    with patch.object(kind, "open", fault):
        number = 0
        while tally.compared < most:
            error = chunk(tally, number, examples=min(100, max(20, most - tally.compared)), shrink=False)
            if isinstance(error, AssertionError):
                return tally.compared
            if error is not None:
                raise error
            number += 1
    return None


def main() -> int:
    missed = 0
    for kind, fault, what in FAULTS:
        found = cases_until_found(kind, fault)
        missed += found is None
        print(f"{what}: {f'not found in {MOST} cases' if found is None else f'found after {found} cases'}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
