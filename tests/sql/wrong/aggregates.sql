-- 1:8 the aggregate function 'approx_quantile' is not supported yet
SELECT approx_quantile(price, 0.5) FROM trades;

-- 1:8 median() has no DISTINCT; known here: ['any_value', 'arg_max'
SELECT median(DISTINCT price) FROM trades;

-- 1:8 median() of TEXT; its argument must be a number
SELECT median(symbol) FROM trades;

-- 1:8 bool_and() of DOUBLE; its argument must be a condition
SELECT bool_and(price) FROM trades;

-- 1:8 bit_xor() of DOUBLE; its argument must be an integer
SELECT bit_xor(price) FROM trades;

-- 1:8 string_agg() of BIGINT; its argument must be a string
SELECT string_agg(volume, ',') FROM trades;

-- 1:27 the separator of string_agg() must be a string that the query says, not venue
SELECT string_agg(symbol, venue) FROM trades;

-- 1:8 corr() of TEXT; its arguments must be numbers
SELECT corr(price, symbol) FROM trades;

-- 1:31 arg_min() takes two arguments here
SELECT arg_min(symbol, price, 3) FROM trades;

-- 1:8 array_agg(DISTINCT ...) can only be ordered by its argument
SELECT array_agg(DISTINCT symbol ORDER BY price) FROM trades;

-- 1:8 max() does not depend on an order; leave it out
SELECT max(price ORDER BY volume) FROM trades;

-- 1:24 the fraction of percentile_cont() must be a number that the query says, not volume
SELECT percentile_cont(volume) WITHIN GROUP (ORDER BY price) FROM trades;

-- 1:8 the fraction of percentile_disc() must be a number from 0 to 1, not 50.0
SELECT percentile_disc(50) WITHIN GROUP (ORDER BY price) FROM trades;

-- 1:8 percentile_cont() takes one expression to order by
SELECT percentile_cont(0.5) FROM trades;

-- 1:8 mode() takes one expression to order by
SELECT mode() FROM trades;

-- 1:42 sum() has no WITHIN GROUP
SELECT sum(price) WITHIN GROUP (ORDER BY volume) FROM trades;

-- 1:52 aggregates cannot be nested
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY sum(price)) FROM trades;

-- 1:8 stddev() of TEXT; its argument must be a number
-- hint: cast it: CAST(column AS DOUBLE), or take another column
SELECT stddev(symbol) FROM trades;

-- 1:24 the fraction of percentile_cont() must be a number that the query says, not price
-- hint: cast it: CAST(column AS DOUBLE), or take another column
SELECT percentile_cont(price) WITHIN GROUP (ORDER BY price) FROM trades;

-- 1:8 the fraction of percentile_cont() must be a number from 0 to 1, not 1.5
-- hint: cast it: CAST(column AS DOUBLE), or take another column
SELECT percentile_cont(1.5) WITHIN GROUP (ORDER BY price) FROM trades;

-- 1:8 percentile_cont() of TEXT; its argument must be a number
-- hint: cast it: CAST(column AS DOUBLE), or take another column
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY symbol) FROM trades;

-- 1:8 the aggregate function 'listagg' is not supported yet; known here
-- hint: docs/sql.md tells what there is, and docs/sql-compared.md what to write instead
SELECT listagg(symbol) WITHIN GROUP (ORDER BY price) FROM trades;

-- 1:27 the separator of string_agg() must be a string that the query says, not 1
-- hint: write the value itself: 'text' or 0.5
SELECT string_agg(symbol, 1) FROM trades;

-- 1:8 string_agg(DISTINCT ...) can only be ordered by its argument
-- hint: leave DISTINCT or ORDER BY out
SELECT string_agg(DISTINCT symbol, ',' ORDER BY price) FROM trades;

-- 1:8 syntax error: array_agg() lacks an argument near ')'
-- hint: write array_agg(...) of a column, for example
SELECT array_agg() FROM trades;

-- 1:33 syntax error: incomplete ORDER BY near ')'
-- hint: something is missing before or after ORDER BY
SELECT array_agg(symbol ORDER BY) FROM trades;

