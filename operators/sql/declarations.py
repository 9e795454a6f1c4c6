"""CREATE TABLE, read: columns, computed columns, the watermark and the options of a table.

What a declaration says is either done or refused: a constraint that nobody would check is refused.
"""

from __future__ import annotations

from typing import Any

import attrs

from operators.sql.connectors import Column, TableOptions
from operators.sql.dialect import Text, Tree, exp, render
from operators.sql.options import Options
from operators.sql.types import arrow_type, is_plain_timestamp
from operators.sql.window_call import duration


@attrs.frozen(eq=False)
class Watermark:
    """``WATERMARK FOR column AS column - INTERVAL …``.

    Attributes:
        column: the tree of the column's name.
        delay: how far event times may be out of order, microseconds.
    """

    column: exp.Identifier
    delay: int


@attrs.frozen(eq=False)
class Table:
    """A declared table.

    Attributes:
        name: of the table.
        at: the tree of its name, for errors.
        columns: those that the connector gives or takes.
        outputs: all columns of a table that is read, in order: a name, or the tree of a computed column with its alias.
        watermark: where there is one.
        options: what is written in WITH.
    """

    name: str
    at: Tree
    columns: tuple[Column, ...]
    outputs: tuple[Tree, ...]
    watermark: Watermark | None
    options: Options

    @property
    def computed(self) -> bool:
        """Whether some columns are computed from others."""
        return any(isinstance(output, exp.Alias) for output in self.outputs)

    def for_connector(self) -> TableOptions:
        """What the connector is told; its options have not been asked for anything yet."""
        return TableOptions(self.name, self.columns, self.options.again())


def read_table(text: Text, tree: exp.Create) -> Table:
    """Read a CREATE TABLE.

    Raises:
        SqlError: a type is unknown, a name is given twice, or something is not supported.
    """
    schema = tree.this
    name = schema.this if isinstance(schema, exp.Schema) else schema
    if name.args.get("db"):
        raise text.error(f"tables have plain names here, not {render(name)}", name)
    columns: list[Column] = []
    outputs: list[Tree] = []
    watermark: Watermark | None = None
    for part in schema.expressions if isinstance(schema, exp.Schema) else ():
        if isinstance(part, exp.WatermarkColumnConstraint):
            if watermark is not None:
                raise text.error("a table has one watermark", part)
            watermark = _watermark(text, part)
            continue
        if any(part.name == output.alias_or_name for output in outputs):
            raise text.error(f"the column {part.name!r} is declared twice", part)
        output = _column(text, part, columns)
        outputs.append(output)
    properties = tree.args.get("properties")
    options = Options(text, name.this, properties.expressions if properties else ())
    return Table(name.name, name.this, tuple(columns), tuple(outputs), watermark, options)


def _column(text: Text, part: Tree, columns: list[Column]) -> Tree:
    if not isinstance(part, exp.ColumnDef):
        raise text.error(f"expected a column and its type, found {render(part)!r}", part)
    kind, computed = part.args.get("kind"), None
    for constraint in part.args.get("constraints") or ():
        if not isinstance(constraint.kind, exp.ComputedColumnConstraint):
            raise text.error(
                f"{render(constraint)} is not supported: nothing would check it",
                part,
                "leave it out, or filter with WHERE",
            )
        computed = constraint.kind.this
    if computed is not None:
        value: Any = exp.Cast(this=computed, to=kind) if kind is not None else computed
        return exp.Alias(this=value, alias=part.this)
    if kind is None:
        raise text.error(f"the column {part.name!r} needs a type", part)
    columns.append(Column(part.name, arrow_type(text, kind), is_plain_timestamp(kind)))
    identifier = part.this.copy()
    identifier.set("quoted", True)
    return exp.Column(this=identifier)


def _watermark(text: Text, part: exp.WatermarkColumnConstraint) -> Watermark:
    column, expression = part.this, part.expression
    usage = f"write WATERMARK FOR {column.name} AS {column.name} - INTERVAL '2 seconds'"
    delay: Tree | None = None
    if isinstance(expression, exp.Sub):
        expression, delay = expression.this, expression.expression
    if not isinstance(expression, exp.Column) or expression.name.lower() != column.name.lower():
        raise text.error(
            f"the watermark of {column.name!r} is the column itself, or the column less an interval",
            part.expression,
            usage,
        )
    if delay is None or (isinstance(delay, exp.Interval) and _is_zero(delay)):
        return Watermark(column.this, 0)
    return Watermark(column.this, duration(text, delay))


def _is_zero(interval: exp.Interval) -> bool:
    unit = interval.args.get("unit")
    number = interval.this.name if isinstance(interval.this, exp.Literal) else ""
    return unit is not None and bool(number) and not number.strip("0.")
