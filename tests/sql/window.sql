-- case: the query of the design
SELECT symbol, window_start, count(*) AS trades, sum(volume) AS volume, avg(price) AS price FROM
TUMBLE(trades, event_time, INTERVAL '1 minute') GROUP BY symbol, window_start;
-- duckdb:
SELECT symbol, time_bucket(INTERVAL '1 minute', event_time) AS window_start, count(*) AS trades, sum(volume)
AS volume, avg(price) AS price FROM trades GROUP BY ALL;
-- rows:
-- None | 2024-01-01 00:01:00 | 1 | 10 | 7
-- a | 2024-01-01 00:00:00 | 2 | 100 | 10.75
-- a | 2024-01-01 00:01:00 | 2 | 420 | 10
-- a | 2024-01-01 00:03:00 | 1 | 90 | 12.5
-- a | 2024-01-01 00:04:00 | 1 | 400 | 9.75
-- b | 2024-01-01 00:00:00 | 1 | 200 | 20
-- b | 2024-01-01 00:01:00 | 1 | 150 | 19.5
-- b | 2024-01-01 00:02:00 | 1 | 250 | 21
-- b | 2024-01-01 00:04:00 | 1 | 10 | 18
-- c | 2024-01-01 00:00:00 | 1 | 50 | 5.25
-- c | 2024-01-01 00:02:00 | 1 | 75 | 5.5
-- c | 2024-01-01 00:05:00 | 1 | 60 | 6

-- case: by the window alone
SELECT window_end, max(price) AS high FROM TUMBLE(trades, event_time, INTERVAL '1' MINUTE) GROUP BY window_end;
-- duckdb:
SELECT time_bucket(INTERVAL '1 minute', event_time) + INTERVAL 1 MINUTE AS window_end, max(price) AS high FROM
trades GROUP BY ALL;
-- rows:
-- 2024-01-01 00:01:00 | 20
-- 2024-01-01 00:02:00 | 19.5
-- 2024-01-01 00:03:00 | 21
-- 2024-01-01 00:04:00 | 12.5
-- 2024-01-01 00:05:00 | 18
-- 2024-01-01 00:06:00 | 6

-- case: as Flink writes it
SELECT window_start, window_end, venue, count(*) AS n FROM TABLE(TUMBLE(TABLE trades, DESCRIPTOR(event_time),
INTERVAL '2' MINUTES)) GROUP BY window_start, window_end, venue;
-- duckdb:
SELECT time_bucket(INTERVAL '2 minutes', event_time) AS window_start, window_start + INTERVAL 2 MINUTE AS
window_end, venue, count(*) AS n FROM trades GROUP BY ALL;
-- rows:
-- 2024-01-01 00:00:00 | 2024-01-01 00:02:00 | None | 1
-- 2024-01-01 00:00:00 | 2024-01-01 00:02:00 | X | 4
-- 2024-01-01 00:00:00 | 2024-01-01 00:02:00 | Y | 3
-- 2024-01-01 00:02:00 | 2024-01-01 00:04:00 | None | 1
-- 2024-01-01 00:02:00 | 2024-01-01 00:04:00 | X | 2
-- 2024-01-01 00:04:00 | 2024-01-01 00:06:00 | X | 2
-- 2024-01-01 00:04:00 | 2024-01-01 00:06:00 | Y | 1

-- case: named arguments
SELECT window_start, count(*) AS n FROM TUMBLE(size => INTERVAL '90 seconds', timecol =>
DESCRIPTOR(event_time), data => trades) GROUP BY 1;
-- duckdb:
SELECT time_bucket(INTERVAL '90 seconds', event_time, TIMESTAMP '1970-01-01') AS window_start, count(*) AS n
FROM trades GROUP BY ALL;
-- rows:
-- 2024-01-01 00:00:00 | 6
-- 2024-01-01 00:01:30 | 4
-- 2024-01-01 00:03:00 | 2
-- 2024-01-01 00:04:30 | 2

