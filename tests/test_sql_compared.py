"""docs/sql-compared.md: every case that it names is there, and what is refused has the message that it gives."""

import re
from pathlib import Path

import pytest

from tests.test_sql_errors import read_wrong

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "sql-compared.md"
WRONG = {folder: read_wrong(folder) for folder in ("", "scripts")}
ROWS = [
    [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| |")
]


def test_the_table_has_a_row_a_feature() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS) >= 60
    assert {len(row) for row in ROWS} == {8}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_what_a_row_names_is_there(row: list[str]) -> None:
    here, shown = row[1], row[2]
    link = re.match(r"\[([^\]]+)\]\(\.\./(tests/[\w/.]+)\)(?:: `(.*)`)?$", shown)
    assert link is not None, shown
    name, path, message = link.groups()
    text = (ROOT / path).read_text()
    if message is not None:
        assert here == "no"
        folder = "scripts" if "/scripts/" in path else ""
        assert any(wrong.message.startswith(message) and wrong.query in text for wrong in WRONG[folder])
    elif path.endswith(".sql"):
        assert here != "no"
        assert f"-- case: {name.partition(': ')[2]}" in text.splitlines()
    else:
        assert re.search(rf"^def {name.partition(': ')[2]}\(", text, re.MULTILINE)
