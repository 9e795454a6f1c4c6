"""What the allocator and the garbage collector are told for the time of a run, so that neither undoes work in vain."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_KEPT = 31 << 20  # bytes; glibc learns from blocks below 32 MiB only


@contextmanager
def spared() -> Iterator[None]:
    """For a run: freed memory is kept for the next batch, and what was there before is not searched for garbage.

    A batch's temporary arrays are larger than what glibc keeps by default, so each would be mapped and faulted in anew,
    which can cost more than the work on it; freeing one mapped block teaches glibc to keep up to twice its size. And a
    run makes little garbage, but each full collection would walk over everything that was ever imported.
    """
    block = np.empty(_KEPT, np.uint8)
    del block
    freezes = gc.isenabled() and not gc.get_freeze_count()
    if freezes:
        gc.freeze()
    try:
        yield
    finally:
        if freezes:
            gc.unfreeze()
