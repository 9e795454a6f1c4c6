-- table: users (id BIGINT, name VARCHAR, age INTEGER)
-- 1 | ann | 30
-- 2 | bob | NULL
-- 2 | bob | NULL
-- 3 | NULL | 41
-- 4 | dee | 30
-- NULL | NULL | NULL

-- case: the first by a column
SELECT symbol, price FROM trades ORDER BY price, symbol LIMIT 3;
-- rows:
-- c | 5.25
-- c | 5.5
-- c | 6

-- case: the last, NULL being the greatest
SELECT symbol, price FROM trades ORDER BY price DESC, symbol LIMIT 3;
-- duckdb:
SELECT symbol, price FROM trades ORDER BY price DESC NULLS FIRST, symbol LIMIT 3;
-- rows:
-- a | None
-- b | 20
-- b | 21

-- case: NULLs where it is said
SELECT volume FROM trades ORDER BY volume DESC NULLS LAST LIMIT 2;
-- rows:
-- 300
-- 400

-- case: NULLs first
SELECT volume FROM trades ORDER BY volume NULLS FIRST LIMIT 2;

-- case: by several columns
SELECT symbol, venue, volume FROM trades ORDER BY symbol DESC NULLS LAST, venue NULLS FIRST, volume LIMIT 6;

-- case: by a place and a name
SELECT symbol AS name, price * 2 AS twice FROM trades WHERE price IS NOT NULL ORDER BY 1 NULLS FIRST, twice DESC LIMIT 5;

-- case: a name of the result before a column
SELECT -price AS price FROM trades WHERE price > 8 ORDER BY price LIMIT 2;
-- rows:
-- -20
-- -21

-- case: an expression over columns of the table
SELECT symbol FROM trades WHERE volume IS NOT NULL ORDER BY volume % 7, volume DESC, symbol LIMIT 5;

-- case: offset
SELECT price FROM trades ORDER BY price NULLS LAST OFFSET 11;

-- case: limit and offset, computed
SELECT event_time FROM trades ORDER BY event_time LIMIT 1 + 1 OFFSET 2 * 2;

-- case: fetch
SELECT price FROM trades ORDER BY price OFFSET 1 ROW FETCH NEXT 2 ROWS ONLY;
-- rows:
-- 5.5
-- 6

-- case: fetch one
SELECT price FROM trades ORDER BY price FETCH FIRST ROW ONLY;
-- rows:
-- 5.25

-- case: no row
SELECT price FROM trades ORDER BY price LIMIT 0;
-- rows:

-- case: fewer rows than wanted
SELECT price FROM trades WHERE symbol = 'a' LIMIT 100;

-- case: rows that are there twice
SELECT id, name FROM users ORDER BY id, name LIMIT 3;
-- rows:
-- 1 | ann
-- 2 | bob
-- 2 | bob

-- case: the first of equal rows
SELECT id, name FROM users ORDER BY id, name LIMIT 2;

-- case: the largest groups
SELECT symbol, count(*) AS n FROM trades GROUP BY symbol ORDER BY n DESC, symbol LIMIT 2;
-- rows:
-- a | 6
-- b | 4

-- case: by an aggregate that is not selected
SELECT symbol FROM trades GROUP BY symbol ORDER BY sum(volume) DESC NULLS LAST, symbol LIMIT 2;

-- case: distinct values in order
SELECT DISTINCT venue FROM trades ORDER BY venue NULLS FIRST LIMIT 2;
-- rows:
-- None
-- X

-- case: in a subquery
SELECT symbol, n FROM (SELECT symbol, count(*) AS n FROM trades GROUP BY symbol ORDER BY n DESC, symbol LIMIT 2) AS t
WHERE n > 4;

-- case: in WITH, aggregated
WITH top AS (SELECT price FROM trades ORDER BY price DESC NULLS LAST LIMIT 3) SELECT sum(price) AS s FROM top;
-- rows:
-- 60.5

-- case: an order without limit in a subquery says nothing
SELECT count(*) AS n FROM (SELECT symbol FROM trades ORDER BY price) AS t;
-- rows:
-- 14

-- case: the first of the first
SELECT price FROM (SELECT price FROM trades ORDER BY price LIMIT 5) AS t ORDER BY price DESC LIMIT 2;
-- rows:
-- 7
-- 9.75

-- case: of a union
SELECT symbol FROM trades UNION SELECT venue FROM trades ORDER BY 1 DESC NULLS LAST LIMIT 3;

-- case: of either side of a union
(SELECT price FROM trades ORDER BY price LIMIT 2) UNION ALL (SELECT price FROM trades ORDER BY price DESC NULLS LAST LIMIT
2);
-- rows:
-- 20
-- 21
-- 5.25
-- 5.5

-- case: of a join
SELECT a.symbol, b.price FROM trades AS a JOIN trades AS b ON a.symbol = b.symbol AND a.venue <> b.venue ORDER BY b.price,
a.symbol LIMIT 4;

