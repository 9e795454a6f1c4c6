-- 1:8 no column 'pric' in 'trades' ... did you mean 'price'?
SELECT pric FROM trades;

-- 1:15 no column 'pric' in 'trades' ... did you mean 'price'?
SELECT trades.pric FROM trades;

-- 1:8 no table 't' in FROM
SELECT t.price FROM trades;

-- 1:8 no table 'x' in FROM
SELECT x.price FROM trades AS t;

-- 1:19 no table 'trdes' ... did you mean 'trades'?
SELECT price FROM trdes;

-- 1:15 tables have plain names here, not 'nowhere.trades'
SELECT * FROM nowhere.trades;

-- 2:8 no column 'symbl' in 'trades' ... did you mean 'symbol'?
SELECT price,
       symbl
FROM trades;

-- 1:8 frobnicate(price): no function 'frobnicate'
SELECT frobnicate(price) FROM trades;

-- 1:8 uper(symbol): no function 'uper' ... did you mean 'upper'?
SELECT uper(symbol) FROM trades;

-- 1:8 symbol + 1: '+' does not take (TEXT, BIGINT)
SELECT symbol + 1 FROM trades;

-- 1:21 symbol * 2: '*' does not take (TEXT, BIGINT)
SELECT price + 1 + (symbol * 2) FROM trades;

-- 1:8 upper(price): 'upper' does not take (DOUBLE)
SELECT upper(price) FROM trades;

-- 1:9 -symbol: '-' does not take (TEXT)
SELECT -symbol FROM trades;

-- 1:33 WHERE needs a condition; price has type DOUBLE
SELECT symbol FROM trades WHERE price;

-- 1:33 symbol > event_time: '>' does not take (TEXT, TIMESTAMP)
SELECT symbol FROM trades WHERE symbol > event_time;

-- 1:33 price > 'dear': 'dear' is no DOUBLE
SELECT symbol FROM trades WHERE price > 'dear';

-- 1:33 aggregates are not allowed in WHERE: COUNT(*)
SELECT symbol FROM trades WHERE count(*) > 1;

-- 1:36 aggregates are not allowed in GROUP BY: COUNT(*)
SELECT symbol FROM trades GROUP BY count(*);

-- 1:16 column 'price' must appear in GROUP BY or inside an aggregate; grouped by: ['symbol']
SELECT symbol, price FROM trades GROUP BY symbol;

-- 1:29 column 'volume' must appear in GROUP BY or inside an aggregate; grouped by: ['symbol']
SELECT symbol, max(price) - volume FROM trades GROUP BY symbol;

-- 1:8 column 'symbol' must appear in GROUP BY or inside an aggregate; grouped by: []
SELECT symbol, count(*) FROM trades;

-- 1:50 column 'price' must appear in GROUP BY or inside an aggregate; grouped by: ['symbol']
SELECT symbol FROM trades GROUP BY symbol HAVING price > 1;

-- 1:50 HAVING needs a condition; COUNT(*) has type BIGINT
SELECT symbol FROM trades GROUP BY symbol HAVING count(*);

-- 1:36 no column 'symbl' in 'trades' ... did you mean 'symbol'?
SELECT count(*) FROM trades HAVING symbl = 'a';

-- 1:36 GROUP BY 2: the result has columns 1 to 1
SELECT symbol FROM trades GROUP BY 2;

-- 1:36 no column 'symbl' in 'trades' ... did you mean 'symbol'?
SELECT symbol FROM trades GROUP BY symbl;

-- 1:8 sum() of TEXT; its argument must be a number
SELECT sum(symbol) FROM trades;

-- 1:12 aggregates cannot be nested: SUM(COUNT(*))
SELECT sum(count(*)) FROM trades;

-- 1:23 count(DISTINCT ...) takes one argument here
SELECT count(DISTINCT symbol, venue) FROM trades;

-- 1:31 FILTER needs a condition; price has type DOUBLE
SELECT count(*) FILTER (WHERE price) FROM trades;

-- 1:20 two columns of the result are named 'a'
SELECT price AS a, volume AS a FROM trades;

