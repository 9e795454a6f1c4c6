"""The 22 queries of TPC-H over streams add up to what DuckDB returns, also after deletions."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from operators.testing import assert_matches_batch
from tests.tpch import generator, make, queries, tables_of, with_deletions

pytestmark = pytest.mark.skipif(generator() is None, reason="tpchgen-cli is not installed")

QUERIES = queries()


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    directory: Path = tmp_path_factory.mktemp("tpch")
    return make(directory, 0.01)


def test_all_queries_are_there() -> None:
    assert list(QUERIES) == [f"q{number}" for number in range(1, 23)]


@pytest.mark.parametrize("name", QUERIES)
def test_query(name: str, tables: dict[str, pa.Table]) -> None:
    """Compared on the way, when only some rows have come, and at the end, when a tenth of them has gone again."""
    query = QUERIES[name]
    inputs = {table: with_deletions(tables[table]) for table in tables_of(query)}
    assert_matches_batch(query, inputs, batches=[10_000], partitions=[2], whole=False)
