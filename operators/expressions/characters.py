"""Text as arrays of code points: what no kernel of Arrow's does to characters, NumPy does to their numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@attrs.frozen
class Characters:
    """The characters of many texts, one after another.

    Attributes:
        codes: their code points, uint32[all characters].
        lengths: how many characters each text has, int64[texts]; 0 where it is NULL.
        valid: which texts are not NULL.
    """

    codes: NDArray[np.uint32]
    lengths: NDArray[np.int64]
    valid: pa.Array

    @staticmethod
    def of(value: pa.Array) -> Characters:
        """Those of an array of text."""
        lengths: NDArray[np.int64] = pc.fill_null(pc.utf8_length(value), 0).to_numpy().astype(np.int64)
        data, _, _ = content(value)
        codes = np.frombuffer(data.tobytes().decode().encode("utf-32-le"), np.uint32)
        return Characters(codes, lengths, pc.is_valid(value))

    def text(self) -> pa.Array:
        """The array of text that has these characters."""
        data = self.codes.astype("<u4").tobytes().decode("utf-32-le").encode()
        widths = 1 + (self.codes >= 0x80) + (self.codes >= 0x800).astype(np.int64) + (self.codes >= 0x10000)
        sizes = np.concatenate(([0], np.cumsum(widths)))
        offsets = np.concatenate(([0], sizes[np.cumsum(self.lengths)]))
        return from_content(pa.string(), data, offsets, self.valid)

    def mapped(self, function: Callable[[str], str]) -> NDArray[np.uint32]:
        """The characters that a function makes of these; it is called once for each different one.

        Where it gives none or several, the character stays as it is.
        """

        def number(code: int) -> int:
            new = function(chr(code))
            return ord(new) if len(new) == 1 else code

        return self._looked_up(number, np.dtype(np.uint32))

    def where(self, condition: Callable[[str], bool]) -> NDArray[np.bool_]:
        """The characters of which something is true."""
        return self._looked_up(lambda code: condition(chr(code)), np.dtype(np.bool_))

    def _looked_up(self, function: Callable[[int], Any], kind: np.dtype[Any]) -> NDArray[Any]:
        top = int(self.codes.max(initial=0)) + 1
        if top > len(self.codes):
            different, places = np.unique(self.codes, return_inverse=True)
            return np.array([function(int(code)) for code in different], kind)[places]
        table = np.zeros(top, kind)
        present = np.flatnonzero(np.bincount(self.codes, minlength=top))
        table[present] = [function(int(code)) for code in present]
        return table[self.codes]

    def kept(self, wanted: NDArray[np.bool_]) -> Characters:
        """Only some of them."""
        sums = np.concatenate(([0], np.cumsum(wanted)))
        ends = np.cumsum(self.lengths)
        return Characters(self.codes[wanted], sums[ends] - sums[ends - self.lengths], self.valid)


def content(value: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """The bytes of an array of text or bytes, one value after another, and where each starts and ends among them."""
    if value.null_count:
        value = pc.fill_null(value, "" if pa.types.is_string(value.type) else b"")
    _, offsets, data = value.buffers()
    bounds = np.frombuffer(offsets, np.int32)[value.offset : value.offset + len(value) + 1].astype(np.int64)
    if not len(bounds):
        bounds = np.zeros(1, np.int64)
    everything = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    used = everything[bounds[0] : bounds[-1]]
    return used, bounds[:-1] - bounds[0], bounds[1:] - bounds[0]


def from_content(kind: pa.DataType, data: bytes, offsets: NDArray[np.int64], valid: pa.Array) -> pa.Array:
    """An array of text or bytes from its content, int64[values + 1] offsets, and which values are not NULL."""
    if offsets[-1] >= 2**31:
        raise pa.ArrowInvalid("more than 2 GB of text in one batch")
    bits = pa.array(valid.to_numpy(zero_copy_only=False)).buffers()[1]
    return pa.Array.from_buffers(
        kind, len(valid), [bits, pa.py_buffer(offsets.astype(np.int32).tobytes()), pa.py_buffer(data)]
    )
