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

-- 1:47 symbol = b.volume: '=' does not take (string, int64)
SELECT a.price FROM trades a JOIN trades b ON a.symbol = b.volume;

-- 1:69 upper(b.price): 'upper' does not take (double)
SELECT a.price FROM trades a JOIN trades b ON a.price = b.price AND upper(b.price) = a.symbol;

-- 1:47 ON needs a condition; price has type double
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
