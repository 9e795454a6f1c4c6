-- 2:2 no column 'pric' in 'trades' ... did you mean 'price'?
SELECT symbol,
	pric
FROM trades;

-- 1:26 no column 'pric' in 'trades' ... did you mean 'price'?
SELECT symbol, 'Zürich', pric FROM trades;

-- 1:15 no column 'pric' in 'trades' ... did you mean 'price'?
SELECT '日本語', pric FROM trades;

-- 2:3 no column 'pric' in 'trades' ... did you mean 'price'?
SELECT symbol -- the symbol; a comment with 'quotes
, pric
FROM trades;

-- 2:8 no column 'pric' in 'trades' ... did you mean 'price'?
SELECT /* one
two */ pric FROM trades;

-- 4:7 no column 'volum' in 'trades' ... did you mean 'volume'?
SELECT symbol
FROM trades
WHERE price > 1
  AND volum > 2;

-- 2:8 no column 'pric' in 'trades' ... did you mean 'price'?
-- a comment first
SELECT pric FROM trades;

-- 1:1 sql() takes one query, not 0 statements
-- hint: write one query; scripts may have several: penstock run file.sql
/* nothing */;

-- 1:1 sql() takes one query, not 0 statements
-- hint: write one query; scripts may have several: penstock run file.sql
-- nothing but a comment;

-- 1:77 syntax error: expected ) near ')'
-- hint: it closes what line 1, column 66 opens
SELECT count(*) FROM trades WHERE symbol = 'a' AND (price > 1 OR (volume < 3);

-- 1:15 no table function READ_PARQUET; known here
-- hint: declare a table: CREATE TABLE ... WITH (connector = 'files', path = ...)
SELECT * FROM read_parquet('a.parquet');

-- 1:15 no table 'data.parquet'; known here
SELECT * FROM 'data.parquet';

-- 1:8 symbol #> 'a': 'a' is no array; write for example '{1,2}'
SELECT symbol #> 'a' FROM trades;

-- 1:9 (price, symbol) is not supported yet
-- hint: compare rows with rows: (a, b) = (c, d); ROW(a, b) makes a struct
SELECT (price, symbol) FROM trades;

-- 1:8 symbol.price: symbol has type TEXT; only structs have fields
-- hint: name a field of a struct, or take JSON apart with -> and ->>
SELECT symbol.price FROM trades;

-- 1:8 symbol.x: symbol has type TEXT; only structs have fields
-- hint: name a field of a struct, or take JSON apart with -> and ->>
SELECT trades.symbol.x FROM trades;

-- 1:8 no table 'a' in FROM; known here
SELECT a.b.c.d FROM trades;

-- 1:8 no table 'public' in FROM; known here
SELECT public.trades.price FROM trades;

-- 1:19 tables have plain names here, not 'public.trades'
-- hint: write the table's own name, without database or schema
SELECT price FROM public.trades;

-- 1:8 no column 'trades.price' in 'trades'; known here
SELECT "trades.price" FROM trades;

-- 1:8 no column 'PRICE' in 'trades'; known here
SELECT "PRICE" FROM trades;

-- 1:8 'price' + 1: 'price' is no BIGINT
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT 'price' + 1 FROM trades;

-- 1:15 two columns of the result are named 'price'
-- hint: name one of them: expression AS name
SELECT Price, PRICE FROM trades;

-- 1:20 two columns of the result are named 'x'
-- hint: name one of them: expression AS name
SELECT price AS x, volume AS x FROM trades;

-- 1:29 't' has 5 columns, and 6 names are given
-- hint: give a name to each column, or to the first ones
SELECT price FROM trades AS t(a, b, c, d, e, f);

-- 1:29 the name 'a' is given to two columns
-- hint: leave one of them out, or name it otherwise
SELECT price FROM trades AS t(a, a);

-- 1:67 no table 'b' in FROM; known here
SELECT a.price FROM (trades JOIN trades b USING (symbol)) a WHERE b.price > 1;

-- 1:35 the name 'price' is given to two columns
-- hint: leave one of them out, or name it otherwise
SELECT price FROM (VALUES (1, 2)) v(price, price);

-- 1:44 CAST('x' AS BIGINT): 'x' is no BIGINT
-- hint: write a value of that type, or TRY_CAST, which gives NULL
SELECT count(*) FROM (VALUES (1), (NULL), ('x')) v(a);

-- 1:61 column 'volume' must appear in GROUP BY or inside an aggregate; grouped by: ['symbol']
-- hint: write it into GROUP BY, or any_value(column), for example
SELECT max(price) AS m FROM trades GROUP BY symbol ORDER BY volume LIMIT 3;

-- 1:8 column 'symbol' must appear in GROUP BY or inside an aggregate; grouped by: []
-- hint: write it into GROUP BY, or any_value(column), for example
SELECT symbol FROM trades ORDER BY max(price) LIMIT 3;

-- 1:17 column 'symbol' must appear in GROUP BY or inside an aggregate; grouped by: ['venue']
-- hint: write it into GROUP BY, or any_value(column), for example
SELECT DISTINCT symbol FROM trades GROUP BY venue;

-- 1:25 syntax error: unexpected 'DISTINCT'
-- hint: DISTINCT cannot stand here; something may be missing before it
SELECT DISTINCT symbol, DISTINCT venue FROM trades;

-- 1:42 ANY ('a', 'b') is not supported yet
-- hint: write IN ('a', 'b'), or = ANY (ARRAY['a', 'b'])
SELECT symbol FROM trades WHERE symbol = ANY ('a', 'b');

-- 1:49 syntax error: expected ) near "'b'"
-- hint: it closes what line 1, column 43 opens
SELECT symbol FROM trades WHERE symbol IN ('a', 'b';

-- 1:40 syntax error: unexpected 'NOT'
-- hint: NOT cannot stand here; something may be missing before it
SELECT symbol FROM trades WHERE symbol NOT 'a';

-- 1:47 IS takes NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM, not 'A'
-- hint: write =, or IS [NOT] NULL | TRUE | FALSE | DISTINCT FROM value
SELECT symbol FROM trades WHERE symbol IS NOT 'a';

-- 1:40 syntax error: unexpected 'EQUALS'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT symbol FROM trades WHERE symbol EQUALS 'a';

-- 1:40 syntax error: unexpected 'CONTAINS'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT symbol FROM trades WHERE symbol CONTAINS 'a';

-- 1:52 syntax error: unexpected '2'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT symbol FROM trades WHERE price BETWEEN 1 TO 2;

-- 1:33 price <= 'a': 'a' is no DOUBLE
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT symbol FROM trades WHERE price BETWEEN SYMMETRIC 2 AND 'a';

-- 1:34 (price, volume) is not supported yet
-- hint: compare rows with rows: (a, b) = (c, d); ROW(a, b) makes a struct
SELECT symbol FROM trades WHERE (price, volume) IN (1, 2);
