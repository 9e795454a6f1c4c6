-- table: users (id BIGINT, name VARCHAR, age INTEGER)
-- 1 | ann | 30
-- 2 | bob | NULL
-- 2 | bob | NULL
-- 3 | NULL | 41
-- 4 | dee | 30
-- NULL | NULL | NULL
-- case: union drops what is there twice
SELECT symbol FROM trades UNION SELECT venue FROM trades;
-- rows:
-- None
-- X
-- Y
-- a
-- b
-- c

-- case: union all keeps it
SELECT symbol FROM trades WHERE price > 18 UNION ALL SELECT symbol FROM trades WHERE volume > 200;
-- rows:
-- a
-- a
-- b
-- b
-- b
-- b

-- case: union of many
SELECT symbol AS s FROM trades UNION SELECT venue FROM trades UNION SELECT name FROM users UNION SELECT 'a';

-- case: union all after union
SELECT symbol FROM trades UNION SELECT venue FROM trades UNION ALL SELECT symbol FROM trades;

-- case: except and NULL
SELECT symbol FROM trades EXCEPT SELECT symbol FROM trades WHERE price < 8;
-- rows:
-- a
-- b

-- case: except of nothing
SELECT name, age FROM users EXCEPT SELECT name, age FROM users WHERE id > 100;

-- case: except all counts
SELECT symbol, venue FROM trades EXCEPT ALL SELECT symbol, venue FROM trades WHERE volume > 100;

-- case: except all of rows that are there twice
SELECT id, name FROM users EXCEPT ALL SELECT id, name FROM users WHERE age IS NULL AND id = 2 UNION ALL SELECT 2, 'bob';

-- case: intersect
SELECT symbol, venue FROM trades WHERE price > 6 INTERSECT SELECT symbol, venue FROM trades WHERE volume < 120;

-- case: intersect finds NULL equal to NULL
SELECT symbol FROM trades INTERSECT SELECT name FROM users;
-- rows:
-- None

-- case: intersect all counts
SELECT symbol FROM trades INTERSECT ALL SELECT symbol FROM trades WHERE volume > 100;

-- case: intersect binds tighter
SELECT symbol FROM trades WHERE price > 19 UNION ALL SELECT symbol FROM trades INTERSECT SELECT 'c';
-- rows:
-- b
-- b
-- b
-- c

-- case: parentheses
(SELECT symbol FROM trades UNION ALL SELECT 'z') EXCEPT (SELECT 'a' UNION (SELECT symbol FROM trades WHERE price > 18));
-- rows:
-- None
-- c
-- z

-- case: numbers meet in the wider type
SELECT volume AS n FROM trades INTERSECT SELECT price FROM trades;
-- rows:
-- 10
-- None

-- case: integers and decimals meet
SELECT 1 AS n UNION SELECT 2.50 UNION SELECT age FROM users;

-- case: a literal becomes what it meets
SELECT volume AS v, event_time AS t FROM trades WHERE symbol = 'c' UNION SELECT '7', '2024-01-01 00:05:00';
-- duckdb:
SELECT volume AS v, event_time AS t FROM trades WHERE symbol = 'c' UNION SELECT 7, TIMESTAMP '2024-01-01 00:05:00';

-- case: NULL becomes what it meets
SELECT NULL AS n, 'none' AS name UNION ALL SELECT age, name FROM users;

-- case: the names are the left's
SELECT s, n + 1 AS m FROM (SELECT symbol AS s, 1 AS n FROM trades EXCEPT SELECT name, id FROM users) AS t WHERE s > 'a';

-- case: sets of groups
SELECT symbol AS name, count(*) AS n FROM trades GROUP BY symbol UNION SELECT venue, count(*) FROM trades GROUP BY venue;

-- case: groups of one table that another has not
SELECT symbol, sum(volume) AS v FROM trades GROUP BY symbol EXCEPT SELECT symbol, sum(volume) FROM trades WHERE venue =
'X' GROUP BY symbol;

-- case: groups over a set
SELECT name, count(*) AS n FROM (SELECT symbol AS name FROM trades UNION ALL SELECT name FROM users) AS t GROUP BY name;

-- case: conditions on a set
SELECT name FROM (SELECT symbol AS name, price AS p FROM trades EXCEPT ALL SELECT name, age FROM users) AS t
WHERE name IN ('a', 'b') AND p > 10;

-- case: distinct rows of groups
SELECT DISTINCT count(*) % 3 AS n FROM trades GROUP BY symbol;

-- case: distinct rows
SELECT DISTINCT symbol, venue FROM trades WHERE price > 6;

-- case: values in WITH, joined
WITH factors(symbol, factor) AS (VALUES ('a', 2), ('b', 10)) SELECT t.symbol, price * factor AS p FROM trades AS t JOIN
factors AS f ON t.symbol = f.symbol;

-- case: rows of values among those of a table
SELECT symbol, price FROM trades WHERE (SELECT count(*) FROM (VALUES (1), (2)) AS v) = 2 AND volume IN (VALUES (10), (200));
