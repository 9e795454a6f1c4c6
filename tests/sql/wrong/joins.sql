-- 1:60 no column 'symbl' in 'b' ... did you mean 'symbol'?
SELECT a.price FROM trades a JOIN trades b ON a.symbol = b.symbl;

-- 1:47 no table 'c' in FROM ... known here: ['a', 'b']
SELECT a.price FROM trades a JOIN trades b ON c.symbol = b.symbol;

-- 1:47 no column 'symbl' ... did you mean 'symbol'?
SELECT a.price FROM trades a JOIN trades b ON symbl = b.symbol;

-- 1:47 column 'symbol' is ambiguous: ['a.symbol', 'b.symbol']
SELECT a.price FROM trades a JOIN trades b ON symbol = b.symbol;

-- 1:8 column 'price' is ambiguous: ['a.price', 'b.price']
SELECT price FROM trades a, trades b;

-- 1:46 column 'price' is ambiguous
SELECT a.price FROM trades a, trades b WHERE price > 1;

-- 1:55 column 'price' is ambiguous
SELECT count(*) AS n FROM trades a, trades b GROUP BY price;

-- 2:10 column 'venue' is ambiguous
SELECT a.price FROM trades a JOIN trades b USING (symbol)
ORDER BY venue LIMIT 1;

-- 1:56 no column 'symbl' on the left of USING ... did you mean 'symbol'?
SELECT a.price FROM trades a LEFT JOIN trades b USING (symbl);

-- 1:83 no column 'price' on the right of USING; known here: ['symbol']
SELECT a.price FROM trades a JOIN (SELECT symbol FROM trades) AS b USING (symbol, price);

-- 1:86 column 'symbol' of USING is ambiguous on the left: ['a.symbol', 'b.symbol']
SELECT a.price FROM trades a JOIN trades b ON a.price = b.price JOIN trades c USING (symbol);

-- 1:73 column 'symbol' of USING is ambiguous on the right
SELECT a.price FROM trades a JOIN (trades b CROSS JOIN trades c) USING (symbol);

-- 1:23 two tables in FROM are named 'trades'
SELECT 1 FROM trades, trades;

-- 1:35 two tables in FROM are named 'a'
SELECT a.price FROM trades a JOIN trades a ON true;

-- 1:30 JOIN needs a condition: ON or USING
SELECT a.price FROM trades a JOIN trades b;

-- 1:30 JOIN needs a condition: ON or USING
SELECT a.price FROM trades a LEFT JOIN trades b;

-- 1:30 a CROSS JOIN takes no ON
SELECT a.price FROM trades a CROSS JOIN trades b ON a.price = b.price;

-- 1:30 a NATURAL JOIN takes no USING
SELECT a.price FROM trades a NATURAL JOIN trades b USING (price);

-- 1:30 ASOF JOIN is not supported yet
SELECT a.price FROM trades a ASOF JOIN trades b ON a.price > b.price;

-- 1:30 RIGHT SEMI JOIN is not supported yet
SELECT a.price FROM trades a RIGHT SEMI JOIN trades b ON a.price > b.price;

-- 1:47 symbol = b.volume: '=' does not take (TEXT, BIGINT)
SELECT a.price FROM trades a JOIN trades b ON a.symbol = b.volume;

-- 1:69 upper(b.price): 'upper' does not take (DOUBLE)
SELECT a.price FROM trades a JOIN trades b ON a.price = b.price AND upper(b.price) = a.symbol;

-- 1:47 ON needs a condition; price has type DOUBLE
SELECT a.price FROM trades a JOIN trades b ON a.price;

-- 1:57 aggregates are not allowed in ON: MAX(price)
SELECT a.price FROM trades a JOIN trades b ON a.price = max(b.price);

-- 1:8 no table 'b' in FROM; known here: ['a']
SELECT b.price FROM trades a SEMI JOIN trades b ON a.price = b.price;

-- 1:8 no table 'b' in FROM; known here: ['j']
SELECT b.price FROM (trades a JOIN trades b ON a.price = b.price) AS j;

