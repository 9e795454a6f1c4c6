-- 1:58 a RIGHT JOIN has rows of its right side that stand alone, and this one names columns of its left
SELECT t.symbol FROM trades t RIGHT JOIN LATERAL (SELECT t.price AS p) AS l ON true;

-- 1:54 a FULL JOIN has rows of its right side that stand alone, and this one names columns of its left
SELECT t.symbol FROM trades t FULL JOIN unnest(ARRAY[t.price]) AS u(x) ON true;

-- 1:75 an outer, semi or anti join to UNNEST takes no condition but TRUE
SELECT t.symbol FROM trades t LEFT JOIN unnest(ARRAY[t.price]) AS u(x) ON u.x > 1;

-- 1:39 UNNEST takes lists and maps; price has type DOUBLE
SELECT t.symbol FROM trades t, unnest(t.price) AS u;

-- 1:47 a subquery is not supported in UNNEST
SELECT t.symbol FROM trades t, unnest((SELECT array_agg(price) FROM trades)) AS u(x);

-- 1:47 no column 'prise' in 't'; known here: ['event_time', 'price', 'symbol', 'venue', 'volume']; did you mean 'price'?
SELECT t.symbol FROM trades t, unnest(ARRAY[t.prise]) AS u(x);

-- 1:58 'u' has 1 columns, and 2 names are given
SELECT t.symbol FROM trades t, unnest(ARRAY[t.price]) AS u(x, y);

-- 1:8 UNNEST takes lists and maps; price has type DOUBLE
SELECT unnest(price) AS x FROM trades;

-- 1:35 UNNEST is not allowed in QUALIFY
SELECT symbol FROM trades QUALIFY unnest(ARRAY[price]) > 1;

-- 1:33 UNNEST is not allowed in WHERE
SELECT symbol FROM trades WHERE unnest(ARRAY[price]) > 1;

-- 1:89 no column 'symbl' in 't'; known here: ['event_time', 'price', 'symbol', 'venue', 'volume']; did you mean 'symbol'?
SELECT t.symbol FROM trades t, LATERAL (SELECT u.price FROM trades u WHERE u.symbol = t.symbl) AS l;

-- 1:79 no table 't' in FROM; known here: ['u']
SELECT t.symbol FROM trades t, (SELECT u.price FROM trades u WHERE u.symbol = t.symbol) AS l;

-- 1:48 an aggregate of columns of the query around is not supported in a subquery yet
SELECT t.symbol FROM trades t, LATERAL (SELECT sum(t.price) AS s FROM trades u) AS l;

-- 1:71 a subquery in ON of an outer join that names columns of both sides is not supported yet
SELECT t.symbol FROM trades t LEFT JOIN trades u ON t.price > (SELECT avg(price) FROM trades v WHERE v.symbol = t.symbol AND v.venue = u.venue);

-- 1:79 a subquery in ON of an outer join to a LATERAL subquery is not supported yet
SELECT t.symbol FROM trades t LEFT JOIN LATERAL (SELECT t.price AS p) AS l ON l.p IN (SELECT price FROM trades);

-- 1:66 a FULL JOIN in a subquery that names columns of the query around it in FROM or ON is not supported yet
SELECT symbol FROM trades t WHERE EXISTS (SELECT 1 FROM trades u FULL JOIN trades v ON u.symbol = v.symbol AND v.price > t.price);

-- 1:52 a row of 2 values is compared with one of 3
SELECT symbol FROM trades WHERE (symbol, venue) = ('a', 'b', 'c');

-- 1:59 the subquery has 1 columns ['symbol'], and 2 are compared here
SELECT symbol FROM trades WHERE (symbol, venue) = (SELECT symbol FROM trades LIMIT 1);

-- 1:34 rows are compared with the rows of a subquery by = and <> only
SELECT symbol FROM trades WHERE (symbol, venue) < ANY (SELECT symbol, venue FROM trades);

