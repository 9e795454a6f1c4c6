-- case: all columns
SELECT * FROM trades;
-- rows:
-- None | 7 | 10 | 2024-01-01 00:01:30 | X
-- a | 10 | 300 | 2024-01-01 00:01:10 | X
-- a | 10.5 | 100 | 2024-01-01 00:00:01 | X
-- a | 11 | None | 2024-01-01 00:00:20 | Y
-- a | 12.5 | 90 | 2024-01-01 00:03:00 | None
-- a | 9.75 | 400 | 2024-01-01 00:04:59 | X
-- a | None | 120 | 2024-01-01 00:01:45 | Y
-- b | 18 | 10 | 2024-01-01 00:04:15 | Y
-- b | 19.5 | 150 | 2024-01-01 00:01:00 | Y
-- b | 20 | 200 | 2024-01-01 00:00:05 | X
-- b | 21 | 250 | 2024-01-01 00:02:31 | X
-- c | 5.25 | 50 | 2024-01-01 00:00:59.999999 | None
-- c | 5.5 | 75 | 2024-01-01 00:02:30 | X
-- c | 6 | 60 | 2024-01-01 00:05:00 | X

-- case: a star with an alias
SELECT t.*, price * 2 AS twice FROM trades AS t;
-- rows:
-- None | 7 | 10 | 2024-01-01 00:01:30 | X | 14
-- a | 10 | 300 | 2024-01-01 00:01:10 | X | 20
-- a | 10.5 | 100 | 2024-01-01 00:00:01 | X | 21
-- a | 11 | None | 2024-01-01 00:00:20 | Y | 22
-- a | 12.5 | 90 | 2024-01-01 00:03:00 | None | 25
-- a | 9.75 | 400 | 2024-01-01 00:04:59 | X | 19.5
-- a | None | 120 | 2024-01-01 00:01:45 | Y | None
-- b | 18 | 10 | 2024-01-01 00:04:15 | Y | 36
-- b | 19.5 | 150 | 2024-01-01 00:01:00 | Y | 39
-- b | 20 | 200 | 2024-01-01 00:00:05 | X | 40
-- b | 21 | 250 | 2024-01-01 00:02:31 | X | 42
-- c | 5.25 | 50 | 2024-01-01 00:00:59.999999 | None | 10.5
-- c | 5.5 | 75 | 2024-01-01 00:02:30 | X | 11
-- c | 6 | 60 | 2024-01-01 00:05:00 | X | 12

-- case: names whatever their case
SELECT SYMBOL, Price FROM Trades WHERE VENUE = 'X';
-- rows:
-- None | 7
-- a | 10
-- a | 10.5
-- a | 9.75
-- b | 20
-- b | 21
-- c | 5.5
-- c | 6

-- case: conditions with NULL are not true
SELECT symbol, volume FROM trades WHERE volume > 100 OR price < 6;
-- rows:
-- a | 120
-- a | 300
-- a | 400
-- b | 150
-- b | 200
-- b | 250
-- c | 50
-- c | 75

-- case: and, or, not, in, between
SELECT symbol, price FROM trades WHERE NOT (symbol IN ('a', 'c') AND price BETWEEN 6 AND 11);
-- rows:
-- a | 12.5
-- b | 18
-- b | 19.5
-- b | 20
-- b | 21
-- c | 5.25
-- c | 5.5

-- case: is null
SELECT count(*) AS rows FROM trades WHERE symbol IS NULL OR venue IS NULL OR price IS NULL EMIT FINAL;
-- duckdb:
SELECT count(*) AS rows FROM trades WHERE symbol IS NULL OR venue IS NULL OR price IS NULL;
-- rows:
-- 4

-- case: like
SELECT symbol, venue FROM trades WHERE venue LIKE 'X%' AND symbol NOT LIKE 'a';
-- rows:
-- b | X
-- b | X
-- c | X
-- c | X

-- case: case with and without operand
SELECT CASE symbol WHEN 'a' THEN 'first' WHEN 'b' THEN 'second' ELSE 'other' END AS place, CASE WHEN price >
10 THEN 1 END AS dear FROM trades;
-- rows:
-- first | 1
-- first | 1
-- first | 1
-- first | None
-- first | None
-- first | None
-- other | None
-- other | None
-- other | None
-- other | None
-- second | 1
-- second | 1
-- second | 1
-- second | 1

-- case: integers are divided as integers
SELECT volume / 7 AS q, volume % 7 AS r FROM trades WHERE volume IS NOT NULL;
-- duckdb:
SELECT volume // 7 AS q, volume % 7 AS r FROM trades WHERE volume IS NOT NULL;
-- rows:
-- 1 | 3
-- 1 | 3
-- 10 | 5
-- 12 | 6
-- 14 | 2
-- 17 | 1
-- 21 | 3
-- 28 | 4
-- 35 | 5
-- 42 | 6
-- 57 | 1
-- 7 | 1
-- 8 | 4