-- 1:8 no table 'c' in FROM
SELECT c.* FROM trades a, trades b;

-- 1:79 no table 'b' in FROM; known here: ['c', 'd']
SELECT c.price FROM trades b, trades c JOIN trades d ON d.price = c.price AND b.price > 1;

-- 1:69 windows follow the event time, and 'event_time' is not it: a join has none
SELECT 1 FROM TUMBLE((SELECT a.event_time FROM trades a, trades b), event_time, INTERVAL '1 minute');

-- 2:16 't' has 5 columns, and 6 names are given
SELECT 1
FROM trades AS t(a, b, c, d, e, f), trades;

-- 1:69 FOR SYSTEM_TIME AS OF is not supported yet
-- hint: join without it: a join follows the changes of both sides
SELECT a.price FROM trades a LEFT JOIN trades FOR SYSTEM_TIME AS OF a.t AS b ON a.symbol = b.symbol;

-- 1:61 no column 'symbl' in 'b' ... did you mean 'symbol'?
SELECT a.price FROM trades a JOIN trades b ON a.symbol == b.symbl;

-- 1:30 JOIN needs a condition: ON or USING
-- hint: write CROSS JOIN where every row meets every row
SELECT a.price FROM trades a JOIN trades b WHERE a.symbol = b.symbol;

-- 1:30 syntax error: unexpected 'INNER'
-- hint: write INNER JOIN table
SELECT a.price FROM trades a INNER trades b ON a.symbol = b.symbol;

-- 1:30 syntax error: unexpected 'LEFT'
-- hint: write LEFT JOIN table
SELECT a.price FROM trades a LEFT trades b ON a.symbol = b.symbol;

-- 1:30 OUTER JOIN is not supported yet
-- hint: INNER, CROSS, LEFT, RIGHT, FULL, SEMI and ANTI joins are
SELECT a.price FROM trades a OUTER JOIN trades b ON a.symbol = b.symbol;

-- 1:30 syntax error: unexpected 'JION'; did you mean JOIN?
SELECT a.price FROM trades a JION trades b ON a.symbol = b.symbol;

-- 1:30 syntax error: unexpected 'LEFT'
-- hint: write LEFT JOIN table
SELECT a.price FROM trades a LEFT OUTTER JOIN trades b ON a.symbol = b.symbol;

-- 1:35 syntax error: expected a table after 'ON'
-- hint: write FROM table, or JOIN table ON condition
SELECT a.price FROM trades a JOIN ON a.symbol = b.symbol;

-- 1:30 JOIN needs a condition: ON or USING
-- hint: write CROSS JOIN where every row meets every row
SELECT a.price FROM trades a JOIN trades b ON;

-- 1:57 tables have plain names here, not 'b.symbol'
-- hint: write the table's own name, without database or schema
SELECT a.price FROM trades a JOIN trades b ON a.symbol, b.symbol;

