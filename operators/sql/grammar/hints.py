"""What to write instead of what is not there, by the messages of errors: many are raised where only a name is known.

The first pattern that fits counts; an error that has a hint of its own keeps it.
"""

from __future__ import annotations

import re
from typing import Final

_HINTS: Final = tuple(
    (re.compile(pattern), hint)
    for pattern, hint in (
        # What other systems have.
        (r"PERCENT|WITH TIES", "say how many rows are wanted: LIMIT 10"),
        (
            r"(SORT|CLUSTER|DISTRIBUTE) BY is not",
            "ORDER BY ... LIMIT gives the first rows; partitions are divided by themselves",
        ),
        (r"CONNECT BY is not|RECURSIVE", "unfold the steps that there are by UNION ALL"),
        (r"PREWHERE is not", "write WHERE: conditions go down to the files by themselves"),
        (r"MATCH_RECOGNIZE is not", "join the table with itself, or number its rows with row_number()"),
        (
            r"FOR SYSTEM_TIME AS OF|AT \(\.\.\.\) is not",
            "join without it: a join follows the changes of both sides; or declare the table "
            "WITH (connector = 'lookup'), so that each row asks for its row as it is when it comes by",
        ),
        (r"WITH \(\.\.\.\) behind a table|ONLY is not", "leave it out"),
        (r"FOR UPDATE is not", "leave it out: nothing here is locked"),
        (r"SELECT INTO is not", "write INSERT INTO table SELECT ..., in a script"),
        (r"TABLESAMPLE is not", "write a condition on a column that looks random, such as hash(id) % 10 = 0"),
        (r"^\* (EXCEPT|REPLACE|RENAME|ILIKE) is not", "name the columns"),
        (r"LIMIT \.\.\. BY is not", "write QUALIFY row_number() OVER (PARTITION BY a ORDER BY b) <= n"),
        (r"GROUP BY ALL is not", "name the columns that rows are grouped by"),
        (r"WITH TOTALS is not", "write GROUP BY GROUPING SETS ((a), ())"),
        (r"^(ROLLUP|CUBE) is not supported yet$", "write GROUP BY ROLLUP (a, b), with parentheses"),
        (
            r"ROWS and RANGE|window functions \(OVER\) are not supported",
            "number rows with row_number(), or join the table with groups of itself",
        ),
        (r"ASOF|STRAIGHT_JOIN", "INNER, CROSS, LEFT, RIGHT, FULL, SEMI and ANTI joins are"),
        (r"SESSION windows|CUMULATE windows", "write TUMBLE(table, column, size) or HOP(table, column, slide, size)"),
        (r"ROLLUP.* over windows", "write one query for each set of keys, with UNION ALL between"),
        (r"takes one query, not", "write one query; scripts may have several: penstock run file.sql"),
        (r"^expected SELECT", "write SELECT ... FROM table"),
        (r"is no statement of a script", "scripts have CREATE, DROP, INSERT, SELECT, SET, SHOW, DESCRIBE and EXPLAIN"),
        (r"nested too deep", "break the query into common tables: WITH name AS (SELECT ...)"),
        (
            r"(UNIQUE|REFERENCES|FOREIGN|COLLATE).* nothing would check",
            "leave it out; CHECK (condition) and NOT NULL are checked",
        ),
        # Names and places.
        (r"tables have plain names", "write the table's own name, without database or schema"),
        (
            r"must appear in GROUP BY or inside an aggregate",
            "write it into GROUP BY, or any_value(column), for example",
        ),
        (r"aggregates are not allowed in WHERE", "filter groups with HAVING"),
        (r"aggregates are not allowed", "compute it in a subquery below, and name its column here"),
        (r"aggregates cannot be nested", "compute the inner one in a subquery in FROM"),
        (r"two (tables in FROM|common tables)", "give one of them another name"),
        (r"\* stands", "write count(*), or the columns"),
        (r"an alias is a name|a name is", "write AS name"),
        (r"SELECT needs at least one column", "write SELECT *, or name what is wanted"),
        (r"UNNEST is not allowed", "write FROM table, UNNEST(list) AS name, and name it here"),
        (r"row_number\(\) takes no", "write row_number() OVER (PARTITION BY a ORDER BY b)"),
        (r"(UNION|INTERSECT|EXCEPT)( ALL)? of \d+ columns", "name as many columns on both sides"),
        (r"of which has \d+|the rows of VALUES have", "give every row as many values"),
        (r"has \d+ columns, and \d+ names are given", "give a name to each column, or to the first ones"),
        (r"the result has columns 1 to", "write the column's name, or its place in the SELECT list from 1"),
        (r"(LIMIT|OFFSET) takes", "write a number: LIMIT 10"),
        (r"EMIT (FINAL|CHANGES) says when", "leave it out, or group the rows"),
        (
            r"DISTINCT ON must be the first|must be in the SELECT list",
            "write it at the beginning of ORDER BY, or into the SELECT list",
        ),
        (r"USING takes columns", "write USING (column)"),
        (r"JOIN takes no", "leave it out, or write [INNER] JOIN ... ON"),
        (r"sets of keys|more than 128 grouping sets", "name the sets that are wanted: GROUPING SETS ((a, b), (a), ())"),
        (r"grouping\(\) takes", "write grouping(column) of a column that stands in GROUP BY"),
        (
            r"a subquery that is used as a value has one column|ARRAY\(SELECT \.\.\.\) takes one column",
            "select the one column that is meant",
        ),
        (
            r"the subquery has \d+ columns|a row of \d+ values",
            "compare as many values as there are columns: (a, b) IN (SELECT c, d ...)",
        ),
        (
            r"is not supported( yet)? in a subquery|in ON of an outer join|is not supported yet at",
            "put it into a common table, and join that",
        ),
        (
            r"^(SELECT|FROM) .* LATERAL|names columns of its left",
            "write LEFT JOIN, with the table that is named on the left",
        ),
        # Types.
        (r"'(like|ilike)' does not take|'~' does not take", "make it text: CAST(column AS TEXT) LIKE '1%'"),
        (r"'&&' does not take", "write AND between conditions"),
        (
            r"'\|\|' does not take",
            "make one of them text: CAST(column AS TEXT) || ' ' || ..., or write OR between conditions",
        ),
        (r"'(\+|-)' does not take \((TIMESTAMP|DATE)", "add an interval: time + INTERVAL '1 minute'"),
        (r"'!' does not take|'not' does not take", "write a condition: NOT (price > 1)"),
        (r"'(\+|-|\*|/|%|<|<=|=|>|>=|<>)' does not take", "cast one of them: CAST(column AS DOUBLE)"),
        (r"'->>?' does not take", "write document -> 'name' of JSON, or list[1] of a list"),
        (r"does not take", "cast what has another type: CAST(column AS type)"),
        (
            r"needs a condition|a condition must be a boolean|its argument must be a condition|must be a condition",
            "compare it: column > 0, or column IS NOT NULL",
        ),
        (r"must be (a|an) (number|integer)|must be numbers", "cast it: CAST(column AS DOUBLE), or take another column"),
        (r"its argument must be a string", "cast it: CAST(column AS TEXT)"),
        (
            r"values of types that do not meet|values have types that do not meet|cannot be compared|do not meet",
            "cast one of them: CAST(column AS TEXT)",
        ),
        (
            r"must be a list|must be an array|takes lists and maps",
            "make a list: ARRAY[...]; or write IN (...) for several values",
        ),
        (r"only structs have fields|no field", "name a field of a struct, or take JSON apart with -> and ->>"),
        (r"cannot be cast", "cast to text first, or take it apart"),
        (r"^CAST\('.*'.* (is no|out of range)", "write a value of that type, or TRY_CAST, which gives NULL"),
        (
            r"is no (boolean|date|time)|\bis no [A-Z]+",
            "compare with a value of the column's type, or cast the column: CAST(column AS TEXT)",
        ),
        (r"division by zero", "write nullif(divisor, 0)"),
        (r"IS .* takes|^IS ", "write =, or IS [NOT] NULL | TRUE | FALSE | DISTINCT FROM value"),
        (r"has 1 to 38 digits", "write DECIMAL(38, 2), for example, or DOUBLE"),
        (r"is no fixed length", "write days or less: INTERVAL '30 days'"),
        (r"a duration must be positive", "write how long: INTERVAL '1 minute'"),
        (r"expected an interval", "write INTERVAL '1 minute'"),
        (r"windows follow the event time", "windows are of the stream's event time; subquery and join lose it"),
        (r"HOP slides further", "write the slide first: HOP(table, column, slide, size)"),
        (
            r"(TUMBLE|HOP) (lacks|takes)|argument of (TUMBLE|HOP)",
            "write TUMBLE(table, column, size) or HOP(table, column, slide, size)",
        ),
        (
            r"grouping by a window is not supported",
            "compute the groups in a subquery, and what is made of them around it",
        ),
        # Functions.
        (r"function 'row_number'|function 'rank'", "write row_number() OVER (PARTITION BY a ORDER BY b)"),
        (
            r"no function '(tumble|hop|session|cumulate)",
            "write FROM TUMBLE(table, column, INTERVAL '1 minute') GROUP BY window_start",
        ),
        (r"no function 'explode'", "write FROM table, UNNEST(list) AS name"),
        (r"no function 'all'", "write = ALL (ARRAY[1, 2]) or = ALL (SELECT ...)"),
        (r"\(\) takes \(.*, and is given", "cast it, or declare the function's arguments otherwise"),
        (r"no function", "SHOW FUNCTIONS and docs/functions.md tell all of them; CREATE FUNCTION adds one"),
        (r"has no DISTINCT", "leave DISTINCT out, or take the distinct rows in a subquery"),
        (r"WITHIN GROUP", "write percentile_cont(0.5) WITHIN GROUP (ORDER BY column)"),
        (r"takes one expression to order by", "write mode() or percentile_cont(0.5) WITHIN GROUP (ORDER BY column)"),
        (r"does not depend on an order", "leave ORDER BY out"),
        (r"can only be ordered by its argument", "leave DISTINCT or ORDER BY out"),
        (
            r"must be (a (string|number)|said) .*the query says|must be a literal|said by the query|the separator",
            "write the value itself: 'text' or 0.5",
        ),
        (r"from 0 to 1", "write 0.5 for the half"),
        (
            r"takes (one|two|\d+|no|fewer) arguments?|needs an argument|takes (an element|one argument|a name)",
            "see docs/functions.md for its arguments",
        ),
        (r"back reference|looking (ahead|behind)", "write the condition outside of the expression, by a second one"),
        (r"is no regular expression", "write \\[ for the character itself"),
        (r"collation", "leave it out; text is ordered by its characters' numbers"),
        (r"random UUIDs", "derive one: CAST(md5(CAST(id AS TEXT)) AS UUID)"),
        (r"is another one each", "take a column of the row's time, or derive what looks random: md5(name)"),
        (
            r"paths with others|slices with steps|list_reduce|IS JSON WITH",
            "docs/sql.md, Arrays and JSON, tells what there is",
        ),
        (r"split with a limit", "write split_part(text, ',', 1)"),
        (r"a struct's fields have|the struct has a field", "give each field another name"),
        (r"VALUES takes constants", "write SELECT ... for what is computed from columns"),
        (r"BY NAME", "name the columns in their order"),
        (r"the list is empty", "write the values: IN (1, 2)"),
        (r"stands before .*, not behind it", "the order is WHERE, GROUP BY, HAVING, QUALIFY, ORDER BY, LIMIT"),
        (r"a constant (orders|groups) nothing", "write the column's name without quotes, or its number"),
        (r"it must be a timestamp", "declare it TIMESTAMP, or TIMESTAMP(3) for whole numbers of milliseconds"),
        (r"a timestamp has 0, 3", "write TIMESTAMP, of microseconds, or TIMESTAMP(3)"),
        (r"(declared|named|given) twice|is given to two columns", "leave one of them out, or name it otherwise"),
        (r"a table has one", "keep one; a PRIMARY KEY may have several columns: PRIMARY KEY (a, b)"),
        (r"so it has no DEFAULT", "leave DEFAULT out"),
        (r"there is a table or view .* already", "take another name; CREATE OR REPLACE VIEW puts a view in its place"),
        (r"is a view$", "write DROP VIEW"),
        (r"is a (whole number|duration)|is one of", "SHOW SETTINGS tells the settings; docs/sql.md the options"),
        (r"SHOW takes one word", "write DESCRIBE table"),
        (r"EXPLAIN runs nothing", "write EXPLAIN or EXPLAIN PHYSICAL"),
        (r"DEFAULT takes constants", "write a value, or a computed column: name AS expression"),
        (r"^INSERT .* is not supported", "write INSERT INTO table [(columns)] SELECT ..."),
        (
            r"\d+ names for \d+ columns|has \d+ columns .*, the query|is given \d+ columns",
            "give each column a name, in its order",
        ),
        (r"dead letters of .* would come back", "name another table"),
        (r"CASCADE nor RESTRICT", "drop what uses it by a statement of its own"),
        (r"no time zone", "write a name such as 'Europe/Berlin', or 'UTC'"),
        (r"no encoding", "write 'hex', 'base64' or 'escape'"),
        (r"no table function UNNEST", "write UNNEST(list) of an array"),
        (r"no table function", "declare a table: CREATE TABLE ... WITH (connector = 'files', path = ...)"),
        (r"LATERAL SELECT", "write LATERAL (SELECT ...)"),
        (r"ANY \(.* is not supported", "write IN ('a', 'b'), or = ANY (ARRAY['a', 'b'])"),
        (r"^\(.*, .*\) is not supported", "compare rows with rows: (a, b) = (c, d); ROW(a, b) makes a struct"),
        (r"is not supported", "docs/sql.md tells what there is, and docs/sql-compared.md what to write instead"),
    )
)


def hint_of(message: str) -> str | None:
    """What to write instead, for an error that does not say it; None where the message says what is known."""
    if "did you mean" in message:
        return None
    return next((hint for pattern, hint in _HINTS if pattern.search(message)), None)
