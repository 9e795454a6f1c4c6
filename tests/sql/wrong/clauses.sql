-- 1:17 no table 'A' in FROM; known here
SELECT A.Price, "A".price FROM trades a;

-- 1:8 no table 'trades' in FROM; known here
SELECT trades.price FROM trades a;

-- 1:48 syntax error: unexpected 'trades'
-- hint: IN, ANY, ALL and EXISTS take what follows in parentheses
SELECT a.price FROM trades a WHERE price > ALL trades;

-- 1:44 all(1, 2): no function 'all'
-- hint: write = ALL (ARRAY[1, 2]) or = ALL (SELECT ...)
SELECT a.price FROM trades a WHERE price > ALL (1, 2);

-- 1:36 price = ANY (1): 1 has type BIGINT; it must be an array
-- hint: make a list: ARRAY[...]; or write IN (...) for several values
SELECT a.price FROM trades a WHERE price = ANY (1);

-- 1:1 SELECT needs at least one column, or *
-- hint: write SELECT *, or name what is wanted
SELECT (SELECT) FROM trades;

-- 1:16 a subquery that is used as a value has one column, not 2: ['price', 'volume']
-- hint: select the one column that is meant
SELECT (SELECT price, volume FROM trades LIMIT 1) FROM trades;

-- 1:16 a subquery that is used as a value has one column, not 5: ['symbol', 'price', 'volume', 'event_time', 'venue']
-- hint: select the one column that is meant
SELECT (SELECT * FROM trades LIMIT 1) FROM trades;

-- 1:27 a row of 2 values is compared with one of 3
-- hint: compare as many values as there are columns: (a, b) IN (SELECT c, d ...)
SELECT (price, volume) = (1, 2, 3) FROM trades;

-- 1:9 (price, volume) is not supported yet
-- hint: compare rows with rows: (a, b) = (c, d); ROW(a, b) makes a struct
SELECT (price, volume) > 1 FROM trades;

-- 1:50 no column 'symbol' in 't'; known here
SELECT * FROM (SELECT price FROM trades) t WHERE symbol = 'a';

-- 1:30 two columns of the result are named 'price'
-- hint: name one of them: expression AS name
SELECT * FROM (SELECT price, price FROM trades) t;

-- 1:38 no column 'pryce' in 'trades' ... did you mean 'price'?
SELECT * FROM (SELECT * FROM (SELECT pryce FROM trades) a) b;

-- 1:26 syntax error: incomplete UNION near 'UNION'
-- hint: write SELECT ... UNION [ALL] SELECT ...
SELECT price FROM trades UNION;

-- 1:36 syntax error: incomplete UNION near 'BY'
-- hint: write SELECT ... UNION [ALL] SELECT ...
SELECT price FROM trades UNION ALL BY;

-- 1:26 syntax error: unexpected 'MINUS'; did you mean EXCEPT?
SELECT price FROM trades MINUS SELECT price FROM trades;

-- 1:39 UNION of 1 columns ['price'] and 5 columns ['symbol', 'price', 'volume', 'event_time', 'venue']
-- hint: name as many columns on both sides
SELECT price FROM trades UNION SELECT * FROM trades;

-- 1:49 EXCEPT of 1 columns ['price'] and 2 columns ['volume', 'price']
-- hint: name as many columns on both sides
SELECT price FROM trades EXCEPT DISTINCT SELECT volume, price FROM trades;

-- 1:8 UNION of a query with ORDER BY or LIMIT, without parentheses
-- hint: write (SELECT ... LIMIT 10) UNION ...
SELECT price FROM trades ORDER BY 1 UNION SELECT price FROM trades;

-- 1:42 UNION: column 'price' is DOUBLE on the left and TIMESTAMP on the right, which do not meet
-- hint: cast one of them
(SELECT price FROM trades) UNION (SELECT event_time FROM trades);

-- 1:35 UNION of 5 columns ['symbol', 'price', 'volume', 'event_time', 'venue'] and 3 columns ['symbol', 'price', 'venue']
-- hint: name as many columns on both sides
SELECT * FROM trades UNION SELECT symbol, price, venue FROM trades;

-- 1:1 expected SELECT ... FROM ...
-- hint: write SELECT ... FROM table
VALUES;

-- 1:8 syntax error: unexpected '1'
-- hint: each row stands in parentheses: VALUES (1, 'a'), (2, 'b')
VALUES 1, 2;

