"""Every error that Penstock raises on purpose; each says what is wrong, then what is known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

import pyarrow as pa

from flow.origin import NOWHERE, Origins


class PenstockError(Exception):
    """Base of all errors that Penstock raises on purpose."""


class GraphError(PenstockError):
    """The graph is wrong, and this is known before anything runs."""


class SettingsError(PenstockError):
    """A setting has a value that no run can use."""


class MissingExtraError(PenstockError):
    """A part of Penstock needs a library that only one of its extras installs."""

    def __init__(self, feature: str, extra: str, library: str) -> None:
        super().__init__(f"{feature} needs the library {library!r}; install it with: pip install 'penstock[{extra}]'")
        self.extra = extra


class RowError(PenstockError):
    """A row cannot be used: what is wrong with it, without the row itself."""


class StepError(PenstockError):
    """One step of a run failed.

    Attributes:
        node: name of the graph's node.
        instance: which of its instances, e.g. ``partition 3`` or ``split trades.parquet#7``.
        place: the instance, and as far as it is known where in the input the rows stand at which it failed.
        offset: of the row at which it failed, or else behind the rows that were worked on; None where it is not known,
            or they came from several splits.
        origins: where these rows came from.
        cause: the error as it was raised.
    """

    def __init__(
        self, node: str, instance: str, cause: BaseException, offset: object = None, origins: Origins = NOWHERE
    ) -> None:
        place = ", ".join(filter(None, (instance, origins.told(node, offset))))
        super().__init__(f"{node!r} ({place}): {type(cause).__name__}: {cause}")
        self.node = node
        self.instance = instance
        self.place = place
        self.offset = origins.offset if offset is None else offset
        self.origins = origins
        self.cause = cause
        self.__cause__ = cause


def columns_told(columns: pa.Schema, most: int = 20) -> str:
    """Names and types of columns, for an error."""
    told = [f"{field.name} {field.type}" for field, _ in zip(columns, range(most), strict=False)]
    more = [f"... {len(columns) - most} more"] if len(columns) > most else []
    return ", ".join([*told, *more]) or "(none)"


def known(name: str, names: Iterable[str]) -> str:
    """The second half of an error: what is known, and the nearest match to what was asked for."""
    names = sorted(names)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    shown = names if len(names) <= 20 else [*names[:20], f"... {len(names) - 20} more"]
    return f"known here: {shown}{hint}"


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in nested groups, flat."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from leaves(inner)
    else:
        yield error
