"""Functions of structs and maps.

A map is a column of lists of entries with distinct keys; keys are compared as `=` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from operators.expressions.functions.arrays import concatenated
from operators.expressions.lists import Lists, broadcast, codes, gathered, listed, null_where_any, plain, spread
from operators.expressions.nested_casts import map_of
from operators.expressions.registry import Resolved, function, overload
from operators.expressions.types import Argument, ExpressionError, common, logical, storage


def _rows(values: Sequence[Any]) -> int:
    return next(len(value) for value in values if isinstance(value, pa.Array))


def _declared(array: pa.Array, kind: pa.DataType) -> pa.Array:
    """An array as its declared type has it: between kernels it has no extension type."""
    return kind.wrap_array(array) if kind != storage(kind) else array


def _names(arguments: Sequence[Argument]) -> list[str]:
    names = [argument.constant for argument in arguments]
    if not all(isinstance(name, str) for name in names):
        raise ExpressionError("the names of a struct's fields are literals")
    if len(set(names)) < len(names):
        raise ExpressionError(f"a struct's fields have different names; known here: {names}")
    return [str(name) for name in names]


def _struct(names: Sequence[str], kinds: Sequence[pa.DataType], inputs: Sequence[pa.DataType], skip: int) -> Resolved:
    kind = pa.struct(list(zip(names, kinds, strict=True)))

    def kernel(*values: Any) -> pa.Array:
        rows = _rows(values)
        columns = [_declared(spread(value, rows), each) for value, each in zip(values[skip - 1 :: skip], kinds)]  # noqa: B905
        return pa.StructArray.from_arrays(columns, fields=list(kind))

    return Resolved(tuple(inputs), kind, kernel, total=True)


def _packed(arguments: Sequence[Argument]) -> Resolved | None:
    if not arguments or len(arguments) % 2:
        return None
    inputs = [argument.type for argument in arguments]
    return _struct(_names(arguments[::2]), inputs[1::2], inputs, 2)


def _row(arguments: Sequence[Argument]) -> Resolved | None:
    kinds = [argument.type for argument in arguments]
    return _struct([f"f{number}" for number in range(1, len(kinds) + 1)], kinds, kinds, 1) if kinds else None


overload(
    "struct_pack(const text, any...) -> struct", _packed,
    says="A struct: `struct_pack(a := 1, b := 'x')`, also written `{'a': 1, 'b': 'x'}` and `STRUCT(1 AS a, 'x' AS b)`.",
    examples=("struct_extract({'a': 1, 'b': 'x'}, 'b') = 'x'",),
)  # fmt: skip
overload(
    "row(any...) -> struct", _row,
    says="A struct with fields f1, f2, ...", examples=("struct_extract(ROW(1, 'x'), 'f2') = 'x'",),
)  # fmt: skip


def _inserted(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) < 3 or len(arguments) % 2 == 0 or arguments[0].family != "struct":
        return None
    held, inputs = arguments[0].type, [argument.type for argument in arguments]
    names, kinds = _names(arguments[1::2]), inputs[2::2]
    if set(names) & set(held.names):
        raise ExpressionError(f"the struct has a field {min(set(names) & set(held.names))!r} already")
    result = pa.struct([*held, *zip(names, kinds, strict=True)])

    @broadcast
    def kernel(value: pa.Array, *rest: pa.Array) -> pa.Array:
        columns = [*value.flatten(), *(_declared(each, kind) for each, kind in zip(rest[1::2], kinds, strict=True))]
        mask = value.is_null() if value.null_count else None
        return pa.StructArray.from_arrays(columns, fields=list(result), mask=mask)

    return Resolved(tuple(inputs), result, kernel, total=True)


overload(
    "struct_insert(struct, const text, any...) -> struct", _inserted,
    says="The struct with more fields: `struct_insert(s, c := 1)`.",
    examples=("struct_extract(struct_insert({'a': 1}, b := 2), 'b') = 2",),
)  # fmt: skip


def _extracted(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or arguments[0].family != "struct":
        return None
    kind, wanted = arguments[0].type, arguments[1].constant
    if isinstance(wanted, int) and 1 <= wanted <= kind.num_fields:
        index = wanted - 1
    elif wanted in kind.names:
        index = kind.names.index(wanted)
    else:
        raise ExpressionError(f"no field {wanted!r}; known here: {kind.names}")

    def kernel(value: Any, name: Any) -> pa.Array:
        return value.flatten()[index]

    return Resolved((kind, arguments[1].type), kind.field(index).type, kernel, total=True)


overload(
    "struct_extract(struct, const text) -> any", _extracted,
    says="A field of a struct; also written `s.name`, `(s).name` and `s['name']`.",
    examples=("struct_extract({'a': 1}, 'a') = 1",),
)  # fmt: skip
overload("list_element(struct, const text) -> any", _extracted)


@null_where_any
def _at(maps: pa.Array, keys: pa.Array) -> pa.Array:
    lists = Lists.of(maps)
    names, items = lists.values.flatten()
    inner, outer = codes(names, keys)
    hits = np.flatnonzero(inner == outer[lists.rows])
    position = np.full(len(lists), -1, np.int64)
    position[lists.rows[hits]] = hits
    return gathered(items, position)


@null_where_any
def _holds(maps: pa.Array, keys: pa.Array) -> pa.Array:
    lists = Lists.of(maps)
    inner, outer = codes(lists.values.flatten()[0], keys)
    return pa.array(lists.any_of(inner == outer[lists.rows]))


def _keyed(kernel: Any, result: pa.DataType | None) -> Any:
    def rule(arguments: Sequence[Argument]) -> Resolved | None:
        if len(arguments) != 2 or arguments[0].family != "map":
            return None
        held = arguments[0].type
        key = common([Argument(logical(held.key_type)), arguments[1]])
        if key is None:
            return None
        kind = pa.map_(key, held.item_type)
        return Resolved((kind, key), logical(held.item_type) if result is None else result, kernel, total=True)

    return rule


_MAP = "MAP(['a', 'b'], [1, 2])"
for _name in ("element_at", "map_extract_value", "list_element"):
    overload(
        f"{_name}(map, any) -> any", _keyed(_at, None),
        says="" if _name == "list_element" else "The value of a key, NULL if it is not there; also written `map[key]`.",
        examples=() if _name == "list_element" else (f"{_name}({_MAP}, 'b') = 2", f"{_MAP}['c'] IS NULL"),
    )  # fmt: skip
for _name in ("map_contains", "map_contains_key"):
    overload(
        f"{_name}(map, any) -> boolean", _keyed(_holds, pa.bool_()),
        says="Whether a map has the key.", examples=(f"{_name}({_MAP}, 'b') = true",),
    )  # fmt: skip


@function(
    "map_keys(map) -> list", total=True, result=lambda types: pa.list_(types[0].key_type),
    says="The keys of a map.", examples=(f"map_keys({_MAP}) = ['a', 'b']",),
)  # fmt: skip
def _keys(maps: pa.Array) -> pa.Array:
    lists = Lists.of(maps)
    return lists.with_values(lists.values.flatten()[0])


@function(
    "map_values(map) -> list", total=True, result=lambda types: pa.list_(types[0].item_type),
    says="The values of a map.", examples=(f"map_values({_MAP}) = [1, 2]",),
)  # fmt: skip
def _values(maps: pa.Array) -> pa.Array:
    lists = Lists.of(maps)
    return lists.with_values(lists.values.flatten()[1])


@function(
    "map_entries(map) -> list", total=True,
    result=lambda types: pa.list_(pa.struct([("key", types[0].key_type), ("value", types[0].item_type)])),
    says="The entries of a map, as structs of a key and a value.",
    examples=(f"struct_extract(map_entries({_MAP})[2], 'value') = 2",),
)  # fmt: skip
def _entries(maps: pa.Array) -> pa.Array:
    lists = Lists.of(maps)
    return lists.with_values(pa.StructArray.from_arrays(lists.values.flatten(), ["key", "value"]))


@function("cardinality(map) -> bigint", "length(map) -> bigint", "len(map) -> bigint", total=True)
def _cardinality(maps: pa.Array) -> pa.Array:
    lengths = pa.array(Lists.of(maps).lengths)
    return pc.if_else(maps.is_valid(), lengths, pa.scalar(None, pa.int64())) if maps.null_count else lengths


def _made(lists: Lists, keys: pa.Array, items: pa.Array, last: bool = False) -> pa.Array:
    """Maps of entries; of equal keys the last counts where `last`, else they are an error."""
    if plain(keys).null_count:
        raise pa.ArrowInvalid("a key of a map is NULL")
    (numbers,) = codes(keys)
    pairs = lists.rows * (int(numbers.max(initial=0)) + 1) + numbers
    _, firsts, which = np.unique(pairs, return_index=True, return_inverse=True)
    if len(firsts) < len(pairs):
        if not last:
            raise pa.ArrowInvalid("a map has the same key twice")
        latest = np.zeros(len(firsts), np.int64)
        latest[which] = np.arange(len(pairs))
        order = np.sort(firsts)
        chosen = pa.array(latest[which[order]])
        keys, items = keys.take(pa.array(order)), items.take(chosen)
        lengths = np.bincount(lists.rows[order], minlength=len(lists))
        lists = Lists.of(listed(keys, lengths, lists.missing))
    return map_of(lists, keys, items)


def _of_lists(arguments: Sequence[Argument]) -> Resolved | None:
    if [argument.family for argument in arguments] != ["list", "list"]:
        return None
    key, item = (logical(argument.type.value_type) for argument in arguments)
    # No key can be NULL; those of a map without entries are text until a cast says otherwise.
    key = pa.string() if pa.types.is_null(key) else key

    @null_where_any
    def kernel(keys: pa.Array, items: pa.Array) -> pa.Array:
        one, other = Lists.of(keys), Lists.of(items)
        if (one.lengths != other.lengths).any():
            raise pa.ArrowInvalid("a map has as many keys as values")
        return _made(one, one.values, other.values)

    return Resolved((pa.list_(key), pa.list_(item)), pa.map_(key, item), kernel)


overload(
    "map(list, list) -> map", _of_lists,
    says="A map of a list of keys and one of values; also written `MAP {key: value, ...}`.",
    examples=("map_keys(MAP(['a'], [1])) = ['a']", "MAP {'a': 1}['a'] = 1"),
)  # fmt: skip


def _of_entries(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 1 or arguments[0].family != "list" or not pa.types.is_struct(arguments[0].type.value_type):
        return None
    entry = arguments[0].type.value_type
    if entry.num_fields != 2:
        return None

    @null_where_any
    def kernel(entries: pa.Array) -> pa.Array:
        lists = Lists.of(entries)
        return _made(lists, *lists.values.flatten())

    return Resolved((arguments[0].type,), pa.map_(entry.field(0).type, entry.field(1).type), kernel)


overload(
    "map_from_entries(list) -> map", _of_entries,
    says="A map of a list of structs of two fields: keys and values.",
    examples=("map_keys(map_from_entries([ROW('a', 1)])) = ['a']",),
)  # fmt: skip


def _concatenated(arguments: Sequence[Argument]) -> Resolved | None:
    if len(arguments) != 2 or not {argument.family for argument in arguments} <= {"map", "null"}:
        return None
    kind = common(arguments)
    if kind is None or not pa.types.is_map(kind):
        return None

    @broadcast
    def kernel(left: pa.Array, right: pa.Array) -> pa.Array:
        one, other = _entries(left), _entries(right)
        lists = Lists.of(concatenated(one, other))
        keys, items = lists.values.flatten()
        return _made(lists, keys, items, last=True)

    return Resolved((kind, kind), kind, kernel)


overload(
    "map_concat(map, map) -> map", _concatenated,
    says="The entries of both maps; of equal keys the second map's value counts.",
    examples=(f"map_concat({_MAP}, MAP(['b'], [3]))['b'] = 3",),
)  # fmt: skip
