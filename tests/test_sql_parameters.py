"""Values that a query names: `sql(query, parameters=...)`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest

from flow import Graph, GraphError
from operators import Collect, SqlError, Table, explain, sql
from tests.bad_input import run

ROWS = pa.table({"symbol": ["a", "b", "it's"], "price": [1.0, 12.5, 20.0]})


def result(query: str, **parameters: Any) -> list[dict[str, Any]]:
    graph, out = Graph("g"), Collect()
    sql(query, parameters=parameters, rows=graph.source("rows", Table(ROWS))).sink("out", out)
    run(graph)
    return out.rows


def test_a_parameter_is_a_literal() -> None:
    query = "SELECT symbol FROM rows WHERE price > :least AND symbol <> :not_this"
    assert result(query, least=10, not_this="it's") == [{"symbol": "b"}]
    assert result("SELECT symbol FROM rows ORDER BY price DESC LIMIT :n", n=1)[0]["symbol"] == "it's"
    assert result("SELECT symbol FROM rows WHERE symbol = ANY (:some) AND price < :p + :p", some=["a", "b"], p=1) == [
        {"symbol": "a"}
    ]
    assert (
        result("SELECT percentile_cont(:half) WITHIN GROUP (ORDER BY price) AS m FROM rows", half=0.5)[-1]["m"] == 12.5
    )


@pytest.mark.parametrize(
    ("value", "kind", "meant"),
    [
        (None, pa.null(), None),
        (True, pa.bool_(), True),
        (-5, pa.int64(), -5),
        (np.int32(7), pa.int64(), 7),
        (pa.scalar("x"), pa.string(), "x"),
        (0.1, pa.float64(), 0.1),
        (1e300, pa.float64(), 1e300),
        (float("-inf"), pa.float64(), float("-inf")),
        (Decimal("-1.50"), pa.decimal128(3, 2), Decimal("-1.50")),
        ("'; DROP TABLE rows; --\\", pa.string(), "'; DROP TABLE rows; --\\"),
        (b"\x00'\xff", pa.binary(), b"\x00'\xff"),
        (date(2024, 2, 29), pa.date32(), date(2024, 2, 29)),
        (time(1, 2, 3, 4), pa.time64("us"), time(1, 2, 3, 4)),
        (datetime(2024, 2, 29, 1, 2, 3, 4), pa.timestamp("us"), datetime(2024, 2, 29, 1, 2, 3, 4)),
        (datetime(2024, 2, 29, tzinfo=UTC), pa.timestamp("us", "UTC"), datetime(2024, 2, 29, tzinfo=UTC)),
        (
            timedelta(seconds=-5),
            pa.month_day_nano_interval(),
            pa.MonthDayNano([0, 0, -5_000_000_000]),
        ),
        (UUID(int=5), pa.uuid(), UUID(int=5)),
        ([1, None, 3], pa.list_(pa.int64()), [1, None, 3]),
    ],
)
def test_python_s_values_have_their_types(value: Any, kind: pa.DataType, meant: Any) -> None:
    graph, out = Graph("g"), Collect()
    stream = sql("SELECT :x AS x FROM rows", parameters={"x": value}, rows=graph.source("rows", Table(ROWS)))
    assert stream.schema.column_type("x") == kind
    stream.sink("out", out)
    run(graph)
    assert [row["x"] for row in out.rows] == [meant] * 3


@pytest.mark.parametrize(
    ("query", "parameters", "says"),
    [
        ("SELECT :lest FROM rows", {"least": 1}, r"line 1, column 8: no value is given for the parameter :lest; known "
         r"here: \['least'\]; did you mean 'least'\?"),
        ("SELECT 1 FROM rows", {"least": 1}, "the query has no parameter :least"),
        ("SELECT * FROM :x", {"x": "rows"}, "a parameter stands for a value, not for a table"),
        ("SELECT :x FROM rows", {"x": object()}, "parameter 'x': object is no value of a parameter"),
        ("SELECT :x FROM rows", [1], "parameters= takes values by name"),
        ("SELECT price + :x FROM rows", {"x": "a"}, r"line 1, column 8: price \+ 'a': 'a' is no DOUBLE"),
    ],
)  # fmt: skip
def test_what_is_not_given_or_not_named_is_told(query: str, parameters: Any, says: str) -> None:
    with pytest.raises(GraphError, match=says):
        sql(query, parameters=parameters, rows=Graph("g").source("rows", Table(ROWS)))


@pytest.mark.parametrize("sign", ["?", "$1"])
def test_parameters_have_names(sign: str) -> None:
    with pytest.raises(SqlError, match="is no parameter: they have names") as caught:
        sql(f"SELECT {sign} FROM rows", rows=Graph("g").source("rows", Table(ROWS)))
    assert caught.value.hint == "write :name, and sql(query, parameters={'name': value}, ...)"


def test_a_query_with_parameters_is_explained() -> None:
    rows = Graph("g").source("rows", Table(ROWS))
    assert "price > 10" in explain("SELECT * FROM rows WHERE price > :p", parameters={"p": 10}, rows=rows)