-- 1:61 syntax error: expected ) near 'symbol'
-- hint: it closes what line 1, column 47 opens
SELECT a.price FROM trades a JOIN trades b ON (a.symbol = b.symbol;

-- 1:30 JOIN needs a condition: ON or USING
-- hint: write CROSS JOIN where every row meets every row
SELECT a.price FROM trades a JOIN trades b USING ();

-- 1:30 a NATURAL JOIN takes no ON
-- hint: leave it out, or write [INNER] JOIN ... ON
SELECT a.price FROM trades a NATURAL JOIN trades b ON a.symbol = b.symbol;

-- 1:30 syntax error: unexpected 'NATURAL'
-- hint: write NATURAL JOIN table
SELECT a.price FROM trades a NATURAL trades b;

-- 1:30 syntax error: unexpected 'CROSS'
-- hint: write CROSS JOIN table
SELECT a.price FROM trades a CROSS trades b;

-- 1:30 a CROSS JOIN takes no USING
-- hint: leave it out, or write [INNER] JOIN ... ON
SELECT a.price FROM trades a CROSS JOIN trades b USING (symbol);

-- 1:30 JOIN needs a condition: ON or USING
-- hint: write CROSS JOIN where every row meets every row
SELECT a.price FROM trades a FULL JOIN trades b;

-- 1:30 syntax error: unexpected 'POSITIONAL'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT a.price FROM trades a POSITIONAL JOIN trades b;

-- 1:30 STRAIGHT_JOIN JOIN is not supported yet
-- hint: INNER, CROSS, LEFT, RIGHT, FULL, SEMI and ANTI joins are
SELECT a.price FROM trades a STRAIGHT_JOIN trades b ON a.symbol = b.symbol;

-- 1:30 syntax error: unexpected 'ANY'
-- hint: leave it out, or see what is missing before it
SELECT a.price FROM trades a ANY JOIN trades b ON a.symbol = b.symbol;

-- 1:30 ASOF LEFT JOIN is not supported yet
-- hint: INNER, CROSS, LEFT, RIGHT, FULL, SEMI and ANTI joins are
SELECT a.price FROM trades a ASOF LEFT JOIN trades b ON a.symbol = b.symbol AND a.event_time >= b.event_time;

-- 1:64 FOR SYSTEM_TIME AS OF is not supported yet
-- hint: join without it: a join follows the changes of both sides
SELECT a.price FROM trades a JOIN trades FOR SYSTEM_TIME AS OF a.event_time AS b ON a.symbol = b.symbol;

-- 1:109 b.event_time + 1: '+' does not take (TIMESTAMP, BIGINT); known here
-- hint: add an interval: time + INTERVAL '1 minute'
SELECT a.price FROM trades a JOIN trades b ON a.symbol = b.symbol AND a.event_time BETWEEN b.event_time AND b.event_time + 1;

-- 1:47 ON needs a condition; 1 has type BIGINT
-- hint: compare it: column > 0, or column IS NOT NULL
SELECT a.price FROM trades a JOIN trades b ON 1;

-- 1:47 ON needs a condition; 'true' has type TEXT
-- hint: compare it: column > 0, or column IS NOT NULL
SELECT a.price FROM trades a JOIN trades b ON 'true';

-- 1:56 syntax error: incomplete * near '='
-- hint: something is missing before or after *
SELECT a.price FROM trades a, trades b WHERE a.symbol *= b.symbol;

-- 1:45 syntax error: unexpected 'b'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT a.* FROM trades a WINDOW JOIN trades b ON a.symbol = b.symbol;

-- 1:19 no column 'pirce' in 'b' ... did you mean 'price'?
SELECT a.price, b.pirce FROM trades a JOIN trades b ON a.symbol = b.symbol;

-- 1:84 no table 'd' in FROM; known here
SELECT a.price FROM trades a JOIN trades b ON a.symbol = b.symbol JOIN trades c ON d.symbol = b.symbol;

-- 1:77 column 'symbol' is ambiguous: ['a.symbol', 'subquery.symbol']
-- hint: write a.symbol, for example
SELECT a.price FROM trades a JOIN (SELECT symbol FROM trades) ON a.symbol = symbol;

-- 1:81 no column 'venue' in 'b'; known here
SELECT a.price FROM trades a JOIN (SELECT symbol FROM trades) b ON a.symbol = b.venue;

-- 1:35 no table 'missing'; known here
SELECT a.price FROM trades a JOIN missing b ON a.symbol = b.symbol;

-- 1:51 syntax error: USING takes columns in parentheses
-- hint: write USING (column)
SELECT a.symbol FROM trades a JOIN trades b USING symbol;

-- 1:53 syntax error: expected ) near '.'
SELECT a.symbol FROM trades a JOIN trades b USING (a.symbol);

-- 1:60 column 'symbol' stands twice in USING
-- hint: leave one of them out
SELECT a.symbol FROM trades a JOIN trades b USING (symbol, symbol);

-- 1:22 a comma cannot stand in parentheses here
-- hint: write CROSS JOIN
SELECT * FROM (trades, trades AS b);
