"""How many bytes an object holds: those of the arrays that it leads to.

Invariant: looking changes nothing and runs no code of what is looked at, so that it may be done while another thread is
at work on it; what is held is told about, not to the byte.
"""

from __future__ import annotations

import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

import numpy as np
import pyarrow as pa

_SOME: Final = 32
"""Of longer lists and dicts as many items are looked at, and stand for the others."""

_WITHOUT_STATE: Final = (
    type, FunctionType, MethodType, BuiltinFunctionType, ModuleType, pa.DataType, pa.Field, pa.Schema,
)  # fmt: skip
_ARRAYS: Final = (np.ndarray, pa.Array, pa.ChunkedArray, pa.RecordBatch, pa.Table)
_CONTAINERS: Final = (list, tuple, set, frozenset, deque)
_PLAIN: Final = (str, int, float, complex, type(None))
_BYTES: Final = (bytes, bytearray, array)
_ELSEWHERE: Final = frozenset({*sys.stdlib_module_names, "anyio", "structlog", "trio"})
"""Packages whose objects lead to the whole program: to tasks, threads and loops."""

_UNITS: Final = ("kB", "MB", "GB", "TB")


def bytes_held(thing: object, beside: tuple[type, ...] = ()) -> int:
    """The bytes of all NumPy and Arrow arrays that the attributes of an object lead to, each array once.

    Bytes, lists, tuples, sets, deques and dicts count as well, with the text and numbers in them.

    Args:
        thing: where to begin.
        beside: classes whose objects belong to somebody else.
    """
    return round(_Look((*_WITHOUT_STATE, *beside)).bytes_of(thing))


class _Look:
    def __init__(self, beside: tuple[type, ...]) -> None:
        self._beside = beside
        self._seen: set[int] = set()
        self._ways: dict[type, Callable[[Any], float]] = {}

    def bytes_of(self, thing: object, *, inside: bool = False) -> float:
        """The bytes of a thing; `inside`: it is an item of a list or the like."""
        if isinstance(thing, _PLAIN):
            return sys.getsizeof(thing) if inside else 0.0
        while isinstance(thing, np.ndarray) and isinstance(thing.base, np.ndarray):
            thing = thing.base
        if id(thing) in self._seen:
            return 0.0
        self._seen.add(id(thing))
        kind = type(thing)
        way = self._ways.get(kind)
        if way is None:
            way = self._ways[kind] = self._way(kind)
        return way(thing)

    def _way(self, kind: type) -> Callable[[Any], float]:
        """How the bytes of objects of a class are found."""
        if issubclass(kind, self._beside):
            return lambda thing: 0.0
        if issubclass(kind, _ARRAYS):
            return lambda thing: float(thing.nbytes)
        if issubclass(kind, pa.Buffer):
            return lambda thing: float(thing.size)
        if issubclass(kind, dict):
            return lambda thing: sys.getsizeof(thing) + self._sampled(dict.items(thing), len(thing))
        if issubclass(kind, _BYTES):
            return lambda thing: float(sys.getsizeof(thing))
        if issubclass(kind, _CONTAINERS):
            return lambda thing: sys.getsizeof(thing) + self._sampled(thing, len(thing))
        if kind.__module__.partition(".")[0] in _ELSEWHERE:
            return lambda thing: 0.0
        slots = [name for base in kind.__mro__ for name in _slots(base)]
        return lambda thing: sum(
            self.bytes_of(value)
            for value in (*getattr(thing, "__dict__", {}).values(), *(getattr(thing, name, None) for name in slots))
        )

    def _sampled(self, items: Iterable[object], size: int) -> float:
        # Taking them out is one call, during which no other thread changes what they are taken from.
        step = -(-size // _SOME) or 1
        taken = list(islice(items, 0, None, step))
        found = sum(self._item(item) for item in taken)
        return found * size / len(taken) if taken else 0.0

    def _item(self, item: object) -> float:
        if type(item) is tuple:
            return sum(self.bytes_of(part, inside=True) for part in item)
        return self.bytes_of(item, inside=True)


def _slots(kind: type) -> list[str]:
    slots = vars(kind).get("__slots__", ())
    return [name for name in ((slots,) if isinstance(slots, str) else slots) if name not in ("__dict__", "__weakref__")]


def spelled_bytes(number: float) -> str:
    """A number of bytes in at most seven characters: ``999 B``, ``12.3 kB``, ``1.24 MB``."""
    if number < 999.5:
        return f"{number:.0f} B"
    for unit in _UNITS:
        number /= 1000
        if number < 999.5 or unit == _UNITS[-1]:
            break
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f} {unit}"