-- case: casts
SELECT CAST(price AS BIGINT) AS whole, volume::DOUBLE / 7 AS seventh, volume::VARCHAR AS text FROM trades
WHERE price <> 10.5 AND price <> 19.5;
-- rows:
-- 10 | 42.8571429 | 300
-- 10 | 57.1428571 | 400
-- 11 | None | None
-- 12 | 12.8571429 | 90
-- 18 | 1.42857143 | 10
-- 20 | 28.5714286 | 200
-- 21 | 35.7142857 | 250
-- 5 | 7.14285714 | 50
-- 6 | 10.7142857 | 75
-- 6 | 8.57142857 | 60
-- 7 | 1.42857143 | 10

-- case: text functions
SELECT upper(symbol) AS u, concat(symbol, '-', venue) AS both, coalesce(venue, 'none') AS v, length(venue) AS
n FROM trades;
-- rows:
-- A | a- | none | None
-- A | a-X | X | 1
-- A | a-X | X | 1
-- A | a-X | X | 1
-- A | a-Y | Y | 1
-- A | a-Y | Y | 1
-- B | b-X | X | 1
-- B | b-X | X | 1
-- B | b-Y | Y | 1
-- B | b-Y | Y | 1
-- C | c- | none | None
-- C | c-X | X | 1
-- C | c-X | X | 1
-- None | -X | X | 1

-- case: time functions
SELECT date_trunc('minute', event_time) AS minute, extract(minute FROM event_time) AS m, event_time + INTERVAL
'1' HOUR AS later FROM trades;
-- rows:
-- 2024-01-01 00:00:00 | 0 | 2024-01-01 01:00:01
-- 2024-01-01 00:00:00 | 0 | 2024-01-01 01:00:05
-- 2024-01-01 00:00:00 | 0 | 2024-01-01 01:00:20
-- 2024-01-01 00:00:00 | 0 | 2024-01-01 01:00:59.999999
-- 2024-01-01 00:01:00 | 1 | 2024-01-01 01:01:00
-- 2024-01-01 00:01:00 | 1 | 2024-01-01 01:01:10
-- 2024-01-01 00:01:00 | 1 | 2024-01-01 01:01:30
-- 2024-01-01 00:01:00 | 1 | 2024-01-01 01:01:45
-- 2024-01-01 00:02:00 | 2 | 2024-01-01 01:02:30
-- 2024-01-01 00:02:00 | 2 | 2024-01-01 01:02:31
-- 2024-01-01 00:03:00 | 3 | 2024-01-01 01:03:00
-- 2024-01-01 00:04:00 | 4 | 2024-01-01 01:04:15
-- 2024-01-01 00:04:00 | 4 | 2024-01-01 01:04:59
-- 2024-01-01 00:05:00 | 5 | 2024-01-01 01:05:00

-- case: a subquery in FROM
SELECT twice + 1 AS more FROM (SELECT price * 2 AS twice, symbol FROM trades) AS t WHERE twice > 20 AND symbol
= 'a';
-- rows:
-- 22
-- 23
-- 26

-- case: a common table expression, twice
WITH a AS (SELECT price, volume FROM trades WHERE symbol = 'a'), b AS (SELECT price * volume AS amount FROM a)
SELECT amount FROM b WHERE amount > 1000;
-- rows:
-- 1050
-- 1125
-- 3000
-- 3900

-- case: columns renamed by the alias
SELECT s, v FROM (SELECT symbol, volume FROM trades) AS t(s, v) WHERE v > 200;
-- rows:
-- a | 300
-- a | 400
-- b | 250

-- case: union all
SELECT symbol, price FROM trades WHERE venue = 'X' UNION ALL SELECT venue, volume FROM trades WHERE symbol =
'b';
-- rows:
-- None | 7
-- X | 200
-- X | 250
-- Y | 10
-- Y | 150
-- a | 10
-- a | 10.5
-- a | 9.75
-- b | 20
-- b | 21
-- c | 5.5
-- c | 6

-- case: distinct
SELECT DISTINCT symbol, venue FROM trades;
-- rows:
-- None | X
-- a | None
-- a | X
-- a | Y
-- b | X
-- b | Y
-- c | None
-- c | X

-- case: a zero below zero is a zero
-- table: t (i BIGINT, f DOUBLE)
-- 0 | 0.0
-- 1 | 1.5
-- 2 | NULL
SELECT i FROM t WHERE -f NOT IN (0.0::DOUBLE, 2.5::DOUBLE) OR -f * 2 IN (0.0::DOUBLE, 1.5::DOUBLE) AND i = 0;