-- 1:15 two columns of the result are named 'price'
SELECT price, price FROM trades;

-- 1:8 window functions (OVER) are not supported yet, except row_number()
SELECT count(*) OVER () FROM trades;

-- 1:35 ORDER BY needs LIMIT: the rows of a result that is kept up to date have no order
SELECT price FROM trades ORDER BY price;

-- 1:35 ORDER BY needs LIMIT
SELECT price FROM trades ORDER BY price LIMIT ALL;

-- 1:67 ORDER BY needs LIMIT
SELECT price FROM trades UNION SELECT volume FROM trades ORDER BY 1, price;

-- 1:44 no column 'pric' in 'trades' ... did you mean 'price'?
SELECT symbol AS s FROM trades ORDER BY s, pric LIMIT 3;

-- 1:35 ORDER BY 2: the result has columns 1 to 1
SELECT price FROM trades ORDER BY 2 LIMIT 3;

-- 1:35 ORDER BY 'price': a constant orders nothing
SELECT price FROM trades ORDER BY 'price' LIMIT 3;

-- 1:68 no column 'volume' ... known here: ['price']
SELECT price FROM trades UNION SELECT volume FROM trades ORDER BY -volume LIMIT 1;

-- 1:52 column 'price' must appear in GROUP BY or inside an aggregate; grouped by: ['symbol']
SELECT symbol FROM trades GROUP BY symbol ORDER BY price LIMIT 3;

-- 1:45 SELECT DISTINCT: ORDER BY price must be in the SELECT list
SELECT DISTINCT symbol FROM trades ORDER BY price LIMIT 3;

-- 1:32 LIMIT takes constants, not volume
SELECT price FROM trades LIMIT volume;

-- 1:33 LIMIT takes a whole number of rows, not -1
SELECT price FROM trades LIMIT -1;

-- 1:32 LIMIT takes a whole number of rows, not 2.5
SELECT price FROM trades LIMIT 2.5;

-- 1:33 OFFSET takes a whole number of rows, not '1'
SELECT price FROM trades OFFSET '1';

-- 1:53 FETCH ... WITH TIES is not supported yet
SELECT price FROM trades ORDER BY price FETCH FIRST 3 ROWS WITH TIES;

-- 1:53 FETCH ... PERCENT is not supported yet
SELECT price FROM trades ORDER BY price FETCH FIRST 3 PERCENT ROWS ONLY;

-- 1:39 UNION: column 'price' is DOUBLE on the left and TEXT on the right, which do not meet
SELECT price FROM trades UNION SELECT symbol FROM trades;

-- 1:40 CAST('x' AS DOUBLE): 'x' is no DOUBLE
SELECT price FROM trades EXCEPT SELECT 'x';

-- 1:43 INTERSECT of 1 columns ['price'] and 2 columns ['price', 'volume']
SELECT price FROM trades INTERSECT SELECT price, volume FROM trades;

-- 1:49 EXCEPT ALL: column 'event_time' is TIMESTAMP on the left and BIGINT on the right
SELECT event_time FROM trades EXCEPT ALL SELECT volume FROM trades;

-- 1:51 UNION ALL BY NAME is not supported yet
SELECT price FROM trades UNION ALL BY NAME SELECT price FROM trades;

-- 1:43 UNION ALL of 1 columns ['price'] and 2 columns ['price', 'volume']
SELECT price FROM trades UNION ALL SELECT price, volume FROM trades;

-- 1:21 no column 'symbl' in 'trades' ... did you mean 'symbol'?
SELECT DISTINCT ON (symbl) symbol FROM trades;

-- 1:21 DISTINCT ON 2: the result has columns 1 to 1
SELECT DISTINCT ON (2) symbol FROM trades;

-- 1:64 the expressions of DISTINCT ON must be the first of ORDER BY
SELECT DISTINCT ON (symbol) symbol, price FROM trades ORDER BY price;

-- 1:52 no column 'symbl' in 'trades' ... did you mean 'symbol'?
SELECT symbol FROM trades GROUP BY ROLLUP (symbol, symbl);