-- case: of grouping sets
SELECT symbol, venue, count(*) AS n FROM trades GROUP BY CUBE (symbol, venue) ORDER BY n DESC, symbol, venue,
grouping(symbol, venue) LIMIT 6;

-- case: the first of each key
SELECT DISTINCT ON (symbol) symbol, price, venue FROM trades ORDER BY symbol, price DESC NULLS LAST, venue;
-- rows:
-- None | 7 | X
-- a | 12.5 | None
-- b | 21 | X
-- c | 6 | X

-- case: the first of each key that is computed
SELECT DISTINCT ON (upper(symbol), volume > 100) price FROM trades ORDER BY upper(symbol), volume > 100, event_time
DESC, price;

-- case: the first of each key, the first of these
SELECT DISTINCT ON (name) name, age FROM users ORDER BY name, age LIMIT 2;
-- rows:
-- ann | 30
-- bob | None

-- case: the latest row of each key
SELECT DISTINCT ON (symbol) * FROM trades ORDER BY symbol, event_time DESC, price,
volume, venue;

-- case: groups of the first of each key
SELECT venue, count(*) AS n FROM (SELECT DISTINCT ON (symbol) symbol, venue FROM trades ORDER BY symbol, event_time, venue) AS t
GROUP BY venue;

-- case: the first two of each key
SELECT symbol, price FROM trades QUALIFY row_number() OVER (PARTITION BY symbol ORDER BY price DESC NULLS LAST) <= 2;

-- case: the second of each key
SELECT symbol, price, row_number() OVER (PARTITION BY symbol ORDER BY price DESC NULLS LAST) AS n FROM trades QUALIFY n = 2
AND price > 10;

-- case: qualify after where and having
SELECT venue, symbol, sum(volume) AS v FROM trades WHERE price > 6 GROUP BY venue, symbol HAVING count(*) > 1 QUALIFY
row_number() OVER (PARTITION BY venue ORDER BY sum(volume) DESC NULLS LAST, symbol) = 1;

-- case: numbered in a subquery
SELECT symbol, price, n FROM (SELECT *, row_number() OVER (PARTITION BY symbol, venue ORDER BY event_time, price) AS n FROM trades)
AS t WHERE n <= 1 AND symbol < 'c';

-- case: a limit above conditions that a number does not know
SELECT symbol, price FROM (SELECT *, row_number() OVER (PARTITION BY symbol ORDER BY event_time, price, venue) AS n FROM trades) AS t
WHERE n BETWEEN 2 AND 3 AND venue = 'X';

-- case: numbers up to another column
SELECT symbol, n FROM (SELECT symbol, volume, row_number() OVER (PARTITION BY symbol ORDER BY event_time, volume) AS n FROM
trades)
AS t WHERE n * 50 < volume;

-- case: all rows numbered
SELECT symbol, row_number() OVER (ORDER BY event_time, symbol) AS n FROM trades;

-- case: numbered twice, by a window with a name
SELECT symbol, price, row_number() OVER w AS n, row_number() OVER (PARTITION BY venue ORDER BY price, symbol) AS m FROM
(SELECT DISTINCT symbol, venue, price FROM trades) AS t WINDOW w AS (PARTITION BY symbol ORDER BY price, venue);

-- case: groups numbered
SELECT symbol, count(*) AS n, row_number() OVER (ORDER BY count(*) DESC, symbol) AS place FROM trades GROUP BY symbol
QUALIFY place <= 2;

-- case: rows that are there twice are numbered apart
SELECT id, row_number() OVER (PARTITION BY id ORDER BY name) AS n FROM users;
-- rows:
-- 1 | 1
-- 2 | 1
-- 2 | 2
-- 3 | 1
-- 4 | 1
-- None | 1

-- case: those in the first three, by a subquery
SELECT symbol FROM trades WHERE price IN (SELECT price FROM trades ORDER BY price DESC NULLS LAST LIMIT 3);

-- case: the first rows of a self join, whose long values differ where the short ones are equal
-- table: same (i BIGINT, f DOUBLE, s VARCHAR, w TIMESTAMP)
-- NULL | 0 | NULL | 2024-01-01 00:02:00
-- 1 | 1 |  | 2024-01-01 00:02:00
-- NULL | NULL | ab | 2024-01-01 01:00:00
-- 1 | 1 | NULL | 2024-01-01 01:00:00
-- 1 | 1 | ab | 2024-01-01 00:02:00
-- NULL | 0.5 | NULL | 2024-01-01 00:02:00
SELECT DISTINCT ON (f) i, s FROM (SELECT a.* FROM same AS a NATURAL LEFT JOIN same AS b) AS q
ORDER BY f DESC NULLS LAST, i NULLS FIRST, s NULLS LAST, w NULLS FIRST;
