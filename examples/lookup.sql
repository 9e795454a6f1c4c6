-- Looks airports up in a database while flights stream by: penstock run examples/lookup.sql
-- A flight gets what the database says when it comes by. Rows are remembered for ten minutes; examples/airports.py asks.

CREATE TABLE flights (
    carrier VARCHAR, flight BIGINT, dest VARCHAR, day BIGINT, dep_delay BIGINT, time_hour TIMESTAMP,
    WATERMARK FOR time_hour AS time_hour - INTERVAL '18' HOUR
) WITH (connector = 'files', path = 'examples/data/flights_2013_01.csv.gz', format = 'csv', nulls = 'NA');

CREATE TABLE airports (faa VARCHAR PRIMARY KEY, name VARCHAR, alt BIGINT, tzone VARCHAR)
WITH (
    connector = 'lookup', function = 'examples.airports:airport',
    cache_rows = 10000, cache_seconds = 600, timeout = '5s', retries = 2
);

CREATE TABLE late WITH (connector = 'files', path = 'out/lookup/', format = 'json', overwrite = 'true');

INSERT INTO late
SELECT f.carrier, f.flight, f.dest, a.name, a.alt
FROM flights AS f
LEFT JOIN airports FOR SYSTEM_TIME AS OF f.time_hour AS a ON a.faa = f.dest AND a.tzone LIKE 'America/%'
WHERE f.day = 1 AND f.dep_delay > 60;