-- 1:8 column 'venue' must appear in GROUP BY or inside an aggregate; grouped by: ['symbol', 'price']
SELECT venue FROM trades GROUP BY GROUPING SETS ((symbol, price), ());

-- 1:25 grouping() takes what follows GROUP BY, not venue; grouped by: ['symbol']
SELECT grouping(symbol, venue) FROM trades GROUP BY symbol;

-- 1:79 this GROUP BY has more than 128 grouping sets
SELECT symbol FROM trades GROUP BY CUBE (symbol, venue, price, volume), CUBE (symbol, venue, price, volume);

-- 1:52 ROLLUP, CUBE and empty grouping sets are not supported yet in a subquery that names outer columns
SELECT price FROM trades WHERE price = ALL (SELECT other.price FROM trades AS other WHERE other.venue = trades.venue GROUP BY ROLLUP (other.price));

-- 1:99 GROUPING SETS, ROLLUP and CUBE are not supported yet over windows
SELECT window_start, symbol FROM TUMBLE(trades, event_time, INTERVAL '1 minute') GROUP BY ROLLUP (window_start, symbol);

-- 1:16 WITH RECURSIVE is not supported yet
WITH RECURSIVE r AS (SELECT symbol FROM trades) SELECT * FROM r;

-- 1:6 'r' has 1 columns, and 2 names are given
WITH r(a, b) AS (SELECT symbol FROM trades) SELECT * FROM r;

-- 1:8 no column 'price'
SELECT price;

-- 1:14 the rows of VALUES have 1 and 2 columns
VALUES (1), (1, 2);

-- 1:9 VALUES: column 'column1' has values of types that do not meet: ['BIGINT', 'TEXT']
VALUES (1), (upper('a'));

-- 1:39 VALUES takes constants, not price
SELECT price, a FROM trades, (VALUES (price)) AS t(a);

-- 1:9 1 / 0: division by zero
VALUES (1 / 0);

-- 1:31 't' has 1 columns, and 2 names are given
SELECT * FROM (VALUES (1)) AS t(a, b);

-- 1:26 EMIT FINAL says when groups are given out, and this query has none
SELECT price FROM trades EMIT FINAL;

-- 1:15 no table function TUMBL ... did you mean 'TUMBLE'?
SELECT * FROM TUMBL(trades, event_time, INTERVAL '1 minute');

-- 1:22 no table 'trdes' ... did you mean 'trades'?
SELECT * FROM TUMBLE(trdes, event_time, INTERVAL '1 minute');

-- 1:30 no column 'event_tim' in 'trades' ... did you mean 'event_time'?
SELECT * FROM TUMBLE(trades, event_tim, INTERVAL '1 minute');

-- 1:30 windows follow the event time, and 'price' is not it: that is 'event_time'
SELECT * FROM TUMBLE(trades, price, INTERVAL '1 minute');

-- 1:15 TUMBLE lacks 'size'
SELECT * FROM TUMBLE(trades, event_time);

-- 1:63 TUMBLE takes 3 arguments, not 4
SELECT * FROM TUMBLE(trades, event_time, INTERVAL '1 minute', INTERVAL '1 minute');

-- 1:42 expected an interval, not "'1 minute'"
SELECT * FROM TUMBLE(trades, event_time, '1 minute');

-- 1:42 '1 month' is no fixed length of time
SELECT * FROM TUMBLE(trades, event_time, INTERVAL '1 month');

-- 1:42 a duration must be positive, not '0 seconds'
SELECT * FROM TUMBLE(trades, event_time, INTERVAL '0 seconds');

-- 1:30 the second argument of TUMBLE is a time column, not "'event_time'"
SELECT * FROM TUMBLE(trades, 'event_time', INTERVAL '1 minute');

-- 1:22 the first argument of TUMBLE is a table, not '1'
SELECT * FROM TUMBLE(1, event_time, INTERVAL '1 minute');