-- case: windows that overlap
SELECT symbol, window_start, sum(volume) AS volume FROM HOP(trades, event_time, INTERVAL '30 seconds',
INTERVAL '1 minute') GROUP BY symbol, window_start;
-- duckdb:
SELECT symbol, s AS window_start, sum(volume) AS volume FROM trades, (SELECT unnest(generate_series(TIMESTAMP
'2023-12-31 23:59:00', TIMESTAMP '2024-01-01 00:06:00', INTERVAL 30 SECOND)) AS s) WHERE event_time >= s AND
event_time < s + INTERVAL 1 MINUTE GROUP BY ALL;
-- rows:
-- None | 2024-01-01 00:01:00 | 10
-- None | 2024-01-01 00:01:30 | 10
-- a | 2023-12-31 23:59:30 | 100
-- a | 2024-01-01 00:00:00 | 100
-- a | 2024-01-01 00:00:30 | 300
-- a | 2024-01-01 00:01:00 | 420
-- a | 2024-01-01 00:01:30 | 120
-- a | 2024-01-01 00:02:30 | 90
-- a | 2024-01-01 00:03:00 | 90
-- a | 2024-01-01 00:04:00 | 400
-- a | 2024-01-01 00:04:30 | 400
-- b | 2023-12-31 23:59:30 | 200
-- b | 2024-01-01 00:00:00 | 200
-- b | 2024-01-01 00:00:30 | 150
-- b | 2024-01-01 00:01:00 | 150
-- b | 2024-01-01 00:02:00 | 250
-- b | 2024-01-01 00:02:30 | 250
-- b | 2024-01-01 00:03:30 | 10
-- b | 2024-01-01 00:04:00 | 10
-- c | 2024-01-01 00:00:00 | 50
-- c | 2024-01-01 00:00:30 | 50
-- c | 2024-01-01 00:02:00 | 75
-- c | 2024-01-01 00:02:30 | 75
-- c | 2024-01-01 00:04:30 | 60
-- c | 2024-01-01 00:05:00 | 60

-- case: changes
SELECT symbol, window_start, count(*) AS n FROM TUMBLE(trades, event_time, INTERVAL '1 minute') GROUP BY
symbol, window_start EMIT CHANGES;
-- duckdb:
SELECT symbol, time_bucket(INTERVAL '1 minute', event_time) AS window_start, count(*) AS n FROM trades GROUP
BY ALL;
-- rows:
-- None | 2024-01-01 00:01:00 | 1
-- a | 2024-01-01 00:00:00 | 2
-- a | 2024-01-01 00:01:00 | 2
-- a | 2024-01-01 00:03:00 | 1
-- a | 2024-01-01 00:04:00 | 1
-- b | 2024-01-01 00:00:00 | 1
-- b | 2024-01-01 00:01:00 | 1
-- b | 2024-01-01 00:02:00 | 1
-- b | 2024-01-01 00:04:00 | 1
-- c | 2024-01-01 00:00:00 | 1
-- c | 2024-01-01 00:02:00 | 1
-- c | 2024-01-01 00:05:00 | 1

-- case: conditions on rows and on windows
SELECT symbol, window_start, count(*) AS n FROM TUMBLE(trades, event_time, INTERVAL '1 minute') WHERE venue =
'X' AND window_start >= TIMESTAMP '2024-01-01 00:01:00' GROUP BY symbol, window_start HAVING count(*) < 5;
-- duckdb:
SELECT symbol, time_bucket(INTERVAL '1 minute', event_time) AS window_start, count(*) AS n FROM trades WHERE
venue = 'X' AND time_bucket(INTERVAL '1 minute', event_time) >= TIMESTAMP '2024-01-01 00:01:00' GROUP BY ALL;
-- rows:
-- None | 2024-01-01 00:01:00 | 1
-- a | 2024-01-01 00:01:00 | 1
-- a | 2024-01-01 00:04:00 | 1
-- b | 2024-01-01 00:02:00 | 1
-- c | 2024-01-01 00:02:00 | 1
-- c | 2024-01-01 00:05:00 | 1