-- 1:9 a row is compared with the rows of a subquery by IN, = ANY and <> ALL only
SELECT (symbol, venue) <> ANY (SELECT symbol, venue FROM trades) AS x FROM trades;

-- 1:21 ARRAY(SELECT ...) takes one column, by its name
SELECT ARRAY(SELECT symbol, venue FROM trades) AS x FROM trades;

-- 1:21 ARRAY(SELECT ...) takes one column, by its name
SELECT ARRAY(SELECT * FROM trades) AS x FROM trades;

-- 1:29 PIVOT is not supported yet
SELECT * FROM trades PIVOT (sum(price) FOR symbol IN ('a', 'b'));

-- 1:31 UNPIVOT is not supported yet
SELECT * FROM trades UNPIVOT (v FOR n IN (price, volume));

-- 1:51 generate_series(1, t.symbol): 'generate_series' does not take (BIGINT, TEXT)
SELECT t.symbol, g FROM trades t, generate_series(1, t.symbol) AS g;

-- 1:16 WITH RECURSIVE is not supported yet: a result that is kept up to date would have to be taken apart again
WITH RECURSIVE n AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM n) SELECT x FROM n;

-- 1:22 no column 'trades'; known here
SELECT * FROM UNNEST(trades);

-- 1:30 UNNEST takes lists and maps; symbol has type TEXT
-- hint: make a list: ARRAY[...]
SELECT x FROM trades, UNNEST(symbol) AS u(x);

-- 1:21 array(1, 'a'): 'a' is no BIGINT
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT unnest(ARRAY[1, 'a']) FROM trades;

-- 1:71 UNNEST is not allowed in WHERE
-- hint: write value = ANY (array), or put UNNEST into FROM and name its column here
SELECT unnest(ARRAY[price]) + unnest(ARRAY[volume]) FROM trades WHERE unnest(ARRAY[1]) = 1;

-- 1:8 syntax error: unnest() lacks an argument near ')'
-- hint: write unnest(...) of a column, for example
SELECT unnest() FROM trades;

-- 1:12 explode(array(price)): no function 'explode'
-- hint: write FROM table, UNNEST(list) AS name
SELECT max(unnest(ARRAY[price])) FROM trades;

-- 1:50 UNNEST is not allowed in HAVING
-- hint: write value = ANY (array), or put UNNEST into FROM and name its column here
SELECT symbol FROM trades GROUP BY symbol HAVING unnest(ARRAY[1]) = 1;

-- 1:76 no column 'symbl' in 't' ... did you mean 'symbol'?
SELECT * FROM trades t, LATERAL (SELECT * FROM trades u WHERE u.symbol = t.symbl) l;

-- 1:40 LATERAL SELECT is not supported yet
-- hint: a subquery or UNNEST(...) may stand there
SELECT * FROM trades t, LATERAL SELECT 1;

-- 1:59 no column 'pric' in 't' ... did you mean 'price'?
SELECT * FROM trades t CROSS APPLY (SELECT 1 AS x WHERE t.pric > 1) a;

-- 1:31 no table 't' in FROM; known here
SELECT * FROM LATERAL (SELECT t.price) l, trades t;

-- 1:32 syntax error: incomplete generate_series() near ')'
-- hint: something is missing before or after generate_series()
SELECT * FROM generate_series(1) g;

-- 1:31 generate_series('a', 'b'): 'a' is no BIGINT
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT * FROM generate_series('a', 'b') g;

-- 1:23 range(): 'range' does not take (); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT * FROM range() r;

-- 1:15 no table function UNNEST; known here
-- hint: write UNNEST(list) of an array
SELECT * FROM explode(trades);

-- 1:8 UNNEST takes one list in SELECT
-- hint: write FROM table, UNNEST(a, b) AS u (x, y), and name x and y
SELECT unnest(ARRAY[price], ARRAY[volume]) FROM trades;
