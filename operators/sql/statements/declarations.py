"""CREATE TABLE, SOURCE and SINK, read: columns, keys, conditions, the watermark and the options of a table.

What a declaration says is either done or refused.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import attrs

from flow.errors import known
from operators.sql.connectors.options import Options
from operators.sql.connectors.registry import Column, TableOptions
from operators.sql.expressions.types import arrow_type, is_plain_timestamp
from operators.sql.grammar.dialect import Text, Tree, exp, render
from operators.sql.qualifying.window_call import duration

TableKind = Literal["table", "source", "sink"]


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
        kind: whether it may be read and written (a table), or only one of it.
        columns: those that the connector gives or takes.
        outputs: all columns of a table that is read, in order: a name, or the tree of a computed column with its alias.
        watermark: where there is one.
        options: what is written in WITH.
        key: the columns of PRIMARY KEY, in its order; none where there is none. Nobody checks it: it is a promise.
        conditions: what each row must satisfy: the tree, and how it is called in errors.
        defaults: what an INSERT that leaves a column out puts there, by the column's name.
    """

    name: str
    at: Tree
    kind: TableKind
    columns: tuple[Column, ...]
    outputs: tuple[Tree, ...]
    watermark: Watermark | None
    options: Options
    key: tuple[str, ...] = ()
    conditions: tuple[tuple[Tree, str], ...] = ()
    defaults: dict[str, Tree] = attrs.field(factory=dict)

    @property
    def computed(self) -> bool:
        """Whether some columns are computed from others."""
        return any(isinstance(output, exp.Alias) for output in self.outputs)

    def for_connector(self) -> TableOptions:
        """What the connector is told; its options have not been asked for anything yet."""
        return TableOptions(self.name, self.columns, self.options.again(), self.key)


def read_table(text: Text, tree: exp.Create) -> Table:
    """Read a CREATE TABLE, SOURCE or SINK.

    Raises:
        SqlError: a type is unknown, a name is given twice, or something is not supported.
    """
    schema = tree.this
    name = schema.this if isinstance(schema, exp.Schema) else schema
    if name.args.get("db"):
        raise text.error(f"tables have plain names here, not {render(name)}", name)
    reading = _Reading(text)
    for part in schema.expressions if isinstance(schema, exp.Schema) else ():
        reading.part(part)
    properties = tree.args.get("properties")
    options = Options(text, name.this, properties.expressions if properties else ())
    return Table(
        name.name,
        name.this,
        cast("TableKind", tree.args["kind"].lower()),
        tuple(reading.columns),
        tuple(reading.outputs),
        reading.watermark,
        options,
        reading.key(),
        tuple(reading.conditions),
        reading.defaults,
    )


class _Reading:
    """The parts of a declaration, read one after the other."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._keys: list[tuple[Tree, list[exp.Identifier]]] = []
        self.columns: list[Column] = []
        self.outputs: list[Tree] = []
        self.watermark: Watermark | None = None
        self.conditions: list[tuple[Tree, str]] = []
        self.defaults: dict[str, Tree] = {}

    def part(self, part: Tree) -> None:
        """Read one part."""
        match part:
            case exp.WatermarkColumnConstraint():
                if self.watermark is not None:
                    raise self._text.error("a table has one watermark", part)
                self.watermark = _watermark(self._text, part)
            case exp.PrimaryKey():
                self._keys.append((part, part.expressions))
            case exp.CheckColumnConstraint():
                self._check(part.this)
            case _:
                if any(part.name == output.alias_or_name for output in self.outputs):
                    raise self._text.error(f"the column {part.name!r} is declared twice", part)
                self.outputs.append(self._column(part))

    def key(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        for at, _ in self._keys[1:]:
            raise self._text.error("a table has one PRIMARY KEY", at)
        names: list[str] = []
        for identifier in self._keys[0][1] if self._keys else ():
            declared = [output.alias_or_name for output in self.outputs]
            name = identifier.name
            if declared and name not in declared:
                same = [each for each in declared if each.lower() == name.lower()]
                if identifier.quoted or len(same) != 1:
                    raise self._text.error(f"PRIMARY KEY: no column {name!r}; {known(name, declared)}", identifier)
                name = same[0]
            if name in names:
                raise self._text.error(f"PRIMARY KEY: the column {name!r} is named twice", identifier)
            names.append(name)
        return tuple(names)

    def _check(self, condition: Tree) -> None:
        self._of_one_row(condition, "CHECK")
        self.conditions.append((condition, f"CHECK ({render(condition)})"))

    def _of_one_row(self, tree: Tree, what: str) -> None:
        """Raise where an expression is about more than the row that it stands for."""
        for part in tree.walk():
            if isinstance(part, exp.Query | exp.AggFunc | exp.Window):
                raise self._text.error(
                    f"{what} is computed from the columns of one row, not from {render(part)}", part, "use a view"
                )

    def _column(self, part: Tree) -> Tree:
        """A column as an expression of the table's columns: itself, or what it is computed of, under its name."""
        text = self._text
        if not isinstance(part, exp.ColumnDef):
            raise text.error(f"expected a column and its type, found {render(part)!r}", part)
        kind, computed, default = part.args.get("kind"), None, None
        identifier = part.this.copy()
        identifier.set("quoted", True)
        for constraint in part.args.get("constraints") or ():
            match constraint.kind:
                case exp.ComputedColumnConstraint():
                    computed = constraint.kind.this
                case exp.DefaultColumnConstraint():
                    default = constraint.kind.this
                case _:
                    self._constrain(part, identifier, constraint)
        if computed is not None:
            self._of_one_row(computed, "a computed column")
            if default is not None:
                raise text.error(f"the column {part.name!r} is computed, so it has no DEFAULT", part)
            if kind is not None:
                arrow_type(text, kind)
            value: Any = exp.Cast(this=computed, to=kind) if kind is not None else computed
            return exp.Alias(this=value, alias=part.this)
        if kind is None:
            raise text.error(f"the column {part.name!r} needs a type", part)
        if default is not None:
            self.defaults[part.name] = default
        self.columns.append(Column(part.name, arrow_type(text, kind), is_plain_timestamp(kind)))
        return exp.Column(this=identifier)

    def _constrain(self, part: exp.ColumnDef, identifier: exp.Identifier, constraint: exp.ColumnConstraint) -> None:
        """Note a key or a condition that stands behind a column."""
        match constraint.kind:
            case exp.PrimaryKeyColumnConstraint():
                self._keys.append((part, [identifier]))
            case exp.NotNullColumnConstraint() if constraint.kind.args.get("allow_null"):
                pass
            case exp.NotNullColumnConstraint():
                condition = exp.Not(this=exp.Is(this=exp.Column(this=identifier.copy()), expression=exp.Null()))
                self.conditions.append((condition, f"{part.name} NOT NULL"))
            case exp.CheckColumnConstraint():
                self._check(constraint.kind.this)
            case _:
                raise self._text.error(
                    f"{render(constraint)} is not supported: nothing would check it",
                    part,
                    "leave it out, or filter with WHERE",
                )


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
