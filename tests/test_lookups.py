"""Tables that are asked for the row of a key: FOR SYSTEM_TIME AS OF, its conditions, kinds of joins and changes."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
import trio

from flow.errors import RowError
from operators import SqlError, read_script, script
from tests.bad_input import failure, run

USERS = (
    "CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR, city VARCHAR) "
    "WITH (connector = 'lookup', function = 'tests.lookup_functions:user', cache_rows = 10, cache_seconds = 60);\n"
)
PAIRS = (
    "CREATE TABLE pairs (a INT NOT NULL, b VARCHAR, c BIGINT, PRIMARY KEY (a, b) NOT ENFORCED) "
    "WITH (connector = 'lookup', function = 'tests.lookup_functions:pair', concurrency = 2, retries = 1);\n"
)
TRADES = (
    "CREATE VIEW t AS SELECT * FROM (VALUES (1, 1, TIMESTAMP '2024-01-01'), (2, 2, TIMESTAMP '2024-01-02'), "
    "(3, 3, NULL), (4, NULL, NULL)) AS v (n, user_id, at);\n"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows_of(query: str) -> list[list[Any]]:
    """The rows of a query over t and users, sorted as text."""
    written = "CREATE TABLE out WITH (connector = 'files', path = 'out/', format = 'json', changes = 'weight');\n"
    script(f"{USERS}{PAIRS}{TRADES}{written}INSERT INTO out {query}").run()
    found = [json.loads(line) for part in Path("out").glob("*.json*") for line in part.read_text().splitlines()]
    assert all(row.pop("_weight", 1) == 1 for row in found)
    return sorted((list(row.values()) for row in found), key=str)


def test_rows_ask_for_the_row_of_their_key() -> None:
    query = "SELECT n, u.id, u.name FROM t JOIN users FOR SYSTEM_TIME AS OF t.at AS u ON t.user_id = u.id"
    assert rows_of(query) == [[1, 1, "ann"], [2, 2, "bob"]]


def test_rows_that_find_nothing_stay_by_left_join() -> None:
    query = "SELECT n, u.id, u.name FROM t LEFT JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.user_id"
    assert rows_of(query) == [[1, 1, "ann"], [2, 2, "bob"], [3, None, None], [4, None, None]]


def test_further_conditions_of_a_left_join_take_the_found_row_away() -> None:
    query = (
        "SELECT n, u.id, u.name FROM t LEFT JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u "
        "ON u.id = t.user_id AND u.city = 'Bern' AND n < 4"
    )
    assert rows_of(query) == [[1, 1, "ann"], [2, None, None], [3, None, None], [4, None, None]]


def test_further_conditions_of_an_inner_join_take_rows_away() -> None:
    query = (
        "SELECT n, name FROM t JOIN users FOR SYSTEM_TIME AS OF at ON id = user_id "
        "AND name <> (SELECT min(name) FROM (VALUES ('ann'), ('bob')) AS v (name))"
    )
    assert rows_of(query) == [[2, "bob"]]


def test_using_and_names_of_columns() -> None:
    query = (
        "SELECT * FROM (SELECT n, user_id FROM t) AS t "
        "JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u (user_id) USING (user_id)"
    )
    assert rows_of(query) == [[1, 1, "ann", "Bern"], [2, 2, "bob", None]]


def test_a_key_of_several_columns_by_expressions_and_constants() -> None:
    query = "SELECT n, p.* FROM t JOIN pairs FOR SYSTEM_TIME AS OF PROCTIME() AS p ON p.b = 'x' AND n + 1 = p.a"
    assert rows_of(query) == [[n, n + 1, "x", 10 * n + 10] for n in (1, 2, 3, 4)]


def test_a_number_beyond_the_type_of_the_key_finds_nothing() -> None:
    query = "SELECT n, c FROM t JOIN pairs FOR SYSTEM_TIME AS OF PROCTIME() AS p ON p.b = 'x' AND p.a = n * 1000000000"
    assert [row[0] for row in rows_of(query)] == [1, 2]


def test_look_ups_follow_each_other_and_stand_in_groups_and_subqueries() -> None:
    query = (
        "SELECT v.name, count(*) AS n FROM t JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.user_id "
        "LEFT JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS v ON v.id = u.id + 1 "
        "WHERE EXISTS (SELECT 1 FROM (VALUES (1)) AS one (k) JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS w "
        "ON w.id = t.user_id AND w.name >= 'a') GROUP BY v.name EMIT FINAL"
    )
    assert rows_of(query) == [["bob", 1], [None, 1]]


def test_unique_keys_of_the_left_stay() -> None:
    asked = read_script(
        f"{USERS}DESCRIBE SELECT n, u.name "
        "FROM (SELECT n, max(id) AS id FROM (VALUES (1, 1), (2, 1)) AS v (n, id) GROUP BY n) AS t "
        "LEFT JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.id"
    )
    assert asked.answers[0].note == "changelog; unique: (n)"


def test_changes_are_taken_back_as_they_were_given_out(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count()

    async def user(key: int) -> dict[str, str]:
        await trio.lowlevel.checkpoint()
        return {"name": str(next(numbers))}

    monkeypatch.setattr("tests.lookup_functions.user", user)
    changes = [{"user_id": key, "_weight": weight} for weight in (1, -1) for key in (1, 2, 3) * 5]
    Path("changes.jsonl").write_text("\n".join(map(json.dumps, [*changes, {"user_id": 4, "_weight": 1}])))
    script(
        f"{USERS.replace('cache_rows = 10, cache_seconds = 60', 'concurrency = 8')}"
        "CREATE TABLE t (user_id BIGINT) "
        "WITH (connector = 'files', path = 'changes.jsonl', format = 'json', changes = 'weight');"
        "CREATE TABLE out WITH (connector = 'files', path = 'out/', format = 'json', changes = 'weight');"
        "INSERT INTO out SELECT user_id, u.name "
        "FROM t JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = user_id"
    ).run()
    left: dict[tuple[int, str], int] = {}
    for line in "".join(part.read_text() for part in Path("out").glob("*.json*")).splitlines():
        row = json.loads(line)
        pair = row["user_id"], row["name"]
        left[pair] = left.get(pair, 0) + row["_weight"]
    assert [key for (key, _), weight in left.items() if weight] == [4]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("user", r"users\(column1\) for \(13\): OSError: no answer"),
        ("listed", r"a key has one row, a dict or a tuple, or None; this is \['no row'\]"),
        ("pair", r"missing 1 required positional argument"),
    ],
)
def test_what_is_no_row_fails_the_run(function: str, message: str) -> None:
    graph = script(
        USERS.replace(":user", f":{function}") + "SELECT u.name FROM (VALUES (13)) AS t (n) "
        "JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = n"
    )
    error = failure(lambda: run(graph)).cause
    with pytest.raises(RowError, match=message):
        raise error


def test_it_is_described_and_shown() -> None:
    asked = read_script(f"{USERS}DESCRIBE users; SHOW CONNECTORS; DROP TABLE IF EXISTS nothing")
    assert asked.answers[0].table["column"].to_pylist() == ["id", "name", "city"]
    (row,) = (row for row in asked.answers[1].table.to_pylist() if row["name"] == "lookup")
    assert (row["reads"], row["writes"]) == ("by key", "no")


def test_a_common_table_expression_hides_it() -> None:
    assert rows_of("WITH users AS (SELECT 5 AS id) SELECT id FROM users") == [[5]]
    with pytest.raises(SqlError, match="FOR SYSTEM_TIME AS OF is not supported yet"):
        rows_of(
            "WITH users AS (SELECT 5 AS id) SELECT 1 FROM t JOIN users FOR SYSTEM_TIME AS OF PROCTIME() ON id = user_id"
        )


LETTERS = (
    "CREATE TABLE letters WITH (connector = 'files', path = 'letters/', format = 'json');\n"
    "CREATE TABLE out WITH (connector = 'files', path = 'out/', format = 'json');\n"
)
ASKING = (
    "SELECT n, u.name FROM (VALUES (1), (13)) AS t (n) JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = n"
)


def written(folder: str) -> list[dict[str, Any]]:
    return [json.loads(line) for part in Path(folder).glob("*.json*") for line in part.read_text().splitlines()]


def test_rows_without_an_answer_are_skipped() -> None:
    script(USERS.replace("cache_rows", "on_error = 'skip', cache_rows") + LETTERS + f"INSERT INTO out {ASKING}").run()
    assert written("out") == [{"n": 1, "name": "ann"}]


LETTER = """; INSERT INTO letters SELECT 'a' AS "row", 'b' AS error, 'c' AS node, 'd' AS "offset" """


@pytest.mark.parametrize("also", ["", LETTER, f"; {ASKING}"])
def test_rows_without_an_answer_go_to_the_dead_letters(also: str) -> None:
    asking = USERS.replace("cache_rows", "dead_letters = 'letters', cache_rows")
    graph = script(f"{asking}{LETTERS}INSERT INTO out {ASKING}{also}")
    graph.run()
    assert written("out") == [{"n": 1, "name": "ann"}]
    letters = [letter for letter in written("letters") if letter["error"] != "b"]
    assert [letter["error"] for letter in letters] == ["users(column1) for (13): OSError: no answer"] * (
        2 if also.startswith("; SELECT") else 1
    )


def test_dead_letters_of_letters_come_last() -> None:
    asking = USERS.replace("cache_rows", "dead_letters = 'letters', cache_rows")
    letters = LETTERS.replace("'letters/'", "'letters/', dead_letters = 'more'")
    more = "CREATE TABLE more WITH (connector = 'files', path = 'more/', format = 'json');\n"
    script(f"{asking}{letters}{more}INSERT INTO out {ASKING}; EXPLAIN PHYSICAL {ASKING}").run()
    assert len(written("letters")) == 1


def test_nobody_has_to_ask() -> None:
    asking = USERS.replace("cache_rows", "dead_letters = 'letters', cache_rows")
    graph = script(f"{asking}{LETTERS}INSERT INTO out SELECT 1 AS n")
    assert "letters" not in graph.nodes
