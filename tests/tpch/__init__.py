"""TPC-H as a test: data made by `tpchgen-cli`, every table a stream whose rows come and, a tenth of them, go again."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from flow.schema import WEIGHT

TABLES = ("region", "nation", "supplier", "customer", "part", "partsupp", "orders", "lineitem")


def queries() -> dict[str, str]:
    """The queries by name: q1 to q22."""
    text = Path(__file__).with_name("queries.sql").read_text()
    return dict(re.findall(r"-- case: (\w+)\n(.*?);", text, re.DOTALL))


def tables_of(query: str) -> list[str]:
    """The tables that a query names."""
    return [table for table in TABLES if re.search(rf"\b{table}\b", query)]


def generator() -> str | None:
    """The program that makes the data; None where it is not installed."""
    return shutil.which("tpchgen-cli", path=str(Path(sys.executable).parent)) or shutil.which("tpchgen-cli")


def make(directory: Path, scale: float) -> dict[str, pa.Table]:
    """The eight tables at a scale factor, made where they are not there yet."""
    program = generator()
    assert program is not None
    if not (directory / "region.parquet").exists():
        directory.mkdir(parents=True, exist_ok=True)
        subprocess.run([program, "parquet", "-s", str(scale), f"--output-dir={directory}"], check=True)
    return {table: _plain(pq.read_table(directory / f"{table}.parquet")) for table in TABLES}


def _plain(table: pa.Table) -> pa.Table:
    fields = [field.with_type(pa.string()) if pa.types.is_string_view(field.type) else field for field in table.schema]
    return table.cast(pa.schema(fields))


def with_deletions(table: pa.Table, share: float = 0.1, seed: int = 0) -> pa.Table:
    """All rows as insertions, then some of them as deletions."""
    gone = np.flatnonzero(np.random.default_rng(seed).random(table.num_rows) < share)
    changes = pa.concat_tables([table, table.take(pa.array(gone))])
    weights = np.concatenate([np.ones(table.num_rows, np.int64), np.full(len(gone), -1, np.int64)])
    return changes.append_column(pa.field(WEIGHT, pa.int64(), nullable=False), pa.array(weights))