-- 1:19 CAST('b' AS BIGINT): 'b' is no BIGINT
-- hint: write a value of that type, or TRY_CAST, which gives NULL
VALUES (1, 'a'), ('b', 2);

-- 1:17 the rows of VALUES have 2 and 1 columns
-- hint: give every row as many values
VALUES (1, 2), (3);

-- 1:47 no column 'b' in 't'; known here
SELECT * FROM (VALUES (1, 2))  AS t(a)  WHERE b = 1;

-- 1:7 no table 'tradez' ... did you mean 'trades'?
TABLE tradez;

-- 1:19 SELECT INTO is not supported yet
-- hint: write INSERT INTO table SELECT ..., in a script
SELECT price INTO t FROM trades;

-- 1:26 syntax error: unexpected 'INTO'
-- hint: leave it out, or see what is missing before it
SELECT price FROM trades INTO OUTFILE 'a';

-- 1:24 ONLY is not supported yet
-- hint: leave it out
SELECT price FROM ONLY trades;

-- 1:1 FOR UPDATE is not supported yet
-- hint: leave it out: nothing here is locked
SELECT price FROM trades FOR UPDATE SKIP LOCKED;

-- 1:19 WITH (...) behind a table is not supported yet
-- hint: leave it out
SELECT price FROM trades WITH (NOLOCK);

-- 1:30 syntax error: unexpected 'INDEX'
-- hint: leave it out, or see what is missing before it
SELECT price FROM trades USE INDEX (a);

-- 1:26 syntax error: unexpected 'PREWHERE'; did you mean WHERE?
SELECT price FROM trades PREWHERE price > 1;

-- 1:26 CONNECT BY is not supported yet
-- hint: unfold the steps that there are by UNION ALL
SELECT price FROM trades CONNECT BY price;

-- 1:26 CLUSTER BY is not supported yet
-- hint: ORDER BY ... LIMIT gives the first rows; partitions are divided by themselves
SELECT price FROM trades CLUSTER BY price;

-- 1:33 syntax error: unexpected '10'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT price FROM trades SAMPLE 10%;

-- 1:39 TABLESAMPLE is not supported yet
-- hint: write a condition on a column that looks random, such as hash(id) % 10 = 0
SELECT price FROM trades USING SAMPLE 10;

-- 1:39 TABLESAMPLE is not supported yet
-- hint: write a condition on a column that looks random, such as hash(id) % 10 = 0
SELECT price FROM trades TABLESAMPLE (10 PERCENT);

-- 1:43 AT (...) is not supported yet
-- hint: join without it: a join follows the changes of both sides
SELECT price FROM trades AT (TIMESTAMP => 1);

-- 1:48 FOR SYSTEM_TIME AS OF is not supported yet
-- hint: join without it: a join follows the changes of both sides
SELECT price FROM trades FOR SYSTEM_TIME AS OF '2020-01-01';

-- 1:40 FOR SYSTEM_TIME AS OF is not supported yet
-- hint: join without it: a join follows the changes of both sides
SELECT price FROM trades VERSION AS OF 1;

-- 1:22 MATCH_RECOGNIZE is not supported yet
-- hint: join the table with itself, or number its rows with row_number()
SELECT * FROM trades MATCH_RECOGNIZE (PARTITION BY symbol ORDER BY event_time MEASURES A.price AS p PATTERN (A B) DEFINE B AS B.price > A.price);

-- 1:19 * EXCEPT is not supported yet
-- hint: name the columns
SELECT * EXCLUDE (price) FROM trades;

-- 1:19 * REPLACE is not supported yet
-- hint: name the columns
SELECT * REPLACE (price + 1 AS price) FROM trades;

-- 1:18 * RENAME is not supported yet
-- hint: name the columns
SELECT * RENAME (price AS p) FROM trades;

-- 1:8 columns('p.*'): no function 'columns'
-- hint: SHOW FUNCTIONS and docs/functions.md tell all of them; CREATE FUNCTION adds one
SELECT COLUMNS('p.*') FROM trades;

-- 1:8 * stands alone in the SELECT list, or in count(*)
-- hint: write count(*), or the columns
SELECT * LIKE 'p%' FROM trades;

-- 1:16 * ILIKE is not supported yet
-- hint: name the columns
SELECT * ILIKE 'p%' FROM trades;

-- 1:25 * EXCEPT is not supported yet
-- hint: name the columns
SELECT trades.* EXCEPT (price) FROM trades;

