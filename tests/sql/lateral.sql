-- table: t (a BIGINT, b VARCHAR, c DOUBLE)
-- 1 | x | 1.5
-- 2 | y | 2.5
-- 2 | z | 4
-- 3 | NULL | NULL
-- NULL | x | 0.5
-- 7 | x | 1
-- table: r (k BIGINT, s VARCHAR, v BIGINT)
-- 1 | x | 3
-- 2 | x | 1
-- 2 | y | NULL
-- NULL | z | 4
-- 5 | NULL | 6
-- 1 | q | 9
-- table: u (k BIGINT, s VARCHAR, v BIGINT)
-- 1 | x | 3
-- 2 | x | 1
-- 9 | q | 7

-- case: a lateral subquery that an equation correlates
SELECT a, v FROM t, LATERAL (SELECT v FROM r WHERE r.k = t.a) AS l;

-- case: rows without any stay by LEFT JOIN LATERAL
SELECT a, v FROM t LEFT JOIN LATERAL (SELECT v FROM r WHERE r.k = t.a) AS l ON true;

-- case: the first of each, by its order
SELECT a, b, l.v, l.s FROM t CROSS JOIN LATERAL (SELECT v, s FROM r WHERE r.k = t.a ORDER BY v DESC NULLS LAST LIMIT 1) l;

-- case: an aggregate has its row where there is nothing
SELECT a, n, m FROM t, LATERAL (SELECT count(*) AS n, max(v) AS m FROM r WHERE r.k = t.a) AS l;

-- case: LEFT JOIN LATERAL on a condition
SELECT a, n FROM t LEFT JOIN LATERAL (SELECT count(*) AS n FROM r WHERE r.k < t.a) AS l ON l.n > 1;

-- case: an aggregate with HAVING has it or not
SELECT a, n FROM t, LATERAL (SELECT sum(v) AS n FROM r WHERE r.k = t.a HAVING count(*) > 1) AS l;

-- case: a lateral subquery by conditions on pairs, that computes with both
SELECT a, x FROM t, LATERAL (SELECT t.c + r.v AS x FROM r WHERE r.s = t.b AND r.v > t.a) AS l;

-- case: UNION ALL inside
SELECT a, x FROM t, LATERAL (SELECT v AS x FROM r WHERE r.k = t.a UNION ALL SELECT v FROM u WHERE u.k = t.a) AS l;

-- case: EXCEPT inside
SELECT a, x FROM t, LATERAL (SELECT s AS x FROM r WHERE r.k = t.a EXCEPT SELECT s FROM u WHERE u.v < t.a) AS l;

-- case: without FROM, and one after the other
SELECT a, x, y FROM t, LATERAL (SELECT t.a + 1 AS x) AS l, LATERAL (SELECT l.x * 2 AS y) AS m;

-- case: the first value as a value
SELECT a, (SELECT v FROM r WHERE r.k = t.a ORDER BY v LIMIT 1) AS v FROM t;

-- case: the first value by an inequality
SELECT a, (SELECT v FROM r WHERE r.k <= t.a ORDER BY v DESC NULLS LAST, s LIMIT 1) AS v FROM t;

-- case: a column of the query around in ON of an outer join
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM r LEFT JOIN u ON u.k = r.k AND u.v > t.a WHERE u.k IS NULL AND r.v > t.c);

-- case: UNION under IN
SELECT a FROM t WHERE a IN (SELECT k FROM r WHERE r.s = t.b UNION SELECT k FROM u WHERE u.v > t.c);

-- case: a derived table that names a column around
SELECT a, (SELECT count(*) FROM (SELECT DISTINCT s FROM r WHERE r.k = t.a) AS d) AS n FROM t;

-- case: aggregates that are united and summed
SELECT a, (SELECT sum(n) FROM (SELECT count(*) AS n FROM r WHERE r.k = t.a UNION ALL SELECT count(*) FROM u WHERE u.k = t.a) AS d) AS n FROM t;

-- case: a row IN a subquery, as one of several conditions
SELECT a, b FROM t WHERE (a, b) IN (SELECT k, s FROM r) OR c > 3;

-- case: a row IN a subquery as a value: NULL where it may be there
SELECT a, b, (a, b) IN (SELECT k, s FROM r) AS i FROM t;
-- duckdb:
SELECT a, b, CASE WHEN EXISTS (SELECT 1 FROM r WHERE k = a AND s = b) THEN true WHEN EXISTS (SELECT 1 FROM r WHERE (k = a) IS NOT FALSE AND (s = b) IS NOT FALSE) THEN NULL ELSE false END AS i FROM t;