-- 1:8 count(DISTINCT ...) takes one argument here
-- hint: see docs/functions.md for its arguments
SELECT count(DISTINCT) FROM trades;

-- 1:8 count_distinct() needs an argument
-- hint: see docs/functions.md for its arguments
SELECT count(DISTINCT *) FROM trades;

-- 1:21 sum(DISTINCT ...) takes one argument here
-- hint: see docs/functions.md for its arguments
SELECT sum(DISTINCT price, volume) FROM trades;

-- 1:8 sum() needs an argument
-- hint: see docs/functions.md for its arguments
SELECT sum(*) FROM trades;

-- 1:8 avg() of TEXT; its argument must be a number, duration or interval
-- hint: cast it: CAST(column AS DOUBLE), or take another column
SELECT avg(symbol) FROM trades;

-- 1:19 max() takes one argument
-- hint: see docs/functions.md for its arguments
SELECT max(price, volume) FROM trades;

-- 1:8 syntax error: min() lacks an argument near ')'
-- hint: write min(...) of a column, for example
SELECT min() FROM trades;

-- 1:35 syntax error: unexpected 'FROM'
-- hint: FROM cannot stand here; something may be missing before it
SELECT sum(price) WHERE price > 1 FROM trades;

-- 1:8 bool_or() of BIGINT; its argument must be a condition
-- hint: compare it: column > 0, or column IS NOT NULL
SELECT bool_or(volume) FROM trades;

-- 1:8 syntax error: every() takes 1 argument, not 2
-- hint: leave out what follows argument 1
SELECT every(price > 1, 2) FROM trades;

-- 1:8 bit_and() of TEXT; its argument must be an integer
-- hint: cast it: CAST(column AS DOUBLE), or take another column
SELECT bit_and(symbol) FROM trades;

-- 1:18 syntax error: incomplete CORR near ')'
-- hint: something is missing before or after CORR
SELECT corr(price) FROM trades;

-- 1:8 arg_max() takes two arguments
-- hint: see docs/functions.md for its arguments
SELECT arg_max(price) FROM trades;

-- 1:29 no column 'nothing' in 'trades'; known here
SELECT first(price ORDER BY nothing) FROM trades;

-- 1:8 mode() takes one expression to order by
-- hint: write mode() WITHIN GROUP (ORDER BY x)
SELECT mode() WITHIN GROUP (ORDER BY price, volume) FROM trades;

-- 1:8 approx_percentile(price, 0.5): no function 'approx_percentile'
-- hint: SHOW FUNCTIONS and docs/functions.md tell all of them; CREATE FUNCTION adds one
SELECT approx_percentile(price, 0.5) FROM trades;

-- 1:8 the aggregate function 'quantile' is not supported yet; known here
-- hint: docs/sql.md tells what there is, and docs/sql-compared.md what to write instead
SELECT quantile(price, 0.5) FROM trades;

-- 1:8 histogram(price): no function 'histogram'
-- hint: SHOW FUNCTIONS and docs/functions.md tell all of them; CREATE FUNCTION adds one
SELECT histogram(price) FROM trades;

-- 1:8 product(price): no function 'product'
-- hint: SHOW FUNCTIONS and docs/functions.md tell all of them; CREATE FUNCTION adds one
SELECT product(price) FROM trades;

-- 1:8 the aggregate function 'kurtosis' is not supported yet; known here
-- hint: docs/sql.md tells what there is, and docs/sql-compared.md what to write instead
SELECT kurtosis(price) FROM trades;

-- 1:19 syntax error: json_agg() takes one argument
-- hint: see docs/functions.md for its arguments
SELECT json_agg() FROM trades;

-- 1:21 column 'symbol' must appear in GROUP BY or inside an aggregate; grouped by: []
-- hint: write it into GROUP BY, or any_value(column), for example
SELECT sum(price) + symbol FROM trades;

-- 1:8 window functions (OVER) are not supported yet, except row_number()
-- hint: number rows with row_number(), or join the table with groups of itself
SELECT sum(sum(price)) OVER () FROM trades;

-- 1:12 window functions (OVER) are not supported yet, except row_number()
-- hint: number rows with row_number(), or join the table with groups of itself
SELECT max(lag(price) OVER (ORDER BY price)) FROM trades;
