"""Every example of the functions' reference: folded as a constant, and over columns in place of its literals.

Columns hold the literal's value and NULL; batches are slices, and text is dictionary-encoded too.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pyarrow as pa
import pytest

from flow.errors import RowError
from operators.expressions import Cast, Column, Expression, ExpressionError, Literal
from operators.expressions.nodes import as_node
from operators.expressions.registry import entries
from operators.expressions.types import family
from operators.sql.grammar.dialect import Text, parse
from operators.sql.plan import nodes as plan
from operators.sql.planning.planner import plan_query
from tests.expressions_for_tests import alike
from tests.functions_page import PAGE, undocumented, written

EXAMPLES = sorted({example for entry in entries() for example in entry.examples})
ONE = pa.record_batch([pa.nulls(1)], [""])
ROWS = [None, 0, 0, None, 0, None]
"""Where the NULLs are; the first and the last row are cut off."""


def parts(example: str) -> tuple[Expression, Expression]:
    """An example's expression, and the literal that it is equal to."""
    left, sign, right = example.rpartition(" = ")
    if example.endswith(" IS NULL"):
        left, sign, right = example.removesuffix(" IS NULL"), "=", "NULL"
    assert sign, f"{example!r} should be: expression = literal"
    text = Text(f"SELECT ({left}) AS value, ({right}) AS expected")
    made = plan_query(text, parse(text)[0], {})
    assert isinstance(made, plan.Project)
    value, expected = (expression for _, expression in made.columns)
    kind, other = value.bind(ONE.schema).type, expected.bind(ONE.schema).type
    return value, expected if kind == other else Cast(expected, kind)


def literals(expression: Expression) -> list[Literal]:
    """The literals with a value that an expression is made of."""
    found = [expression] if isinstance(expression, Literal) and expression.value is not None else []
    return found + [literal for child in expression.children for literal in literals(child)]


def replaced(node: object, places: dict[int, Expression]) -> object:
    """A node with others in place of some of its literals, which are known by identity."""
    if id(node) in places:
        return places[id(node)]
    if isinstance(node, tuple):
        return tuple(replaced(each, places) for each in node)
    if isinstance(node, Expression) and attrs.has(type(node)) and not isinstance(node, Literal):
        changes = {
            field.name: replaced(getattr(node, field.name), places)
            for field in attrs.fields(type(node))
            if isinstance(getattr(node, field.name), Expression | tuple)
        }
        return attrs.evolve(node, **changes)
    return node


def variants(expression: Expression) -> Iterator[tuple[Expression, Expression, pa.RecordBatch]]:
    """The expression over columns: what it is, what it is where these are NULL, and the batch."""
    found = literals(expression)
    choices = [[literal] for literal in found] + ([found] if len(found) > 1 else [])
    for encoded in (False, True):
        for chosen in choices:
            columns = []
            for literal in chosen:
                scalar = literal.scalar()
                column = pa.array([None if row is None else scalar.as_py() for row in ROWS], scalar.type)
                columns.append(column.dictionary_encode() if encoded and pa.types.is_string(scalar.type) else column)
            if encoded and not any(pa.types.is_dictionary(column.type) for column in columns):
                continue
            batch = pa.record_batch(columns, [f"c{number}" for number in range(len(columns))])
            over = {id(literal): Column(f"c{number}") for number, literal in enumerate(chosen)}
            nulls = {id(literal): Literal(None, literal.scalar().type) for literal in chosen}
            yield (
                as_node(replaced(expression, over)),
                as_node(replaced(expression, nulls)),
                batch.slice(1, len(ROWS) - 2),
            )


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_true_as_a_constant_and_over_columns(example: str) -> None:
    value, expected = parts(example)
    wanted = expected.bind(ONE.schema)(ONE)[0].as_py()
    assert alike(value.bind(ONE.schema)(ONE)[0].as_py(), wanted), example
    kind = family(value.bind(ONE.schema).type)
    for over, of_nulls, batch in variants(value):
        try:
            bound = over.bind(batch.schema)
        except ExpressionError:
            # The function wants a literal there, or reads one as another type.
            continue
        if family(bound.type) != kind:
            # A column of text does not become what a literal in quotes does.
            continue
        try:
            result = bound(batch)
        except RowError as error:
            if "must be a literal" in str(error):
                continue
            # NULL may be an error: of map's keys, for example.
            with pytest.raises(RowError):
                of_nulls.bind(ONE.schema)(ONE)
            batch = batch.filter(batch.column(0).is_valid())
            for value_there in bound(batch).to_pylist():
                assert alike(value_there, wanted), f"{over}: {value_there!r} should be {wanted!r}"
            continue
        result.validate(full=True)
        assert result.type == bound.type
        for row, value_there in zip(ROWS[1:-1], result.to_pylist(), strict=True):
            if row is not None:
                assert alike(value_there, wanted), f"{over}: {value_there!r} should be {wanted!r}"
        try:
            null = of_nulls.bind(ONE.schema)(ONE)[0].as_py()
        except (ExpressionError, RowError):
            continue
        for row, value_there in zip(ROWS[1:-1], result.to_pylist(), strict=True):
            if row is None:
                assert alike(value_there, null), f"{over}, for NULL: {value_there!r} should be {null!r}"


def test_the_page_is_written_anew() -> None:
    assert PAGE.read_text() == written(), "run: python -m tests.functions_page"


def test_every_function_is_documented_with_an_example() -> None:
    assert undocumented() == []
    assert [entry.names for entry in entries() if entry.says and not entry.examples] == []
