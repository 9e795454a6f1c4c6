"""In which order tables are joined: by their sizes and conditions, where the sizes are known."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from flow import Graph
from operators import Batches, Table, sql
from operators.join import Join
from operators.testing import assert_matches_batch

SALES = Table({"sale": list(range(2_000)), "shop": [row % 100 for row in range(2_000)], "item": [1] * 2_000})
SHOPS = Table({"shop_id": list(range(100)), "town": [row % 10 for row in range(100)]})
TOWNS = Table({"town_id": list(range(10)), "name": [f"town {row}" for row in range(10)]})

QUERY = """
SELECT sale, name FROM sales, shops, towns WHERE shop = shop_id AND town = town_id AND name = 'town 3'
"""


def joined(query: str, **tables: Any) -> list[tuple[tuple[str, str], ...]]:
    """The keys of the joins, the first of them first."""
    graph = Graph("order")
    streams = {name: graph.source(name, source) for name, source in tables.items()}
    sql(query, **streams)
    return [operator.keys for node in graph if isinstance(operator := getattr(node, "operator", None), Join)]


def test_tables_of_which_little_comes_are_joined_first() -> None:
    assert joined(QUERY, sales=SALES, shops=SHOPS, towns=TOWNS) == [(("town", "town_id"),), (("shop", "shop_id"),)]


def test_the_order_is_the_query_s_where_a_size_is_not_known() -> None:
    endless = Batches([SALES.data[0]], unbounded=True)
    assert joined(QUERY, sales=endless, shops=SHOPS, towns=TOWNS) == [(("shop", "shop_id"),), (("town", "town_id"),)]


def test_columns_of_few_values_are_no_way_from_one_large_table_to_another() -> None:
    """Every person of a town would meet every sale in it; by way of the shops there are as many rows as sales."""
    people = Table({"person": list(range(500)), "home": [row % 10 for row in range(500)], "buys": list(range(500))})
    query = (
        "SELECT * FROM people, shops, towns, sales "
        "WHERE home = town AND town = town_id AND shop = shop_id AND buys = sale"
    )
    first, *_, last = joined(query, people=people, shops=SHOPS, towns=TOWNS, sales=SALES)
    assert first == (("town", "town_id"),)
    assert last != (("home", "town"),)


def test_the_result_is_the_same() -> None:
    tables = {"sales": pa.Table.from_batches(SALES.data), "shops": pa.Table.from_batches(SHOPS.data)}
    tables["towns"] = pa.Table.from_batches(TOWNS.data)
    assert_matches_batch(QUERY, tables)
    assert_matches_batch("SELECT * FROM sales JOIN shops ON shop = shop_id JOIN towns ON town = town_id", tables)
