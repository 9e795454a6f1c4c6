-- case: one row for all
SELECT count(*) AS rows, count(volume) AS volumes, sum(volume) AS total, avg(price) AS price, min(price) AS
low, max(price) AS high FROM trades;
-- rows:
-- 14 | 13 | 1815 | 12 | 5.25 | 21

-- case: by a column
SELECT symbol, count(*) AS rows, sum(volume) AS total FROM trades GROUP BY symbol;
-- rows:
-- None | 1 | 10
-- a | 6 | 1010
-- b | 4 | 610
-- c | 3 | 185

-- case: by two columns, final
SELECT symbol, venue, max(price) AS high FROM trades GROUP BY symbol, venue EMIT FINAL;
-- duckdb:
SELECT symbol, venue, max(price) AS high FROM trades GROUP BY symbol, venue;
-- rows:
-- None | X | 7
-- a | None | 12.5
-- a | X | 10.5
-- a | Y | 11
-- b | X | 21
-- b | Y | 19.5
-- c | None | 5.25
-- c | X | 6

-- case: by an ordinal
SELECT venue, avg(price) AS price FROM trades GROUP BY 1;
-- rows:
-- None | 8.875
-- X | 11.21875
-- Y | 16.1666667

-- case: by an alias
SELECT upper(symbol) AS name, count(*) AS rows FROM trades GROUP BY name;
-- rows:
-- A | 6
-- B | 4
-- C | 3
-- None | 1

-- case: by an expression
SELECT volume / 100 AS hundreds, count(*) AS rows FROM trades GROUP BY volume / 100;
-- duckdb:
SELECT volume // 100 AS hundreds, count(*) AS rows FROM trades GROUP BY volume // 100;
-- rows:
-- 0 | 6
-- 1 | 3
-- 2 | 2
-- 3 | 1
-- 4 | 1
-- None | 1

-- case: an expression over keys and aggregates
SELECT symbol || '!' AS name, sum(price) / count(price) + 1 AS mean FROM trades GROUP BY symbol;
-- rows:
-- None | 8
-- a! | 11.75
-- b! | 20.625
-- c! | 6.58333333

-- case: having an aggregate that is not selected
SELECT symbol FROM trades GROUP BY symbol HAVING count(*) > 3 AND symbol < 'c';
-- rows:
-- a
-- b

-- case: having an alias
SELECT symbol, count(*) AS rows FROM trades GROUP BY symbol HAVING rows > 3;
-- rows:
-- a | 6
-- b | 4

-- case: filtered aggregates
SELECT symbol, count(*) FILTER (WHERE venue = 'X') AS x, sum(volume) FILTER (WHERE price > 10) AS dear FROM
trades GROUP BY symbol;
-- rows:
-- None | 1 | None
-- a | 3 | 190
-- b | 2 | 610
-- c | 2 | None

-- case: distinct values
SELECT venue, count(DISTINCT symbol) AS symbols FROM trades GROUP BY venue;
-- rows:
-- None | 2
-- X | 3
-- Y | 2

-- case: spread
SELECT symbol, stddev(price) AS s, stddev_pop(price) AS sp, variance(volume) AS v, var_pop(volume) AS vp FROM
trades GROUP BY symbol;
-- rows:
-- None | None | 0 | None | 0
-- a | 1.08972474 | 0.974679434 | 19620 | 15696
-- b | 1.25 | 1.08253175 | 10691.6667 | 8018.75
-- c | 0.381881308 | 0.311804782 | 158.333333 | 105.555556

-- case: first and last by event time
-- ordered: rows of the same time
SELECT symbol, first_value(price) AS first, last_value(price) AS last FROM trades GROUP BY symbol;
-- duckdb:
SELECT symbol, arg_min(price, event_time) AS first, arg_max(price, event_time) AS last FROM trades GROUP BY
symbol;
-- rows:
-- None | 7 | 7
-- a | 10.5 | 9.75
-- b | 20 | 18
-- c | 5.25 | 6

-- case: of nothing
SELECT count(*) AS rows, sum(volume) AS total FROM trades WHERE symbol = 'z';
-- rows:
-- 0 | None

-- case: a view of groups, filtered by its key
WITH g AS (SELECT symbol AS s, count(*) AS n FROM trades GROUP BY symbol) SELECT s, n * 2 AS twice FROM g
WHERE s <> 'b';
-- rows:
-- a | 12
-- c | 6
