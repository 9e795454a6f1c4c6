"""Keys as numbers: what lets many short-lived stores share the work of telling strings apart.

An index that is started afresh learns every string again, which costs far more than looking it up. So the strings are
numbered once, for as long as they are in use, and the stores' own indices see integers only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from operators.aggregates.columns import column, physical, physical_type
from operators.wide_keys import key_index


class NumberedKeys:
    """The keys of several stores: by number where their types are of variable width, else as they are.

    Attributes:
        kinds: the (plain) types of the keys.
        store_kinds: the types of what stores get for them.
    """

    def __init__(self, kinds: Sequence[pa.DataType]) -> None:
        self.kinds = list(kinds)
        fixed = all(physical_type(kind) is not None or pa.types.is_boolean(kind) for kind in kinds)
        self._index = None if fixed else key_index(self.kinds)
        self._dictionary: pa.Array | None = None
        self._numbers = np.zeros(0, np.int64)
        self.store_kinds = self.kinds if fixed else [pa.int64()]

    def __len__(self) -> int:
        return 0 if self._index is None else len(self._index)

    def encode(self, keys: list[pa.Array]) -> list[pa.Array]:
        """Key columns as stores want them."""
        if self._index is None:
            return keys
        (first, *others) = keys
        if others or not pa.types.is_dictionary(first.type) or first.null_count or len(first.dictionary) > len(first):
            return [column(pa.int64(), self._index.slots(keys))]
        # Numbering a dictionary's values instead of its rows saves a look-up a row; the same one comes again and again.
        dictionary = first.dictionary
        if self._dictionary is None or not dictionary.equals(self._dictionary):
            self._dictionary, self._numbers = dictionary, self._index.slots([dictionary])
        return [column(pa.int64(), self._numbers[physical(first.indices).astype(np.int64)])]

    def decode(self, columns: Sequence[pa.Array]) -> list[pa.Array]:
        """The keys again, of columns that a store gives; what else these hold is left out."""
        if self._index is None:
            return list(columns[: len(self.kinds)])
        return self._index.columns(physical(columns[0]))