-- case: a row NOT IN a subquery
SELECT a, b FROM t WHERE (a, b) NOT IN (SELECT k, s FROM r WHERE k IS NOT NULL);
-- duckdb:
SELECT a, b FROM t WHERE NOT EXISTS (SELECT 1 FROM r WHERE k IS NOT NULL AND (k = a) IS NOT FALSE AND (s = b) IS NOT FALSE);

-- case: a subquery in the SELECT list of an aggregate that is a subquery
SELECT a, count(*) AS n, (SELECT (SELECT max(v) FROM u WHERE u.k = t.a) + count(*) FROM r WHERE r.k = t.a) AS m FROM t GROUP BY a;

-- case: EXISTS over an aggregate with HAVING
SELECT a, EXISTS (SELECT count(*) FROM r WHERE r.k = t.a HAVING count(*) > 1) AS e FROM t;

-- case: IN over an aggregate with HAVING
SELECT a FROM t WHERE a IN (SELECT max(k) FROM r WHERE r.s = t.b HAVING count(*) > 0);

-- case: EXISTS in ON of an inner join
SELECT t.a, r.v FROM t JOIN r ON r.k = t.a AND EXISTS (SELECT 1 FROM u WHERE u.k = t.a AND u.s = r.s);

-- case: a scalar subquery in ON of an outer join, of its right side
SELECT t.a, r.v FROM t LEFT JOIN r ON r.k = t.a AND r.v > (SELECT min(v) FROM u WHERE u.k = r.k);

-- case: IN in ON of a full join
SELECT t.a, r.v FROM t FULL JOIN r ON r.k = t.a AND t.a IN (SELECT k FROM u);

-- case: DISTINCT ON inside
SELECT t.a, d.v FROM t LEFT JOIN LATERAL (SELECT DISTINCT ON (s) s, v FROM r WHERE r.k = t.a ORDER BY s, v) AS d ON d.v > 1;

-- case: numbered inside
SELECT a, l.v, n FROM t, LATERAL (SELECT v, row_number() OVER (ORDER BY v) AS n FROM r WHERE r.k >= t.a) AS l;

-- case: an array of a subquery's values, in order; empty where there is none
SELECT a, ARRAY(SELECT v FROM r WHERE r.k = t.a ORDER BY v) AS vs FROM t;
-- duckdb:
SELECT a, coalesce((SELECT list(v ORDER BY v NULLS LAST) FROM r WHERE r.k = t.a), []) AS vs FROM t;

-- case: an array of the first different values
SELECT a, ARRAY(SELECT DISTINCT s FROM r WHERE r.k = t.a ORDER BY s LIMIT 2) AS vs FROM t;
-- duckdb:
SELECT a, coalesce((SELECT list(s ORDER BY s NULLS LAST) FROM (SELECT DISTINCT s FROM r WHERE r.k = t.a)), []) AS vs FROM t;

-- case: an array of the first values by another order
SELECT a, ARRAY(SELECT v FROM r WHERE r.k <= t.a ORDER BY s DESC NULLS LAST, v LIMIT 2) AS vs FROM t;
-- duckdb:
SELECT a, coalesce((SELECT list(v ORDER BY s DESC NULLS LAST, v) FROM (SELECT v, s FROM r WHERE r.k <= t.a ORDER BY s DESC NULLS LAST, v LIMIT 2)), []) AS vs FROM t;

-- case: an array of a table's column
SELECT ARRAY(SELECT k FROM u ORDER BY 1 DESC) AS vs, a FROM t;

-- case: rows compared by <
SELECT a, b FROM t WHERE (a, b) < (2, 'z');

-- case: rows compared as values
SELECT a, (a, c) >= (2, 2.5) AS g, (a, b) <> (1, 'x') AS n FROM t;
-- duckdb:
SELECT a, a > 2 OR (a = 2 AND c >= 2.5) AS g, a <> 1 OR b <> 'x' AS n FROM t;

-- case: rows IN a list, and IS NOT DISTINCT FROM
SELECT a, b FROM t WHERE (a, b) IN ((1, 'x'), (2, 'z')) OR ROW(a, b) IS NOT DISTINCT FROM ROW(3, NULL);
-- duckdb:
SELECT a, b FROM t WHERE (a = 1 AND b = 'x') OR (a = 2 AND b = 'z') OR (a = 3 AND b IS NULL);

-- case: a row and a subquery of one row
SELECT a FROM t WHERE (a, b) = (SELECT k, s FROM u WHERE v > 5) OR (a, b) = (SELECT k, s FROM u WHERE v = 3);
-- duckdb:
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE k = a AND s = b AND (v > 5 OR v = 3));

