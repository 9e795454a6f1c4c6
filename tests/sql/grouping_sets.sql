-- case: rollup
SELECT symbol, venue, count(*) AS n, sum(volume) AS v FROM trades GROUP BY ROLLUP (symbol, venue);

-- case: cube with grouping
SELECT symbol, venue, count(*) AS n, grouping(symbol, venue) AS g, grouping(venue) AS gv FROM trades GROUP BY CUBE
(symbol, venue);

-- case: grouping sets
SELECT symbol, venue, max(price) AS high FROM trades GROUP BY GROUPING SETS ((symbol, venue), (venue), ());

-- case: a set that is there twice
SELECT symbol, count(*) AS n FROM trades GROUP BY GROUPING SETS (symbol, (symbol), ());

-- case: sets in sets
SELECT symbol, venue, count(*) AS n FROM trades GROUP BY GROUPING SETS (symbol, ROLLUP (venue));

-- case: keys beside sets
SELECT symbol, venue, price > 10 AS dear, count(*) AS n FROM trades GROUP BY symbol, GROUPING SETS ((venue), (dear));
-- duckdb:
SELECT symbol, venue, price > 10 AS dear, count(*) AS n FROM trades GROUP BY symbol, GROUPING SETS ((venue), (price > 10));

-- case: two rollups
SELECT symbol, venue, volume > 100 AS big, count(*) AS n FROM trades GROUP BY ROLLUP (symbol, venue), ROLLUP (volume > 100);

-- case: several keys as one of a rollup
SELECT symbol, venue, count(*) AS n FROM trades GROUP BY ROLLUP ((symbol, venue));

-- case: by places and names
SELECT upper(symbol) AS name, venue, count(*) AS n FROM trades GROUP BY ROLLUP (name, 2);
-- duckdb:
SELECT upper(symbol) AS name, venue, count(*) AS n FROM trades GROUP BY ROLLUP (upper(symbol), venue);

-- case: keys within aggregates keep their values
SELECT symbol, count(symbol) AS n, min(symbol) AS least, coalesce(symbol, 'all') AS name FROM trades GROUP BY ROLLUP
(symbol);

-- case: having
SELECT symbol, venue, count(*) AS n FROM trades GROUP BY CUBE (symbol, venue) HAVING count(*) > 2 AND grouping(symbol) =
0;

-- case: sets of keys without aggregates
SELECT symbol, venue FROM trades GROUP BY GROUPING SETS ((symbol), (venue), ());

-- case: of nothing there is still the total
SELECT symbol, count(*) AS n FROM trades WHERE price > 1000 GROUP BY ROLLUP (symbol);
-- rows:
-- None | 0

-- case: nothing to group by
SELECT 1 AS one FROM trades GROUP BY ();
-- rows:
-- 1

-- case: grouping without sets
SELECT symbol, grouping(symbol) AS g FROM trades GROUP BY symbol;

-- case: a condition on a key of a set
SELECT symbol, venue, n FROM (SELECT symbol, venue, count(*) AS n FROM trades GROUP BY CUBE (symbol, venue)) AS t WHERE
symbol = 'a' OR venue IS NULL;

-- case: groups of groups
SELECT venue, sum(n) AS s, avg(n) AS a, count(*) AS c FROM (SELECT symbol, venue, count(*) AS n FROM trades GROUP BY
ROLLUP (symbol, venue)) AS t GROUP BY venue;

-- case: how many groups are of a size
SELECT n, count(*) AS groups FROM (SELECT symbol, count(*) AS n FROM trades GROUP BY symbol) AS t GROUP BY n;

-- case: groups of distinct rows
SELECT venue, count(*) AS symbols, count(DISTINCT symbol) AS names FROM (SELECT DISTINCT symbol, venue FROM trades) AS t
GROUP BY venue;
