-- 1:56 no column 'symbl' in 'trades' ... did you mean 'symbol'?
SELECT a.price FROM trades a WHERE a.symbol IN (SELECT symbl FROM trades);

-- 1:46 syntax error: unexpected 'SELECT'
-- hint: a query in a query stands in parentheses: (SELECT ...)
SELECT a.price FROM trades a WHERE symbol IN SELECT symbol FROM trades;

-- 1:46 no column 'trades' in 'a'; known here
SELECT a.price FROM trades a WHERE symbol IN trades;

-- 1:47 no column 'trades' in 'a'; known here
SELECT a.price FROM trades a WHERE symbol IN (trades);

-- 1:43 syntax error: unexpected 'trades'
-- hint: IN, ANY, ALL and EXISTS take what follows in parentheses
SELECT a.price FROM trades a WHERE EXISTS trades;

-- 1:44 no column 'trades' in 'a'; known here
SELECT a.price FROM trades a WHERE EXISTS (trades);

-- 1:57 the subquery has 2 columns ['volume', 'price'], and 1 are compared here
-- hint: compare as many values as there are columns: (a, b) IN (SELECT c, d ...)
SELECT a.price FROM trades a WHERE price = SOME (SELECT volume, price FROM trades);

-- 1:8 DOUBLE and TEXT cannot be compared
-- hint: cast one of them: CAST(column AS TEXT)
SELECT price IN (SELECT symbol FROM trades) FROM trades;

-- 1:11 syntax error: expected ( near 'SELECT'
-- hint: write ( there
WITH a AS SELECT price FROM trades SELECT * FROM a;

-- 1:36 syntax error: no query follows WITH
-- hint: write WITH name AS (SELECT ...) SELECT ... FROM name
WITH a AS (SELECT price FROM trades);

-- 1:39 syntax error: expected a common table near 'SELECT'
-- hint: write WITH name AS (SELECT ...)
WITH a AS (SELECT price FROM trades), SELECT * FROM a;

-- 1:52 no column 'prise' in 'a' ... did you mean 'price'?
WITH a AS (SELECT price FROM trades), b AS (SELECT prise FROM a) SELECT * FROM b;

-- 1:39 two common tables are named 'a'
-- hint: give one of them another name
WITH a AS (SELECT price FROM trades), a AS (SELECT price FROM trades) SELECT * FROM a;

-- 1:30 no table 'a'; known here
WITH b AS (SELECT price FROM a), a AS (SELECT price FROM trades) SELECT * FROM b;

-- 1:30 no table 'a'; known here
WITH a AS (SELECT price FROM a) SELECT * FROM a;

-- 1:52 no table 'aa' ... did you mean 'a'?
WITH a AS (SELECT price FROM trades) SELECT * FROM aa;

-- 1:32 no column 'prix' in 'trades' ... did you mean 'price'?
WITH a AS MATERIALIZED (SELECT prix FROM trades) SELECT * FROM a;

-- 1:12 INSERT is not supported yet; a query is SELECT ... FROM ...
-- hint: docs/sql.md tells what there is, and docs/sql-compared.md what to write instead
WITH a AS (INSERT INTO trades SELECT 1) SELECT * FROM a;

-- 1:41 syntax error: incomplete UNION near 'ALL'
-- hint: write SELECT ... UNION [ALL] SELECT ...
SELECT price FROM trades UNION DISTINCT ALL SELECT price FROM trades;

-- 1:47 INTERSECT ALL: column 'price' is DOUBLE on the left and TEXT on the right, which do not meet
-- hint: cast one of them
SELECT price FROM trades INTERSECT ALL SELECT symbol FROM trades;

-- 1:81 no table 'trade' in FROM; known here
SELECT symbol FROM trades WHERE EXISTS (SELECT 1 FROM trades u WHERE u.symbol = trade.symbol);

-- 1:53 no column 'prise' in 'trades' ... did you mean 'price'?
SELECT symbol FROM trades WHERE price = (SELECT max(prise) FROM trades);

-- 1:33 DOUBLE and TEXT cannot be compared
-- hint: cast one of them: CAST(column AS TEXT)
SELECT symbol FROM trades WHERE price > ALL (SELECT symbol FROM trades);

-- 1:41 WHERE needs a condition; (SELECT COUNT(*) FROM trades) has type BIGINT
-- hint: compare it: column > 0, or column IS NOT NULL
SELECT symbol FROM trades WHERE (SELECT count(*) FROM trades);

-- 1:50 the subquery has 2 columns ['price', 'volume'], and 1 are compared here
-- hint: compare as many values as there are columns: (a, b) IN (SELECT c, d ...)
SELECT symbol FROM trades WHERE price IN (SELECT price, volume FROM trades);

-- 1:44 syntax error: unexpected 'SELECT'
-- hint: a query in a query stands in parentheses: (SELECT ...)
SELECT symbol FROM trades WHERE NOT EXISTS SELECT 1;

-- 1:35 no table 'trade' ... did you mean 'trades'?
SELECT symbol, (SELECT price FROM trade) FROM trades;

-- 1:68 no column 'symbl' in 'trades' ... did you mean 'symbol'?
SELECT symbol, (SELECT price FROM trades u WHERE u.symbol = trades.symbl LIMIT 1) FROM trades;