-- 1:38 TUMBLE has no argument 'tme' ... did you mean 'timecol'?
SELECT * FROM TUMBLE(data => trades, tme => event_time, size => INTERVAL '1 minute');

-- 1:63 the argument 'data' of TUMBLE is given twice
SELECT * FROM TUMBLE(trades, event_time, INTERVAL '1 minute', data => trades);

-- 1:39 HOP slides further than its windows are long: rows in between would be in no window
SELECT * FROM HOP(trades, event_time, INTERVAL '1 minute', INTERVAL '10 seconds');

-- 1:15 SESSION windows are not supported yet
SELECT * FROM SESSION(trades, event_time, INTERVAL '1 minute');

-- 1:86 grouping by a window is not supported yet where the window's bounds are used together with other columns below the GROUP BY
SELECT max(window_end) FROM TUMBLE(trades, event_time, INTERVAL '1 minute') GROUP BY window_start;

-- 1:26 syntax error: incomplete WHERE near 'WHERE'
SELECT price FROM trades WHERE;

-- 1:41 syntax error: expected ) near '1'
SELECT price FROM trades WHERE (price > 1;

-- 1:26 syntax error: expected BY after GROUP near 'symbol'
SELECT price FROM trades GROUP symbol;

-- 1:14 syntax error: expected a table after 'FROM'
SELECT price FROM;

-- 1:21 syntax error: unexpected 'venue'
SELECT price volume venue FROM trades;

-- 1:8 missing the closing '
SELECT 'price FROM trades;

-- 1:8 missing the closing "
SELECT "price FROM trades;

-- 1:40 syntax error: incomplete = near '='
SELECT price FROM trades WHERE price = = 1;

-- 1:27 sql() takes one query, not 2 statements
SELECT price FROM trades; SELECT volume FROM trades;

-- 1:1 syntax error: unexpected 'SELEC'; did you mean SELECT?
SELEC price FROM trades;

-- 1:1 expected SELECT ... FROM ...
DELETE FROM trades;

-- 1:1 expected SELECT ... FROM
EXPLAIN SELECT price FROM trades;

-- 1:22 no type INTEGR ... did you mean 'INTERVAL'?
SELECT CAST(price AS INTEGR) FROM trades;

-- 1:15 DECIMAL(50, 2): a decimal has 1 to 38 digits, at most that many after the point
SELECT price::DECIMAL(50, 2) FROM trades;

-- 1:20 TIMESTAMP(5): a timestamp has 0, 3, 6 or 9 digits (seconds, milli-, micro- or nanoseconds)
SELECT event_time::TIMESTAMP(5) FROM trades;

-- 1:8 CAST(event_time AS DOUBLE): TIMESTAMP cannot be cast to DOUBLE
SELECT CAST(event_time AS DOUBLE) FROM trades;

-- 1:21 '1 fortnight' is no interval
SELECT event_time + INTERVAL '1 fortnight' FROM trades;

-- 1:18 price: a condition must be a boolean, and this has type DOUBLE
SELECT CASE WHEN price THEN 1 END FROM trades;

-- 1:8 CASE WHEN price > 1 THEN 1 ELSE symbol END: its values have types that do not meet: ['BIGINT', 'TEXT']
SELECT CASE WHEN price > 1 THEN 1 ELSE symbol END FROM trades;

-- 1:8 price IN ('a', 1): 'a' is no DOUBLE
SELECT price IN ('a', 1) FROM trades;

-- 1:8 $1 is no parameter: they have names, and are given to sql()
SELECT $1 FROM trades;

-- 1:8 date_trunc('fortnight', event_time): no unit 'fortnight'
SELECT date_trunc('fortnight', event_time) FROM trades;

-- 1:8 symbol.length: symbol has type TEXT; only structs have fields
SELECT symbol.length FROM trades;

-- 1:18 EXCEPT is not supported yet
SELECT * EXCEPT (price) FROM trades;

-- 1:49 TABLESAMPLE is not supported yet
SELECT price FROM trades TABLESAMPLE BERNOULLI (10);

-- 1:1 FOR UPDATE is not supported yet
SELECT price FROM trades FOR UPDATE;

-- 1:34 QUALIFY needs a condition
SELECT price FROM trades QUALIFY row_number() OVER ();

-- 1:15 window functions (OVER) are not supported yet, except row_number()
SELECT price, rank() OVER (ORDER BY price) AS r FROM trades;

-- 1:32 window functions (OVER) are not allowed in WHERE
SELECT price FROM trades WHERE row_number() OVER (ORDER BY price) < 3;

-- 1:26 no window 'v'; known here: ['w']
SELECT row_number() OVER v AS n FROM trades WINDOW w AS (ORDER BY price);

-- 1:56 no column 'pric' in 'trades' ... did you mean 'price'?
SELECT row_number() OVER (PARTITION BY symbol ORDER BY pric) AS n FROM trades;

-- 1:8 no column 'Price' in 'trades' ... did you mean 'price'?
SELECT "Price" FROM trades;

-- 1:8 no column '_weight' in 'trades'
SELECT _weight FROM trades;

-- 1:1 SELECT needs at least one column
SELECT FROM trades;

-- 1:22 an alias is a name
SELECT * FROM trades $1;

-- 1:49 a subquery that is used as a value has one column, not 2: ['price', 'volume']
SELECT symbol FROM trades WHERE price > (SELECT price, volume FROM trades);

-- 1:51 the subquery has 2 columns ['symbol', 'venue'], and 1 are compared here
SELECT symbol FROM trades WHERE symbol IN (SELECT symbol, venue FROM trades);

-- 1:33 TEXT and DOUBLE cannot be compared
SELECT symbol FROM trades WHERE symbol IN (SELECT price FROM trades);

-- 1:80 no column 'symbl' in 'u' ... did you mean 'symbol'?
SELECT symbol FROM trades AS t WHERE EXISTS (SELECT 1 FROM trades AS u WHERE u.symbl = t.symbol);

-- 1:89 no table 'v' in FROM
SELECT symbol FROM trades AS t WHERE EXISTS (SELECT 1 FROM trades AS u WHERE u.symbol = v.symbol);

-- 1:78 DOUBLE and TEXT cannot be compared
SELECT symbol FROM trades AS t WHERE EXISTS (SELECT 1 FROM trades AS u WHERE u.symbol = t.price);

-- 1:38 DOUBLE and TEXT cannot be compared
SELECT symbol FROM trades AS t WHERE price > ANY (SELECT symbol FROM trades);

-- 1:50 ANY (SELECT ...) is supported on the right of =, <>, <, <=, > and >=
SELECT symbol FROM trades AS t WHERE symbol LIKE ANY (SELECT symbol FROM trades);

-- 1:39 rows are compared with the rows of a subquery by = and <> only
SELECT symbol FROM trades AS t WHERE (symbol, venue) < ALL (SELECT symbol, venue FROM trades);

-- 1:41 WHERE needs a condition; (SELECT price FROM trades) has type DOUBLE
SELECT symbol FROM trades WHERE (SELECT price FROM trades);

-- 1:16 (SELECT MAX(price) FROM trades) + symbol: '+' does not take (DOUBLE, TEXT)
SELECT (SELECT max(price) FROM trades) + symbol AS x FROM trades;

-- 1:68 column 'venue' must appear in GROUP BY or inside an aggregate; grouped by: ['symbol']
SELECT symbol, (SELECT max(price) FROM trades AS u WHERE u.venue = t.venue) AS p FROM trades AS t GROUP BY symbol;

-- 1:105 an aggregate of columns of the query around is not supported in a subquery yet
SELECT symbol FROM trades AS t GROUP BY symbol HAVING EXISTS (SELECT 1 FROM trades AS u WHERE u.price > sum(t.price));

-- 1:8 now() is not supported: the time of the run is another one each time
SELECT now() AS at FROM trades;

-- 1:8 random() is not supported: a random number is another one each time
SELECT random() FROM trades;

-- 1:8 to_char(event_time, symbol): the format must be a literal
SELECT to_char(event_time, symbol) FROM trades;
