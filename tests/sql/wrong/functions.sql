-- 1:8 lenght(symbol): no function 'lenght'; did you mean 'length'?
SELECT lenght(symbol) FROM trades;

-- 1:8 substring(symbol): 'substring' does not take (TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT substr(symbol) FROM trades;

-- 1:8 syntax error: upper() takes 1 argument, not 2
-- hint: leave out what follows argument 1
SELECT upper(symbol, venue) FROM trades;

-- 1:8 syntax error: upper() lacks an argument near ')'
-- hint: write upper(...) of a column, for example
SELECT upper() FROM trades;

-- 1:8 round(symbol): 'round' does not take (TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT round(symbol) FROM trades;

-- 1:8 round(price, 'two'): 'round' does not take (DOUBLE, TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT round(price, 'two') FROM trades;

-- 1:8 coalesce(price, symbol): its values have types that do not meet: ['DOUBLE', 'TEXT']
-- hint: cast one of them: CAST(column AS TEXT)
SELECT coalesce(price, symbol) FROM trades;

-- 1:8 syntax error: coalesce() lacks an argument near ')'
-- hint: write coalesce(...) of a column, for example
SELECT coalesce() FROM trades;

-- 1:20 syntax error: incomplete NULLIF near ')'
-- hint: something is missing before or after NULLIF
SELECT nullif(price) FROM trades;

-- 1:8 nullif(price, symbol): 'nullif' does not take (DOUBLE, TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT nullif(price, symbol) FROM trades;

-- 1:8 greatest(price, symbol): 'greatest' does not take (DOUBLE, TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT greatest(price, symbol) FROM trades;

-- 1:8 syntax error: concat() lacks an argument near ')'
-- hint: write concat(...) of a column, for example
SELECT concat() FROM trades;

-- 1:8 syntax error: concat_ws() lacks an argument near ')'
-- hint: write concat_ws(...) of a column, for example
SELECT concat_ws() FROM trades;

-- 1:8 extract('year', symbol): 'extract' does not take (TEXT, TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT year(symbol) FROM trades;

-- 1:8 random UUIDs are not supported: a row that is taken back must be the one that was given out
-- hint: compute one from the row's columns: CAST(md5(a || '/' || b) AS UUID)
SELECT uuid() FROM trades;

-- 1:8 random(): random() is not supported: a random number is another one each time a row is computed, but a row that is taken back must be computed as it was: derive it from a column, for example by md5(name)
-- hint: take a column of the row's time, or derive what looks random: md5(name)
SELECT rand() FROM trades;

-- 1:8 nextval('s'): no function 'nextval'
-- hint: SHOW FUNCTIONS and docs/functions.md tell all of them; CREATE FUNCTION adds one
SELECT nextval('s') FROM trades;

-- 1:8 pg_sleep(1): no function 'pg_sleep'
-- hint: SHOW FUNCTIONS and docs/functions.md tell all of them; CREATE FUNCTION adds one
SELECT pg_sleep(1) FROM trades;

-- 1:8 int(price): no function 'int'; did you mean 'instr'?
SELECT int(price) FROM trades;

-- 1:15 syntax error: incomplete ^ near '^'
-- hint: something is missing before or after ^
SELECT price ^^ 2 FROM trades;

-- 1:18 syntax error: unexpected '2'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT price DIV 2 FROM trades;

-- 1:8 volume / symbol: '/' does not take (BIGINT, TEXT); known here
-- hint: cast one of them: CAST(column AS DOUBLE)
SELECT volume / symbol FROM trades;

-- 1:12 NOT price: 'not' does not take (DOUBLE); known here
-- hint: write a condition: NOT (price > 1)
SELECT NOT price FROM trades;

-- 1:12 NOT symbol: 'not' does not take (TEXT); known here
-- hint: write a condition: NOT (price > 1)
SELECT NOT symbol FROM trades;

-- 1:8 symbol AND venue: 'and' does not take (TEXT, TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT symbol AND venue FROM trades;

-- 1:8 syntax error: price > 1 > 2 compares the result of another comparison
-- hint: write a < b AND b < c
SELECT price > 1 > 2 FROM trades;

-- 1:8 syntax error: 1 < price < 5 compares the result of another comparison
-- hint: write a < b AND b < c
SELECT 1 < price < 5 FROM trades;

-- 1:8 &(symbol, 1): '&' does not take (TEXT, BIGINT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT symbol & 1 FROM trades;

-- 1:9 ~(symbol): '~' does not take (TEXT); known here
-- hint: make it text: CAST(column AS TEXT) LIKE '1%'
SELECT ~symbol FROM trades;

-- 1:9 ~(price): '~' does not take (DOUBLE); known here
-- hint: make it text: CAST(column AS TEXT) LIKE '1%'
SELECT ~price FROM trades;

-- 1:20 syntax error: incomplete LIKE near 'FROM'
-- hint: something is missing before or after LIKE
SELECT symbol LIKE FROM trades;

-- 1:23 syntax error: unexpected "'a'"
-- hint: a comma, an operator or a keyword may be missing before it
SELECT symbol SIMILAR 'a' FROM trades;

-- 1:8 symbol ~ 'a(': 'a(' is no regular expression: missing ): (?s)a(
-- hint: write \[ for the character itself
SELECT symbol REGEXP 'a(' FROM trades;

-- 1:8 symbol ~ 5: '~' does not take (TEXT, BIGINT); known here
-- hint: make it text: CAST(column AS TEXT) LIKE '1%'
SELECT symbol ~ 5 FROM trades;

-- 1:8 regexp_replace(symbol, '(', ''): '(' is no regular expression: missing ): (?s)(
-- hint: write \[ for the character itself
SELECT regexp_replace(symbol, '(', '') FROM trades;

-- 1:22 syntax error: incomplete TRIM near ')'
-- hint: something is missing before or after TRIM
SELECT trim(BOTH FROM) FROM trades;

-- 1:8 trim(price): 'trim' does not take (DOUBLE); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT trim(price) FROM trades;

-- 1:34 syntax error: incomplete OVERLAY near ')'
-- hint: something is missing before or after OVERLAY
SELECT overlay(symbol PLACING 'x') FROM trades;

-- 1:8 repeat(symbol, 'x'): 'x' is no BIGINT
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT repeat(symbol, 'x') FROM trades;

-- 1:8 split_part(symbol, ','): 'split_part' does not take (TEXT, TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT split_part(symbol, ',') FROM trades;

-- 1:8 chr(symbol): 'chr' does not take (TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT chr(symbol) FROM trades;

-- 1:8 md5(price): 'md5' does not take (DOUBLE); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT md5(price) FROM trades;

-- 1:8 encode(symbol, 'base65'): no encoding 'base65'; known here
-- hint: write 'hex', 'base64' or 'escape'
SELECT encode(symbol, 'base65') FROM trades;

-- 1:8 isnull(price, 0): no function 'isnull'; did you mean 'is null'?
SELECT isnull(price, 0) FROM trades;

-- 1:8 coalesce(price, symbol): its values have types that do not meet: ['DOUBLE', 'TEXT']
-- hint: cast one of them: CAST(column AS TEXT)
SELECT nvl(price, symbol) FROM trades;

-- 1:8 price: a condition must be a boolean, and this has type DOUBLE
-- hint: compare it: column > 0, or column IS NOT NULL
SELECT iif(price, 1, 2) FROM trades;

-- 1:8 getdate(): getdate() is not supported: the time of the run is another one each time a row is computed, but a row that is taken back must be computed as it was: write a literal (TIMESTAMP '...'), or use a column of event time
-- hint: take a column of the row's time, or derive what looks random: md5(name)
SELECT getdate() FROM trades;

-- 1:21 syntax error: incomplete STRPOSITION near ')'
-- hint: something is missing before or after STRPOSITION
SELECT charindex('a') FROM trades;

-- 1:21 syntax error: unexpected '('
-- hint: leave it out, or see what is missing before it
SELECT price FILTER (WHERE price > 1) FROM trades;

-- 1:20 length() takes fewer arguments: leave out 2
-- hint: see docs/functions.md
SELECT len(symbol, 2) FROM trades;

-- 1:24 initcap() takes fewer arguments: leave out 'a'
SELECT initcap(symbol, 'a') FROM trades;

-- 1:8 syntax error: ltrim() takes 2 arguments, not 3
-- hint: leave out what follows argument 2
SELECT ltrim(symbol, 'a', 'b') FROM trades;

-- 1:8 syntax error: lpad() takes 3 arguments, not 4
SELECT lpad(symbol, 3, 'x', 'y') FROM trades;

-- 1:8 syntax error: mod() takes 2 arguments, not 3
SELECT mod(volume, 2, 3) FROM trades;

-- 1:8 syntax error: date_trunc() takes 3 arguments, not 4
SELECT date_trunc('day', event_time, 'UTC', 4) FROM trades;

-- 1:8 syntax error: array_agg() takes 1 argument, not 2
SELECT array_agg(symbol, price) FROM trades;

-- 1:8 syntax error: string_agg() takes 2 arguments, not 3
SELECT string_agg(symbol, ',', 'x') FROM trades;

-- 1:28 corr() takes fewer arguments: leave out 1
SELECT corr(price, volume, 1) FROM trades;

-- 1:20 mode() takes fewer arguments: leave out 2
SELECT mode(price, 2) FROM trades;
