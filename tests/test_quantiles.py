"""Percentiles of numbers that come and go, in any order, against NumPy's."""

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.aggregates.accumulator import Values
from operators.aggregates.quantiles import Quantiles

NUMBERS = [-np.inf, -1.5, -0.0, 0.0, 2.0, 1e300, np.inf, np.nan]
CHANGES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, len(NUMBERS) - 1), st.sampled_from([1, 1, 1, 2, -1])), min_size=1
    ),
    max_size=6,
)


def expected(held, slot, fraction, descending):
    numbers = sorted(
        (NUMBERS[place] for (owner, place), times in held.items() if owner == slot for _ in range(times)),
        key=lambda number: (np.isnan(number), number),
        reverse=descending,
    )
    if not numbers:
        return None
    position = fraction * (len(numbers) - 1)
    low, high = numbers[int(np.floor(position))], numbers[int(np.ceil(position))]
    share = position - np.floor(position)
    with np.errstate(all="ignore"):
        return low if share == 0 or low == high else low + (high - low) * share


def same(one, other):
    return one == other or (one is not None and other is not None and np.isnan(one) and np.isnan(other))


@settings(max_examples=100, deadline=None)
@given(CHANGES, st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.booleans(), st.booleans())
def test_what_is_there_has_its_place(batches, fraction, descending, moved):
    """Also when a number is taken out before it comes, and after all has moved to another by way of partial states."""
    state, held = Quantiles(pa.float64()), Counter()
    slots = np.arange(3)
    state.grow(3)
    for batch in batches:
        owners, places, weights = (np.array(part) for part in zip(*batch, strict=True))
        state.update(Values(owners, pa.array(np.array(NUMBERS)[places]), 3, weights))
        for owner, place, weight in batch:
            # -0.0 is 0.0.
            held[owner, 3 if place == 2 else place] += weight
        if moved:
            other = Quantiles(pa.float64())
            other.grow(3)
            other.merge(slots, np.zeros(3, np.int64), state.partial(slots, None), 3)
            state = other
        found = state.percentile(slots, fraction, descending).to_pylist()
        for slot in range(3):
            assert same(found[slot], expected(held, slot, fraction, descending))
    state.clear()
    assert state.percentile(slots, fraction, descending).to_pylist() == [None] * 3


def test_single_rows_as_partial_states_keep_their_places():
    numbers, times = Quantiles(pa.int64()).raw(pa.array([3, None, 1]))
    assert [row or None for row in numbers.to_pylist()] == [[3.0], None, [1.0]]
    assert [row or None for row in times.to_pylist()] == [[1], None, [1]]
