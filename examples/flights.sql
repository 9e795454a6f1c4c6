-- Departures out of New York City by hour and airport: how many, how many left, how late on average and at worst.
-- Rows come up to 18 hours after the first row of a later hour; with this delay none of them is too late.
--
-- penstock run examples/flights.sql

CREATE TABLE flights (
    origin VARCHAR,
    dep_time BIGINT,
    dep_delay BIGINT,
    time_hour TIMESTAMP,
    WATERMARK FOR time_hour AS time_hour - INTERVAL '18' HOUR
) WITH (connector = 'files', path = 'examples/data/flights_2013_01.csv.gz', format = 'csv', header = 'true', nulls = 'NA');

CREATE TABLE hourly WITH (connector = 'files', path = 'out/flights/hourly_sql/', format = 'parquet');

INSERT INTO hourly
SELECT
    origin,
    window_start,
    window_end,
    count(*) AS flights,
    count(dep_time) AS departed,
    avg(dep_delay) AS avg_delay,
    max(dep_delay) AS max_delay
FROM TUMBLE(flights, time_hour, INTERVAL '1 hour')
GROUP BY origin, window_start, window_end;
