-- case: conditions and bits
SELECT symbol, bool_and(price > 10) AS every, bool_or(volume > 100) AS some, bit_and(volume) AS both, bit_or(volume)
AS any, bit_xor(volume) AS odd FROM trades GROUP BY symbol;

-- case: every
SELECT every(price > 6) AS all_above, every(volume > 1000) FILTER (WHERE price < 0) AS none FROM trades;
-- duckdb:
SELECT bool_and(price > 6) AS all_above, bool_and(volume > 1000) FILTER (WHERE price < 0) AS none FROM trades;

-- case: extremes of what comes and goes
SELECT venue, min(price) AS low, max(symbol) AS last, max(event_time) AS latest, count(DISTINCT symbol) AS symbols
FROM trades GROUP BY venue;

-- case: covariances and regressions
SELECT venue, covar_pop(price, volume) AS pop, covar_samp(price, volume) AS samp, corr(price, volume) AS corr,
regr_count(price, volume) AS rows, regr_slope(price, volume) AS slope, regr_intercept(price, volume) AS start,
regr_avgx(price, volume) AS x, regr_avgy(price, volume) AS y, regr_sxx(price, volume) AS sxx, regr_syy(price, volume)
AS syy, regr_sxy(price, volume) AS sxy FROM trades WHERE volume IS NOT NULL GROUP BY venue HAVING count(*) > 3;

-- case: percentiles
SELECT symbol, median(price) AS middle, percentile_cont(0.9) WITHIN GROUP (ORDER BY price) AS high,
percentile_cont(0.25) WITHIN GROUP (ORDER BY volume DESC) AS low, percentile_disc(0.5) WITHIN GROUP (ORDER BY venue)
AS venue, percentile_disc(0.3) WITHIN GROUP (ORDER BY volume) FILTER (WHERE price > 6) AS some
FROM trades GROUP BY symbol;

-- case: the mode is the first of the most frequent
SELECT venue, mode() WITHIN GROUP (ORDER BY symbol) AS mode FROM trades GROUP BY venue;
-- duckdb:
SELECT venue, symbol AS mode FROM (SELECT venue, symbol, row_number() OVER (PARTITION BY venue ORDER BY
count(symbol) DESC, symbol) AS place FROM trades GROUP BY venue, symbol) WHERE place = 1;

-- case: the row of the extreme
SELECT symbol, arg_min(venue, price) AS cheap, max_by(volume, price) AS dear, min_by(price, event_time) FILTER
(WHERE volume > 50) AS early FROM trades GROUP BY symbol;
-- duckdb:
SELECT symbol, (array_agg(venue ORDER BY price, venue) FILTER (WHERE venue IS NOT NULL AND price IS NOT NULL))[1] AS
cheap, (array_agg(volume ORDER BY price DESC, volume) FILTER (WHERE volume IS NOT NULL AND price IS NOT NULL))[1] AS
dear, (array_agg(price ORDER BY event_time, price) FILTER (WHERE volume > 50 AND price IS NOT NULL))[1] AS early
FROM trades GROUP BY symbol;

-- case: lists
SELECT symbol, array_agg(price ORDER BY event_time DESC NULLS LAST, price) AS prices, array_agg(DISTINCT venue ORDER
BY venue) AS venues, array_agg(volume ORDER BY volume NULLS FIRST) AS volumes FROM trades GROUP BY symbol;

-- case: strings in one
SELECT venue, string_agg(symbol, '-' ORDER BY price DESC NULLS LAST, symbol) AS names, string_agg(DISTINCT symbol, ', ' ORDER BY
symbol) FILTER (WHERE price > 6) AS some FROM trades GROUP BY venue;

-- case: each value once
SELECT symbol, sum(DISTINCT volume) AS total, avg(DISTINCT price) AS mean, count(DISTINCT venue) AS venues,
stddev(DISTINCT volume) AS spread, max(DISTINCT price) AS high FROM trades GROUP BY symbol;

-- case: first and last by an order
SELECT venue, first(symbol ORDER BY price, symbol) AS cheap, last(symbol ORDER BY price, symbol) AS dear
FROM trades GROUP BY venue;
-- duckdb:
SELECT venue, (array_agg(symbol ORDER BY price, symbol) FILTER (WHERE symbol IS NOT NULL))[1] AS cheap,
(array_agg(symbol ORDER BY price DESC NULLS FIRST, symbol DESC) FILTER (WHERE symbol IS NOT NULL))[1] AS dear
FROM trades GROUP BY venue;

-- case: of groups
SELECT max(total) AS high, median(total) AS middle, string_agg(symbol, '' ORDER BY total, symbol) AS names,
stddev_pop(mean) AS spread FROM (SELECT symbol, sum(volume) AS total, avg(price) AS mean FROM trades GROUP BY symbol)
AS g;

-- case: of windows
SELECT window_start, median(price) AS middle, bit_or(volume) AS bits, array_agg(symbol ORDER BY symbol) AS names
FROM TUMBLE(trades, event_time, INTERVAL '1 minute') GROUP BY window_start;
-- duckdb:
SELECT date_trunc('minute', event_time) AS window_start, median(price) AS middle, bit_or(volume) AS bits,
array_agg(symbol ORDER BY symbol) AS names FROM trades WHERE event_time IS NOT NULL GROUP BY 1;
