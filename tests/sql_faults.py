"""Faults put in on purpose, in memory: python -m tests.sql_faults tells how many random cases it takes to find each.

A search that would not see a broken NULL rule, a lost retraction or a doubled pair proves nothing by finding nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from flow import WEIGHT, Partition, PartitionContext
from operators.aggregate import Aggregate
from operators.aggregates.views import Best
from operators.filter import Filter
from operators.join import Join
from operators.sets import SetOperation
from operators.top_n import TopN
from tests.sql_fuzz import Search

MOST = 2_000

Changed = Callable[[pa.RecordBatch], pa.RecordBatch]


def keep_unknown(operator: Filter, context: PartitionContext) -> Partition:
    """A condition that is NULL counts as true."""
    partition: Any = _open_filter(operator, context)
    condition = partition._condition
    partition._condition = lambda batch: pc.fill_null(condition(batch), True)
    return partition


def nulls_meet(operator: Join, context: PartitionContext) -> Partition:
    """NULL keys equal each other in every join."""
    return _open_join(attrs.evolve(operator, null_safe=True), context)


def lose_retraction(operator: Aggregate, context: PartitionContext) -> Partition:
    """Of the groups that change in one batch, the last one's old row stays."""
    return _changed(_open_aggregate(operator, context), lambda batch: _without_last(batch, least=1))


def lose_one_of_several(operator: Aggregate, context: PartitionContext) -> Partition:
    """Where several groups change in one batch, the last one's old row stays."""
    return _changed(_open_aggregate(operator, context), lambda batch: _without_last(batch, least=2))


def double_pair(operator: Join, context: PartitionContext) -> Partition:
    """Where a batch gives several rows, the last one comes twice."""
    return _changed(_open_join(operator, context), _with_last_twice)


def keep_padded(operator: Join, context: PartitionContext) -> Partition:
    """A row that had no partner stays when it gets one."""
    partition = _open_join(operator, context)
    if operator.kind not in ("left", "right", "full"):
        return partition
    return _changed(partition, lambda batch: batch.filter(pc.greater(batch[WEIGHT], 0)))


def count_partners(operator: Join, context: PartitionContext) -> Partition:
    """A semi join gives a row once for each partner."""
    if operator.kind != "semi":
        return _open_join(operator, context)
    names = operator.output(context.inputs).columns.names
    partition = _open_join(attrs.evolve(operator, kind="inner"), context)
    return _changed(partition, lambda batch: _of_columns(batch, names))


def turn_nulls(operator: TopN, context: PartitionContext) -> Partition:
    """NULLs come at the wrong end of an order."""
    order = [attrs.evolve(each, nulls_first=not each.nulls_first) for each in operator.order]
    return _open_top(attrs.evolve(operator, order=tuple(order)), context)


def forget_copies(operator: SetOperation, context: PartitionContext) -> Partition:
    """EXCEPT ALL and INTERSECT ALL give each row once."""
    return _open_set(attrs.evolve(operator, all=False), context)


def keep_best(view: Best, born: Any, died: Any) -> None:
    """The least or greatest value stays when it is taken back."""
    _change_best(view, born, died[:0])


FAULTS: list[tuple[type, str, Callable[..., Any], str]] = [
    (Filter, "open", keep_unknown, "a NULL condition counts as true"),
    (Join, "open", nulls_meet, "NULL keys meet in joins"),
    (Aggregate, "open", lose_retraction, "an aggregate loses a retraction"),
    (Aggregate, "open", lose_one_of_several, "an aggregate loses one of several retractions"),
    (Join, "open", double_pair, "a join gives a pair twice"),
    (Join, "open", keep_padded, "an outer join does not take back a row without partner"),
    (Join, "open", count_partners, "a semi join counts partners"),
    (TopN, "open", turn_nulls, "NULLs come at the wrong end of an order"),
    (SetOperation, "open", forget_copies, "a set operation loses copies"),
    (Best, "change", keep_best, "min and max stay when their value is taken back"),
]
_open_filter, _open_join, _open_aggregate = Filter.open, Join.open, Aggregate.open
_open_set, _open_top, _change_best = SetOperation.open, TopN.open, Best.change


def _changed(partition: Partition, broken: Changed) -> Partition:
    on_batch = partition.on_batch

    def changed(*given: Any) -> Iterator[pa.RecordBatch]:
        return (broken(batch) for batch in on_batch(*given))

    partition.on_batch = changed  # type: ignore[method-assign]
    return partition


def _without_last(batch: pa.RecordBatch, least: int) -> pa.RecordBatch:
    if WEIGHT not in batch.schema.names:
        return batch
    gone = np.flatnonzero(batch[WEIGHT].to_numpy() < 0)
    return batch if len(gone) < least else batch.take(pa.array(np.delete(np.arange(batch.num_rows), gone[-1])))


def _with_last_twice(batch: pa.RecordBatch) -> pa.RecordBatch:
    rows = batch.num_rows
    return batch if rows < 3 else batch.take(pa.array([*range(rows), rows - 1]))


def _of_columns(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    if WEIGHT in names and WEIGHT not in batch.schema.names:
        batch = batch.append_column(WEIGHT, pa.array(np.ones(batch.num_rows, np.int64)))
    return batch.select(names)


def cases_until_found(kind: type, method: str, fault: Callable[..., Any], most: int = MOST) -> int | None:
    """How many random cases were right before one was not; None where all were."""
    search = Search(shrink=False, whole=0)
    with patch.object(kind, method, fault):
        seed = 0
        while search.compared < most and not search.found:
            search.world(seed, most)
            seed += 1
    return search.first_found


def main() -> int:
    missed = 0
    for *fault, what in FAULTS:
        found = cases_until_found(*fault)
        missed += found is None
        print(f"{what}: {f'not found in {MOST} cases' if found is None else f'found after {found} cases'}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