-- 1:38 ROLLUP is not supported yet
-- hint: write GROUP BY ROLLUP (a, b), with parentheses
SELECT count(*) FROM trades GROUP BY symbol WITH ROLLUP;

-- 1:38 WITH TOTALS is not supported yet
-- hint: write GROUP BY GROUPING SETS ((a), ())
SELECT count(*) FROM trades GROUP BY symbol WITH TOTALS;

-- 1:45 syntax error: expected ( near 'symbol'
-- hint: write ( there
SELECT count(*) FROM trades GROUP BY ROLLUP symbol;

-- 1:53 syntax error: incomplete GROUPING SETS near ')'
-- hint: write GROUPING SETS ((a, b), (a), ())
SELECT count(*) FROM trades GROUP BY GROUPING SETS ();

-- 1:46 GROUP BY 3: the result has columns 1 to 1
-- hint: write the column's name, or its place in the SELECT list from 1
SELECT count(*) FROM trades GROUP BY symbol, 3;

-- 1:38 GROUP BY 0: the result has columns 1 to 1
-- hint: write the column's name, or its place in the SELECT list from 1
SELECT count(*) FROM trades GROUP BY 0;

-- 1:8 aggregates are not allowed in GROUP BY: COUNT(*)
-- hint: compute it in a subquery below, and name its column here
SELECT count(*) AS n FROM trades GROUP BY n;

-- 1:8 column 'price' must appear in GROUP BY or inside an aggregate; grouped by: ['symbol']
-- hint: write it into GROUP BY, or any_value(column), for example
SELECT * FROM trades GROUP BY symbol;

-- 1:16 column 'volume' must appear in GROUP BY or inside an aggregate; grouped by: ['symbol', 'volume + 2']
-- hint: write it into GROUP BY, or any_value(column), for example
SELECT symbol, volume + 1 FROM trades GROUP BY symbol, volume + 2;

-- 1:17 grouping() takes what follows GROUP BY, not symbol; grouped by: []
-- hint: write grouping(column) of a column that stands in GROUP BY
SELECT grouping(symbol) FROM trades;

-- 1:17 syntax error: incomplete GROUPING near ')'
-- hint: something is missing before or after GROUPING
SELECT grouping() FROM trades GROUP BY symbol;

-- 1:29 syntax error: incomplete HAVING near 'HAVING'
-- hint: something is missing before or after HAVING
SELECT count(*) FROM trades HAVING;

-- 1:36 count > 'x': 'x' is no BIGINT
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT count(*) FROM trades HAVING count(*) > 'x';

-- 1:35 window functions (OVER) are not supported yet, except row_number()
-- hint: number rows with row_number(), or join the table with groups of itself
SELECT symbol FROM trades QUALIFY rank() OVER (ORDER BY price) = 1;

-- 1:63 no column 'prise' in 'trades' ... did you mean 'price'?
SELECT symbol FROM trades QUALIFY row_number() OVER (ORDER BY prise) = 1;

-- 1:54 syntax error: unexpected 'PARTITON'; did you mean PARTITION?
SELECT symbol FROM trades QUALIFY row_number() OVER (PARTITON BY symbol ORDER BY price) = 1;

-- 1:55 ROWS and RANGE is not supported yet
-- hint: number rows with row_number(), or join the table with groups of itself
SELECT row_number() OVER (ORDER BY price ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM trades;

-- 1:8 row_number() takes no argument
-- hint: write row_number() OVER (PARTITION BY a ORDER BY b)
SELECT row_number(price) OVER (ORDER BY price) FROM trades;

-- 1:21 syntax error: nothing follows OVER
-- hint: write OVER (PARTITION BY ... ORDER BY ...)
SELECT row_number() OVER FROM trades;

-- 1:21 syntax error: nothing follows OVER
-- hint: write OVER (PARTITION BY ... ORDER BY ...)
SELECT row_number() OVER ORDER BY price FROM trades;

-- 1:43 no column 'pryce' in 'trades' ... did you mean 'price'?
SELECT symbol, price FROM trades ORDER BY pryce LIMIT 1;

-- 1:43 syntax error: unexpected 'NULLS'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT symbol FROM trades ORDER BY symbol NULLS LIMIT 1;

-- 1:43 syntax error: unexpected 'NULLS'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT symbol FROM trades ORDER BY symbol NULLS FIRTS LIMIT 1;

-- 1:36 random(): random() is not supported: a random number is another one each time a row is computed, but a row that is taken back must be computed as it was: derive it from a column, for example by md5(name)
-- hint: take a column of the row's time, or derive what looks random: md5(name)
SELECT symbol FROM trades ORDER BY RANDOM() LIMIT 1;

-- 1:36 ORDER BY 0: the result has columns 1 to 1
-- hint: write the column's name, or its place in the SELECT list from 1
SELECT symbol FROM trades ORDER BY 0 LIMIT 1;

-- 1:36 ORDER BY needs LIMIT: the rows of a result that is kept up to date have no order
-- hint: say how many rows are wanted (ORDER BY ... LIMIT 10), or leave it out and sort where the result is read
SELECT symbol FROM trades ORDER BY symbol LIMIT NULL;

-- 1:58 OFFSET takes constants, not volume
-- hint: write a number: LIMIT 10
SELECT symbol FROM trades ORDER BY symbol LIMIT 1 OFFSET volume;

-- 1:59 OFFSET takes a whole number of rows, not -1
-- hint: write a number: LIMIT 10
SELECT symbol FROM trades ORDER BY symbol LIMIT 1 OFFSET -1;

-- 1:54 EXPRESSIONS is not supported yet
-- hint: docs/sql.md tells what there is, and docs/sql-compared.md what to write instead
SELECT symbol FROM trades ORDER BY symbol LIMIT 1 BY venue;

-- 1:36 ORDER BY needs LIMIT: the rows of a result that is kept up to date have no order
-- hint: say how many rows are wanted (ORDER BY ... LIMIT 10), or leave it out and sort where the result is read
SELECT symbol FROM trades ORDER BY ALL;

-- 1:36 no column 'ALL' in 'trades'; known here
SELECT symbol FROM trades ORDER BY ALL LIMIT 1;

-- 1:38 GROUP BY 'constant': a constant groups nothing; name a column, or give its number
SELECT count(*) FROM trades GROUP BY 'constant';

-- 1:38 GROUP BY NULL: a constant groups nothing; name a column
SELECT count(*) FROM trades GROUP BY NULL;

-- 1:39 GROUP BY -1: a constant groups nothing; name a column
SELECT count(*) FROM trades GROUP BY -1;

-- 1:38 GROUP BY 1.5: a constant groups nothing; name a column
SELECT count(*) FROM trades GROUP BY 1.5;

-- 1:38 GROUP BY TRUE: a constant groups nothing; name a column
SELECT count(*) FROM trades GROUP BY TRUE;

-- 1:64 GROUP BY 'a': a constant groups nothing; name a column
SELECT symbol, count(*) FROM trades GROUP BY GROUPING SETS (1, 'a');

-- 1:35 QUALIFY needs a window function in its condition or in the SELECT list
-- hint: filter rows with WHERE, and groups with HAVING
SELECT symbol FROM trades QUALIFY price > 1;

-- 1:61 QUALIFY needs a window function
-- hint: filter rows with WHERE, and groups with HAVING
SELECT symbol, count(*) FROM trades GROUP BY symbol QUALIFY count(*) > 1;

-- 1:1 DISTINCT ON () names no column
-- hint: write DISTINCT ON (column), or LIMIT 1 for one row
SELECT DISTINCT ON () symbol FROM trades;

-- 1:1 a row of VALUES has at least one value
-- hint: write VALUES
VALUES ();

-- 1:8 syntax error: price = volume = TRUE compares the result of another comparison
-- hint: write a < b AND b < c, or parentheses: (a = b) = c
SELECT price = volume = TRUE FROM trades;

-- 1:51 ESCAPE takes one character, not 'ab'
-- hint: write ESCAPE '!', or '' for none
SELECT * FROM trades WHERE symbol LIKE 'a' ESCAPE 'ab';

-- 1:75 two windows are named 'w'
-- hint: give one another name
SELECT row_number() OVER w AS n FROM trades WINDOW w AS (ORDER BY price), w AS (ORDER BY volume);

-- 1:45 syntax error: unexpected 'DESC'
-- hint: ASC or DESC, not both
SELECT price FROM trades ORDER BY price ASC DESC LIMIT 1;

-- 1:32 syntax error: nothing follows FOR
-- hint: write substring(text FROM 1 FOR 2)
SELECT substring(symbol FROM 1 FOR) FROM trades;
