-- 1:8 date_trunc('event_time', 'day'): 'date_trunc' does not take (TEXT, TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT date_trunc(event_time, 'day') FROM trades;

-- 1:8 date_trunc('days', symbol): 'date_trunc' does not take (TEXT, TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT date_trunc('days', symbol) FROM trades;

-- 1:8 date_trunc('minut', event_time): no unit 'minut' ... did you mean 'minute'?
SELECT date_trunc('minut', event_time) FROM trades;

-- 1:8 extract('yeer', event_time): no unit 'yeer' ... did you mean 'year'?
SELECT extract(yeer FROM event_time) FROM trades;

-- 1:8 extract('hour', price): 'extract' does not take (TEXT, DOUBLE); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT extract(hour FROM price) FROM trades;

-- 1:8 extract('epok', event_time): no unit 'epok' ... did you mean 'epoch'?
SELECT date_part('epok', event_time) FROM trades;

-- 1:8 to_timestamp(symbol): 'to_timestamp' does not take (TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT to_timestamp(symbol) FROM trades;

-- 1:8 strftime(event_time): 'strftime' does not take (TIMESTAMP); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT strftime(event_time) FROM trades;

-- 1:8 to_char(price): 'to_char' does not take (DOUBLE); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT to_char(price) FROM trades;

-- 1:8 event_time - 5: '-' does not take (TIMESTAMP, BIGINT); known here
-- hint: add an interval: time + INTERVAL '1 minute'
SELECT event_time - 5 FROM trades;

-- 1:8 event_time + '5 minutes': '+' does not take (TIMESTAMP, TEXT); known here
-- hint: add an interval: time + INTERVAL '1 minute'
SELECT event_time + '5 minutes' FROM trades;

-- 1:8 event_time + 5: '+' does not take (TIMESTAMP, BIGINT); known here
-- hint: add an interval: time + INTERVAL '1 minute'
SELECT event_time + 5 minutes FROM trades;

-- 1:8 event_time > 5: '>' does not take (TIMESTAMP, BIGINT); known here
-- hint: cast one of them: CAST(column AS DOUBLE)
SELECT event_time > 5 FROM trades;

-- 1:8 event_time > 'yesterday': 'yesterday' is no date or timestamp; write for example '2024-01-31 12:30:00'
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT event_time > 'yesterday' FROM trades;

-- 1:8 event_time = '2024-13-01': '2024-13-01' is no TIMESTAMP: date out of range: '2024-13-01'
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT event_time = '2024-13-01' FROM trades;

-- 1:8 '5 parsecs' is no interval
-- hint: write for example INTERVAL '90 seconds' or INTERVAL '1' MONTH
SELECT INTERVAL '5 parsecs' FROM trades;

-- 1:8 '5 parsecs' is no interval
-- hint: write for example INTERVAL '90 seconds' or INTERVAL '1' MONTH
SELECT INTERVAL 5 parsecs FROM trades;

-- 1:8 '1 minut' is no interval
-- hint: write for example INTERVAL '90 seconds' or INTERVAL '1' MONTH
SELECT INTERVAL '1' MINUT FROM trades;

-- 1:8 timezone('Mars/Olympus', event_time): no time zone 'Mars/Olympus'
-- hint: write a name such as 'Europe/Berlin', or 'UTC'
SELECT event_time AT TIME ZONE 'Mars/Olympus' FROM trades;

-- 1:8 timezone(symbol, event_time): the time zone must be a literal, for example 'Europe/Berlin'
-- hint: write the value itself: 'text' or 0.5
SELECT event_time AT TIME ZONE symbol FROM trades;

-- 1:32 syntax error: incomplete AT TIME ZONE near 'FROM'
-- hint: something is missing before or after AT TIME ZONE
SELECT event_time AT TIME ZONE FROM trades;

-- 1:8 current_user(): no function 'current_user'
-- hint: SHOW FUNCTIONS and docs/functions.md tell all of them; CREATE FUNCTION adds one
SELECT current_user FROM trades;

-- 1:8 now(): now() is not supported: the time of the run is another one each time a row is computed, but a row that is taken back must be computed as it was: write a literal (TIMESTAMP '...'), or use a column of event time
-- hint: take a column of the row's time, or derive what looks random: md5(name)
SELECT current_timestamp FROM trades;

-- 1:8 current_date(): current_date() is not supported: the time of the run is another one each time a row is computed, but a row that is taken back must be computed as it was: write a literal (TIMESTAMP '...'), or use a column of event time
-- hint: take a column of the row's time, or derive what looks random: md5(name)
SELECT current_date() FROM trades;

-- 1:8 current_time(): current_time() is not supported: the time of the run is another one each time a row is computed, but a row that is taken back must be computed as it was: write a literal (TIMESTAMP '...'), or use a column of event time
-- hint: take a column of the row's time, or derive what looks random: md5(name)
SELECT localtime FROM trades;

-- 1:18 syntax error: incomplete CAST
-- hint: write CAST(value AS type)
SELECT CAST(price) FROM trades;

-- 1:19 syntax error: nothing follows AS
-- hint: write expression AS name
SELECT CAST(price AS) FROM trades;

-- 1:20 syntax error: incomplete CAST near 'INT'
-- hint: write CAST(value AS type)
SELECT CAST(price, INT) FROM trades;

-- 1:22 no type MONEY
-- hint: use DECIMAL(19, 2)
SELECT CAST(price AS MONEY) FROM trades;

-- 1:22 no type INT128
-- hint: use DECIMAL(38, 0)
SELECT CAST(price AS HUGEINT) FROM trades;

-- 1:22 no type BIT
-- hint: use BIGINT and its operators &, |, #, ~, <<, >>
SELECT CAST(price AS BIT) FROM trades;

-- 1:22 DECIMAL(40, 2): a decimal has 1 to 38 digits, at most that many after the point
-- hint: write DECIMAL(38, 2), for example, or DOUBLE
SELECT CAST(price AS DECIMAL(40, 2)) FROM trades;

-- 1:22 DECIMAL(5, 9): a decimal has 1 to 38 digits, at most that many after the point
-- hint: write DECIMAL(38, 2), for example, or DOUBLE
SELECT CAST(price AS DECIMAL(5, 9)) FROM trades;

-- 1:8 CAST(price AS DATE): DOUBLE cannot be cast to DATE
-- hint: cast to text first, or take it apart
SELECT CAST(price AS DATE) FROM trades;

-- 1:23 no type POINT ... did you mean 'INT'?
SELECT CAST(symbol AS POINT) FROM trades;

-- 1:8 CAST(price AS INTEGER[]): DOUBLE cannot be cast to INTEGER[]
-- hint: cast to text first, or take it apart
SELECT CAST(price AS INT[]) FROM trades;

-- 1:15 no type foo; known here
SELECT price::foo FROM trades;

-- 1:16 syntax error: expected a type
-- hint: write value::TEXT, for example
SELECT price:: FROM trades;

-- 1:26 no type NUMBRE; known here
SELECT TRY_CAST(price AS NUMBRE) FROM trades;

-- 1:29 syntax error: incomplete REGEXPEXTRACT near ')'
-- hint: something is missing before or after REGEXPEXTRACT
SELECT regexp_extract(symbol) FROM trades;

-- 1:17 no column 'day' in 'trades'; known here
SELECT datediff(day, event_time) FROM trades;

-- 1:8 date_diff('centuryy', event_time, event_time): no unit 'centuryy' ... did you mean 'century'?
SELECT datediff('centuryy', event_time, event_time) FROM trades;

-- 1:8 avg() of TIMESTAMP; its argument must be a number, duration or interval
-- hint: cast it: CAST(column AS DOUBLE), or take another column
SELECT avg(event_time) FROM trades;

-- 1:22 syntax error: INT takes no parameters
-- hint: write INT
SELECT CAST(price AS INT(5)) FROM trades;

-- 1:22 DECIMAL(5, 2, 1): a decimal has two parameters at most
SELECT CAST(price AS DECIMAL(5, 2, 1)) FROM trades;

-- 1:8 CAST('abc' AS INTEGER): 'abc' is no INTEGER
-- hint: write a value of that type, or TRY_CAST, which gives NULL
SELECT CAST('abc' AS INT) FROM trades;

-- 1:45 CAST('x' AS INTEGER): 'x' is no INTEGER
SELECT CASE WHEN price > 1 THEN volume ELSE 'x'::INT END FROM trades;

-- 1:8 CAST('2020-13-01' AS TIMESTAMP): date out of range
-- hint: write a value of that type, or TRY_CAST, which gives NULL
SELECT TIMESTAMP '2020-13-01' FROM trades;

-- 1:8 an INTERVAL has a unit
-- hint: write INTERVAL '5 minutes', for example
SELECT INTERVAL 5 FROM trades;

-- 1:8 TRUE + TRUE: '+' does not take (BOOLEAN, BOOLEAN)
SELECT TRUE + TRUE FROM trades;
