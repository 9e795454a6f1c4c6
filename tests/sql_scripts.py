"""Random scripts over the tables of tests/sql_data.py: tables, views and queries, each told in a form.

What DuckDB is asked has the views as common tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from tests.sql_choices import Choices
from tests.sql_data import EVENT_TIME, GONE, Shape
from tests.sql_generator import Queries
from tests.sql_users import declared
from tests.sql_values import sides

FORMS = ("weight", "weight", "weight", "debezium", "upsert")
"""In which a result is told."""


@attrs.frozen
class Asked:
    """One of the queries of a script.

    Attributes: what we are asked; what DuckDB is asked; how the result is told.
    """

    ours: str
    theirs: str
    form: str = "weight"


@attrs.frozen
class Query:
    """A script. Attributes: its queries; the views in it, as they are created; the tables in it."""

    asked: tuple[Asked, ...]
    views: tuple[str, ...]
    tables: tuple[str, ...]

    def script(self, shapes: Mapping[str, Shape]) -> str:
        """All statements; the results are called out0, out1, ..."""
        said = [*self.views]
        for number, each in enumerate(self.asked):
            form = f"changes = '{each.form}'"
            said += [f"CREATE TABLE out{number} WITH (connector = 'told', {form})"]
            said += [f"INSERT INTO out{number} {each.ours}"]
        text = ";\n".join(said)
        tables = [_created(name, shapes[name]) for name in self.tables]
        return declared(text) + ";\n".join([*tables, text])


def _created(name: str, shape: Shape) -> str:
    columns = [f"{column} {kind}" for column, kind in shape.columns]
    options = ["connector = 'fed'", f"size = '{shape.size}'"]
    if shape.form == "upsert":
        columns.append(f"{GONE} BOOLEAN")
        options.append(f"deletes = '{GONE}'")
    if shape.form != "append":
        options.append(f"changes = '{shape.form}'")
    if shape.keyed:
        columns.append(f"PRIMARY KEY ({shape.columns[0][0]})")
    if shape.event_time:
        columns.append(f"WATERMARK FOR {EVENT_TIME} AS {EVENT_TIME} - INTERVAL '100 days'")
    if shape.encoded:
        options.append("encoded = 'true'")
    if shape.broadcast is not None:
        options.append(f"broadcast = '{shape.broadcast}'")
    return f"CREATE TABLE {name} ({', '.join(columns)}) WITH ({', '.join(options)})"


def query(choices: Choices, tables: Mapping[str, Shape]) -> Query:
    """A script over some of the tables."""
    maker = Queries(choices, tables)
    views, theirs = maker.views()
    asked = []
    for _ in range(1 + (choices.below(2) + choices.below(2) if views or choices.one_in(8) else 0)):
        commons, text = asked[0][:2] if asked and choices.one_in(4) else maker.whole()
        form = choices.pick(FORMS)
        asked.append((commons, text, form))
    said = tuple(
        Asked(sides(_with(commons, text))[0], sides(_with([*theirs, *commons], text))[1], form)
        for commons, text, form in asked
    )
    text = " ".join([*views, *(each.ours for each in said)])
    return Query(said, views, tuple(name for name in tables if re.search(rf"\b{name}\b", text)))


def _with(commons: list[str], text: str) -> str:
    return f"WITH {', '.join(commons)} {text}" if commons else text
