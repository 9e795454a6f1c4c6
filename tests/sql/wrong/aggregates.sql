-- 1:8 the aggregate function 'approx_quantile' is not supported yet
SELECT approx_quantile(price, 0.5) FROM trades;

-- 1:8 median() has no DISTINCT; known here: ['any_value', 'arg_max'
SELECT median(DISTINCT price) FROM trades;

-- 1:8 median() of string; its argument must be a number
SELECT median(symbol) FROM trades;

-- 1:8 bool_and() of double; its argument must be a condition
SELECT bool_and(price) FROM trades;

-- 1:8 bit_xor() of double; its argument must be an integer
SELECT bit_xor(price) FROM trades;

-- 1:19 string_agg() of int64; its argument must be a string
SELECT string_agg(volume, ',') FROM trades;

-- 1:27 the separator of string_agg() must be a string that the query says, not venue
SELECT string_agg(symbol, venue) FROM trades;

-- 1:8 corr() of string; its arguments must be numbers
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