-- case: a row and an aggregate
SELECT a, (a, c) < (SELECT max(k), max(v) FROM r WHERE r.s = t.b) AS l FROM t;
-- duckdb:
SELECT a, a < (SELECT max(k) FROM r WHERE r.s = t.b) OR (a = (SELECT max(k) FROM r WHERE r.s = t.b) AND c < (SELECT max(v) FROM r WHERE r.s = t.b)) AS l FROM t;

-- case: rows compared in a subquery
SELECT a, (SELECT (v, s) > (1, 'a') FROM u WHERE u.k = t.a) AS l FROM t;
-- duckdb:
SELECT a, (SELECT v > 1 OR (v = 1 AND s > 'a') FROM u WHERE u.k = t.a) AS l FROM t;

-- case: values of a row as rows of their own
SELECT a, n, x FROM t, LATERAL (VALUES ('a', a), ('two', a * 2)) AS l(n, x);

-- case: EXISTS in the SELECT list of an aggregate
SELECT a, EXISTS (SELECT 1 FROM r WHERE r.k = t.a) AS e, count(*) AS n FROM t GROUP BY a;

-- case: EXISTS in the argument of an aggregate
SELECT max(CASE WHEN EXISTS (SELECT 1 FROM r WHERE r.k = t.a) THEN a END) AS m FROM t;

-- case: the second value as a value
SELECT a, (SELECT v FROM r WHERE r.k = t.a AND v IS NOT NULL ORDER BY v DESC LIMIT 1 OFFSET 1) AS v FROM t;

-- case: a join and groups inside, joined by another condition
SELECT t.a, l.m FROM t JOIN LATERAL (SELECT u.s, max(r.v) AS m FROM r JOIN u ON u.k = r.k AND u.v >= t.c GROUP BY u.s) AS l ON l.s = t.b;

-- case: LIMIT in a derived table that names a column around
SELECT a FROM t WHERE 2 > (SELECT count(*) FROM (SELECT 1 FROM r WHERE r.k = t.a LIMIT 3) AS z);

-- case: one lateral subquery named by the next
SELECT t.a, m.x FROM t, LATERAL (SELECT r.k, r.v FROM r WHERE r.k = t.a) AS l, LATERAL (SELECT u.v AS x FROM u WHERE u.k = l.k AND u.v = l.v) AS m;

-- case: a RIGHT JOIN with USING inside
SELECT t.a, l.v FROM t, LATERAL (SELECT v FROM r RIGHT JOIN u USING (k, v) WHERE u.v > t.a) AS l;
-- duckdb:
SELECT t.a, l.v FROM t, LATERAL (SELECT u.v FROM r RIGHT JOIN u ON r.k = u.k AND r.v = u.v WHERE u.v > t.a) AS l;

-- case: a RIGHT JOIN to a derived table that names a column around
SELECT t.a, l.v FROM t, LATERAL (SELECT u.v FROM r RIGHT JOIN (SELECT * FROM u WHERE u.v > t.c) AS u ON r.k = u.k) AS l;

-- case: NOT EXISTS over EXCEPT
SELECT a FROM t WHERE NOT EXISTS (SELECT v FROM r WHERE r.k = t.a EXCEPT SELECT v FROM u WHERE u.k = t.a);

-- case: LEFT JOIN LATERAL on a condition, of different values
SELECT t.a, l.s FROM t LEFT JOIN LATERAL (SELECT DISTINCT s FROM r WHERE r.k <> t.a) AS l ON l.s > t.b;

-- case: an array in a subquery
SELECT (SELECT ARRAY(SELECT v FROM u WHERE u.k = r.k ORDER BY v)) AS z, k FROM r;
-- duckdb:
SELECT coalesce((SELECT list(v ORDER BY v) FROM u WHERE u.k = r.k), []) AS z, k FROM r;

-- case: a common table expression used twice inside
WITH c AS (SELECT k, max(v) AS m FROM r GROUP BY k) SELECT t.a, l.m FROM t LEFT JOIN LATERAL (SELECT m FROM c WHERE c.k = t.a UNION ALL SELECT m FROM c WHERE c.m > t.a) AS l ON true;

-- case: a computed key over a lateral subquery that names several columns of what is around it
-- table: l (i BIGINT, f DOUBLE, s VARCHAR)
-- 1 | 0.5 | a
-- 2 | NULL | b
-- 1 | 1 | NULL
-- NULL | 0.5 | a
SELECT a.f AS x1, (a.s IS NULL) AS x2, count(q.x0) AS n FROM l AS a LEFT JOIN LATERAL (
  SELECT min(b.i) AS x0, b.s AS x2 FROM l AS b WHERE b.i = a.i AND (a.f IS NULL) = (a.s IS NULL) GROUP BY 2) AS q ON true GROUP BY 1, 2
