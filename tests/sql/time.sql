-- table: visits (id BIGINT, start TIMESTAMP, finish TIMESTAMP, day DATE, fee DECIMAL(8, 2), _weight BIGINT)
-- 1 | 2024-01-31 10:00:00 | 2024-01-31 12:30:00 | 2024-01-31 | 12.50 | 1
-- 2 | 2024-02-29 23:30:00 | 2024-03-01 00:15:00 | 2024-02-29 | 7.25 | 1
-- 3 | 2024-02-29 23:30:00 | NULL | 2024-02-29 | NULL | 1
-- 1 | 2024-01-31 10:00:00 | 2024-01-31 12:30:00 | 2024-01-31 | 12.50 | -1
-- 4 | 1969-12-31 23:59:59 | 2024-02-29 00:00:00 | NULL | 1000.00 | 1
-- 5 | 2024-01-31 10:00:00 | 2024-01-31 12:30:00 | 2024-01-31 | 12.50 | 1

-- case: months end on their last day
SELECT id, start + INTERVAL '1 month' AS later, day - INTERVAL '1 month' AS before FROM visits;
-- rows:
-- 2 | 2024-03-29 23:30:00 | 2024-01-29 00:00:00
-- 3 | 2024-03-29 23:30:00 | 2024-01-29 00:00:00
-- 4 | 1970-01-31 23:59:59 | None
-- 5 | 2024-02-29 10:00:00 | 2023-12-31 00:00:00

-- case: groups by parts of time that come and go
SELECT extract(year FROM day) AS year, date_trunc('month', start) AS month, count(*) AS visits, sum(fee) AS fees
FROM visits GROUP BY 1, 2;

-- case: differences in a unit
SELECT id, date_diff('hour', start, finish) AS hours, date_sub('hour', start, finish) AS whole FROM visits;
-- duckdb:
SELECT id, date_diff('hour', start, finish) AS hours, date_sub('hour', start, finish) AS whole FROM visits;

-- case: periods that overlap
SELECT a.id, b.id AS other FROM visits AS a JOIN visits AS b ON a.id < b.id
WHERE (a.start, a.finish) OVERLAPS (b.start, b.finish);
-- duckdb:
SELECT a.id, b.id AS other FROM visits AS a JOIN visits AS b ON a.id < b.id
WHERE a.start < b.finish AND b.start < a.finish;

-- case: times as keys of a join
SELECT a.id, b.id AS other FROM visits AS a JOIN visits AS b ON a.start::time = b.start::time AND a.id < b.id;

-- case: numbers in text and buckets
SELECT fee::text AS text, round(fee, -1) AS tens, width_bucket(fee, 0, 100, 4) AS bucket, gcd(id, 6) AS divisor
FROM visits WHERE fee IS NOT NULL;
-- duckdb:
SELECT fee::text AS text, round(fee, -1)::decimal(9, 0) AS tens, CASE WHEN fee < 25 THEN 1 ELSE 5 END AS bucket,
       gcd(id, 6) AS divisor
FROM visits WHERE fee IS NOT NULL;
