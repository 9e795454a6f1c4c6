"""Parts that stand in a plan several times are in the graph once, where that computes less."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from flow import Graph
from flow.nodes import OperatorNode, Output
from operators import Join, Table, script, sql

SALES = pa.table({"shop": ["a", "b"], "item": ["x", "y"], "amount": [1, 2]})
TOTALS = "WITH totals AS (SELECT shop, item, sum(amount) AS amount, count(*) AS n FROM sales GROUP BY shop, item) "


def kinds(graph: Graph) -> Counter[str]:
    return Counter(type(node.operator).__name__ for node in graph if isinstance(node, OperatorNode))


def kinds_of(query: str) -> Counter[str]:
    graph = Graph("sharing")
    sql(query, sales=graph.source("sales", Table(SALES)))
    return kinds(graph)


@pytest.mark.parametrize(
    ("query", "aggregates"),
    [
        (TOTALS + "SELECT * FROM totals a JOIN totals b ON a.item = b.shop", 1),
        (TOTALS + "SELECT shop, n FROM totals UNION ALL SELECT item, amount FROM totals", 1),
        (TOTALS + "SELECT * FROM totals UNION ALL SELECT * FROM totals WHERE shop = 'a'", 1),
        # Each of these reads less than all of it.
        (TOTALS + "SELECT * FROM totals WHERE item = 'x' UNION ALL SELECT * FROM totals WHERE shop = 'a'", 2),
        ("SELECT shop, count(*) FROM sales GROUP BY shop UNION SELECT shop, count(*) FROM sales GROUP BY shop", 1),
        ("SELECT shop, count(*) FROM sales GROUP BY shop UNION SELECT shop, count(1.0) FROM sales GROUP BY shop", 2),
    ],
)
def test_a_common_table_is_computed_once_where_somebody_needs_all_of_it(query: str, aggregates: int) -> None:
    assert kinds_of(query)["Aggregate"] == aggregates


def test_grouping_sets_read_one_join() -> None:
    found = kinds_of("SELECT count(*) FROM sales l JOIN sales r ON l.shop = r.item GROUP BY CUBE (l.shop, r.amount)")
    assert (found["Join"], found["Aggregate"]) == (1, 4)


def test_only_columns_that_somebody_wants_are_computed() -> None:
    graph = Graph("sharing")
    query = (
        "WITH pairs AS (SELECT l.shop, l.item, r.amount FROM sales l JOIN sales r ON l.shop = r.item) "
        "SELECT shop FROM pairs UNION ALL SELECT item FROM pairs"
    )
    sql(query, sales=graph.source("sales", Table(SALES)))
    (join,) = [node for node in graph if isinstance(node, OperatorNode) and isinstance(node.operator, Join)]
    assert graph.schema(Output(join.name)).names == ["shop", "item"]


def test_statements_of_a_script_share_what_they_have_in_common(tmp_path: Path) -> None:
    sales = tmp_path / "sales.csv"
    sales.write_text("shop,amount\na,1\n")
    graph = script(
        f"""
        CREATE TABLE sales (shop VARCHAR, amount BIGINT) WITH (connector = 'files', path = '{sales}', format = 'csv');
        CREATE TABLE one WITH (connector = 'null');
        CREATE TABLE other WITH (connector = 'null');
        INSERT INTO one SELECT shop, count(*) AS n FROM sales GROUP BY shop;
        INSERT INTO other
        SELECT n, count(*) AS shops FROM (SELECT shop, count(*) AS n FROM sales GROUP BY shop) GROUP BY n;
        """
    )
    assert kinds(graph)["Aggregate"] == 2