-- case: an expression as key
SELECT price > 10 AS dear, window_start, count(*) AS n FROM TUMBLE(trades, event_time, INTERVAL '1 minute')
GROUP BY dear, window_start;
-- duckdb:
SELECT price > 10 AS dear, time_bucket(INTERVAL '1 minute', event_time) AS window_start, count(*) AS n FROM
trades GROUP BY ALL;
-- rows:
-- False | 2024-01-01 00:00:00 | 1
-- False | 2024-01-01 00:01:00 | 2
-- False | 2024-01-01 00:02:00 | 1
-- False | 2024-01-01 00:04:00 | 1
-- False | 2024-01-01 00:05:00 | 1
-- None | 2024-01-01 00:01:00 | 1
-- True | 2024-01-01 00:00:00 | 3
-- True | 2024-01-01 00:01:00 | 1
-- True | 2024-01-01 00:02:00 | 1
-- True | 2024-01-01 00:03:00 | 1
-- True | 2024-01-01 00:04:00 | 1

-- case: through a subquery that renames
SELECT begin, s, max(twice) AS high FROM (SELECT window_start AS begin, symbol AS s, price * 2 AS twice FROM
TUMBLE(trades, event_time, INTERVAL '1 minute')) AS t WHERE twice > 12 GROUP BY begin, s;
-- duckdb:
SELECT time_bucket(INTERVAL '1 minute', event_time) AS begin, symbol AS s, max(price * 2) AS high FROM trades
WHERE price * 2 > 12 GROUP BY ALL;
-- rows:
-- 2024-01-01 00:00:00 | a | 22
-- 2024-01-01 00:00:00 | b | 40
-- 2024-01-01 00:01:00 | None | 14
-- 2024-01-01 00:01:00 | a | 20
-- 2024-01-01 00:01:00 | b | 39
-- 2024-01-01 00:02:00 | b | 42
-- 2024-01-01 00:03:00 | a | 25
-- 2024-01-01 00:04:00 | a | 19.5
-- 2024-01-01 00:04:00 | b | 36

-- case: of a filtered subquery
SELECT window_start, count(*) AS n FROM TUMBLE((SELECT event_time, price FROM trades WHERE symbol = 'a'),
event_time, INTERVAL '1 minute') GROUP BY window_start;
-- duckdb:
SELECT time_bucket(INTERVAL '1 minute', event_time) AS window_start, count(*) AS n FROM trades WHERE symbol =
'a' GROUP BY ALL;
-- rows:
-- 2024-01-01 00:00:00 | 2
-- 2024-01-01 00:01:00 | 2
-- 2024-01-01 00:03:00 | 1
-- 2024-01-01 00:04:00 | 1

-- case: rows with their windows
SELECT symbol, window_start, window_end FROM TUMBLE(trades, event_time, INTERVAL '1 minute') WHERE symbol =
'c';
-- duckdb:
SELECT symbol, time_bucket(INTERVAL '1 minute', event_time) AS window_start, window_start + INTERVAL 1 MINUTE
AS window_end FROM trades WHERE symbol = 'c';
-- rows:
-- c | 2024-01-01 00:00:00 | 2024-01-01 00:01:00
-- c | 2024-01-01 00:02:00 | 2024-01-01 00:03:00
-- c | 2024-01-01 00:05:00 | 2024-01-01 00:06:00

-- case: windows of windows
WITH m AS (SELECT symbol, window_end AS minute, sum(volume) AS volume FROM TUMBLE(trades, event_time, INTERVAL
'1 minute') GROUP BY symbol, window_end) SELECT window_start, max(volume) AS most FROM TUMBLE(m, minute,
INTERVAL '5 minutes') GROUP BY window_start;
-- duckdb:
SELECT time_bucket(INTERVAL '5 minutes', minute) AS window_start, max(volume) AS most FROM (SELECT symbol,
time_bucket(INTERVAL '1 minute', event_time) + INTERVAL 1 MINUTE AS minute, sum(volume) AS volume FROM trades
GROUP BY ALL) GROUP BY ALL;
-- rows:
-- 2024-01-01 00:00:00 | 420
-- 2024-01-01 00:05:00 | 400

-- case: grouped without its window
SELECT symbol, count(*) AS n FROM HOP(trades, event_time, INTERVAL '30 seconds', INTERVAL '1 minute') GROUP BY
symbol;
-- duckdb:
SELECT symbol, 2 * count(*) AS n FROM trades GROUP BY symbol;
-- rows:
-- None | 2
-- a | 12
-- b | 8
-- c | 6
