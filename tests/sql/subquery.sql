-- table: t (a BIGINT, b VARCHAR, c DOUBLE)
-- 1 | x | 1.5
-- 2 | y | 2.5
-- 2 | z | 4
-- 3 | NULL | NULL
-- NULL | x | 0.5
-- 7 | x | 1
-- table: r (k BIGINT, s VARCHAR, v INTEGER)
-- 1 | x | 3
-- 2 | x | 1
-- 2 | y | NULL
-- NULL | z | 4
-- 5 | NULL | 6
-- table: u (k BIGINT, s VARCHAR, v INTEGER)
-- 1 | x | 3
-- 2 | x | 1
-- 9 | q | 7
-- table: none (k BIGINT, s VARCHAR, v INTEGER)
-- table: orders (o BIGINT, cust BIGINT, priority VARCHAR)
-- 1 | 10 | high
-- 2 | 10 | low
-- 3 | 20 | low
-- table: items (o BIGINT, supplier BIGINT, part BIGINT, quantity BIGINT, late BOOLEAN)
-- 1 | 1 | 100 | 5 | true
-- 1 | 2 | 100 | 30 | false
-- 2 | 1 | 200 | 20 | true
-- 2 | 3 | 100 | 10 | true
-- 3 | 2 | 200 | 1 | false
-- table: offers (part BIGINT, supplier BIGINT, cost DOUBLE, available BIGINT)
-- 100 | 1 | 10 | 50
-- 100 | 2 | 8 | 5
-- 200 | 2 | 3 | 2
-- 200 | 3 | 3 | 100

-- case: EXISTS and NOT EXISTS, uncorrelated
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM r WHERE v > 5) AND NOT EXISTS (SELECT * FROM none);
-- rows:
-- 1
-- 2
-- 2
-- 3
-- 7
-- None

-- case: EXISTS by an equation; NULL meets nothing
SELECT a, b FROM t WHERE EXISTS (SELECT * FROM r WHERE r.k = t.a);
-- rows:
-- 1 | x
-- 2 | y
-- 2 | z

-- case: NOT EXISTS by an equation and a condition of its own
SELECT a, b FROM t WHERE NOT EXISTS (SELECT * FROM r WHERE k = a AND v > 1);
-- rows:
-- 2 | y
-- 2 | z
-- 3 | None
-- 7 | x
-- None | x

-- case: EXISTS by an equation and by another condition on pairs
SELECT a, b FROM t WHERE EXISTS (SELECT * FROM r WHERE k = a AND s <> b LIMIT 1);
-- rows:
-- 2 | y
-- 2 | z

-- case: NOT EXISTS without an equation
SELECT a, b FROM t WHERE NOT EXISTS (SELECT * FROM r WHERE k < a);
-- rows:
-- 1 | x
-- None | x

-- case: EXISTS over a join and over an aggregate
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM r JOIN u ON r.k = u.k WHERE r.k = t.a AND u.s = t.b) OR NOT EXISTS (SELECT max(v) FROM none);
-- rows:
-- 1

-- case: EXISTS over groups
SELECT a FROM t WHERE EXISTS (SELECT s FROM r WHERE k = a GROUP BY s HAVING max(v) > t.c);
-- rows:
-- 1

-- case: EXISTS with HAVING but no GROUP BY
SELECT a, EXISTS (SELECT 1 FROM r WHERE k = a HAVING count(*) > 1) AS two, EXISTS (SELECT 1 FROM r WHERE k = a HAVING count(*) < 1) AS zero FROM t;
-- rows:
-- 1 | False | False
-- 2 | True | False
-- 2 | True | False
-- 3 | False | True
-- 7 | False | True
-- None | False | True

-- case: IN a column with a NULL
SELECT a FROM t WHERE a IN (SELECT k FROM r);
-- rows:
-- 1
-- 2
-- 2

-- case: NOT IN a column with a NULL is never true
SELECT a FROM t WHERE a NOT IN (SELECT k FROM r);
-- rows:

-- case: NOT IN a column without NULLs, but NULL on the left
SELECT a FROM t WHERE a NOT IN (SELECT k FROM u);
-- rows:
-- 3
-- 7

-- case: NOT IN nothing is true, of NULL too
SELECT a FROM t WHERE a NOT IN (SELECT k FROM none) AND a NOT IN (SELECT v FROM u WHERE s = 'nowhere');
-- rows:
-- 1
-- 2
-- 2
-- 3
-- 7
-- None

-- case: IN and NOT IN as values have three
SELECT a, a IN (SELECT k FROM r) AS i, a NOT IN (SELECT v FROM r) AS n, a IN (SELECT k FROM none) AS o FROM t;
-- rows:
-- 1 | True | False | False
-- 2 | True | None | False
-- 2 | True | None | False
-- 3 | None | False | False
-- 7 | None | None | False
-- None | None | None | False

-- case: NOT IN, correlated
SELECT a, b FROM t WHERE a NOT IN (SELECT k FROM r WHERE s = b);
-- rows:
-- 3 | None
-- 7 | x

-- case: NOT IN, correlated otherwise
SELECT a, b FROM t WHERE a NOT IN (SELECT k FROM r WHERE v < c);
-- rows:
-- 1 | x
-- 3 | None
-- 7 | x
-- None | x

-- case: IN of rows
SELECT a, b FROM t WHERE (a, b) IN (SELECT k, s FROM r);
-- rows:
-- 1 | x
-- 2 | y

-- case: IN another type, an expression, and a constant
SELECT a, b FROM t WHERE a + 1 IN (SELECT v FROM r) AND 4 IN (SELECT v + 1 FROM r WHERE s = 'x');
-- rows:
-- 2 | y
-- 2 | z
-- 3 | None

-- case: IN a union
SELECT a FROM t WHERE a IN (SELECT k FROM u UNION ALL SELECT v FROM u);
-- rows:
-- 1
-- 2
-- 2
-- 3
-- 7

-- case: ANY and ALL
SELECT a, a > ALL (SELECT v FROM r) AS x, a <= ANY (SELECT v FROM r) AS y, a <> ANY (SELECT v FROM r) AS z, a = ALL (SELECT v FROM r) AS w FROM t;
-- rows:
-- 1 | False | True | True | False
-- 2 | False | True | True | False
-- 2 | False | True | True | False
-- 3 | False | True | True | False
-- 7 | None | None | True | False
-- None | None | None | None | None

-- case: ANY and ALL of nothing
SELECT a, a > ALL (SELECT v FROM none) AS x, a <= ANY (SELECT v FROM none) AS y, a <> SOME (SELECT v FROM none) AS z, a = ALL (SELECT v FROM none) AS w FROM t;
-- rows:
-- 1 | True | False | False | True
-- 2 | True | False | False | True
-- 2 | True | False | False | True
-- 3 | True | False | False | True
-- 7 | True | False | False | True
-- None | True | False | False | True

-- case: ANY and ALL, correlated
SELECT a, b, a < ALL (SELECT v FROM r WHERE s = b) AS x, a >= SOME (SELECT v FROM r WHERE s = b) AS y, b >= ALL (SELECT s FROM u WHERE u.k = a) AS z FROM t;
-- rows:
-- 1 | x | False | True | True
-- 2 | y | None | None | True
-- 2 | z | True | False | True
-- 3 | None | True | False | True
-- 7 | x | False | True | True
-- None | x | None | None | True

-- case: ANY and ALL as conditions
SELECT a FROM t WHERE NOT a <> ALL (SELECT v FROM u) OR c > ALL (SELECT v FROM r WHERE r.k = t.a);
-- rows:
-- 1
-- 3
-- 7
-- None

-- case: scalar aggregates, of no rows too
SELECT a, (SELECT max(v) FROM r) AS m, (SELECT count(*) FROM r WHERE k = a) AS n, (SELECT sum(v) FROM none) AS s, (SELECT count(*) + 1 FROM none WHERE k = a) AS o FROM t;
-- rows:
-- 1 | 6 | 1 | None | 1
-- 2 | 6 | 2 | None | 1
-- 2 | 6 | 2 | None | 1
-- 3 | 6 | 0 | None | 1
-- 7 | 6 | 0 | None | 1
-- None | 6 | 0 | None | 1

-- case: scalar aggregates with HAVING
SELECT a, (SELECT count(*) FROM r WHERE k = a HAVING count(*) < 2) AS x, (SELECT count(*) FROM r WHERE k = a HAVING count(*) > 0) AS y FROM t;
-- rows:
-- 1 | 1 | 1
-- 2 | None | 2
-- 2 | None | 2
-- 3 | 0 | None
-- 7 | 0 | None
-- None | 0 | None

-- case: a scalar aggregate by an inequality
SELECT a, (SELECT sum(v) FROM r WHERE k <= a) AS x FROM t WHERE (SELECT count(*) FROM t AS i WHERE i.c < t.c) < 2;
-- rows:
-- 3 | 4
-- 7 | 10
-- None | None

-- case: a scalar aggregate by IS NOT DISTINCT FROM, and with a parameter in what it gives
SELECT a, (SELECT max(v) + t.a FROM r WHERE s IS NOT DISTINCT FROM b) AS x FROM t;
-- rows:
-- 1 | 4
-- 2 | 6
-- 2 | None
-- 3 | 9
-- 7 | 10
-- None | None

-- case: a scalar subquery by a table's key
SELECT a, (SELECT s FROM u WHERE u.k = a) AS x, (SELECT max(v) FROM u WHERE u.k = a GROUP BY u.k) AS y FROM t;
-- rows:
-- 1 | x | 3
-- 2 | x | 1
-- 2 | x | 1
-- 3 | None | None
-- 7 | None | None
-- None | None | None

-- case: comparisons with scalar subqueries, IN of one
SELECT a FROM t WHERE c > (SELECT avg(v) FROM r WHERE k = a) OR a IN (SELECT max(v) FROM r);
-- rows:
-- 2
-- 2

-- case: nested subqueries, of which the inner one names the outermost table
SELECT a FROM t WHERE EXISTS (SELECT 1 FROM r WHERE EXISTS (SELECT 1 FROM u WHERE u.k = r.k AND u.s = t.b))
  OR a IN (SELECT k FROM r WHERE v >= (SELECT min(v) FROM u WHERE u.k = t.a));
-- rows:
-- 1
-- 2
-- 2
-- 7
-- None

-- case: division: nothing is left out
SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.k = u.k AND r.v >= t.c));
-- rows:

-- case: HAVING, over groups
SELECT b, count(*) AS n FROM t GROUP BY b HAVING count(*) > (SELECT count(*) FROM r WHERE s = b) AND max(a) NOT IN (SELECT k FROM u WHERE u.s = b);
-- rows:
-- None | 1
-- x | 3

-- case: the SELECT list, over groups
SELECT b, max(a) AS m, (SELECT max(v) FROM r WHERE s = t.b) AS v, max(a) = (SELECT max(k) FROM u) AS q FROM t GROUP BY b;
-- rows:
-- None | 3 | None | False
-- x | 7 | 3 | False
-- y | 2 | None | False
-- z | 2 | 4 | False

-- case: keys and arguments of aggregates
SELECT (SELECT count(*) FROM r WHERE k = a) AS q, a IN (SELECT k FROM u) AS i, count(*) AS n, sum((SELECT max(v) FROM u WHERE u.k = a)) AS s FROM t GROUP BY q, i;
-- rows:
-- 0 | False | 2 | None
-- 0 | None | 1 | None
-- 1 | True | 1 | 3
-- 2 | True | 2 | 2

-- case: CASE, and two of a kind
SELECT a, CASE WHEN EXISTS (SELECT 1 FROM r WHERE k = a) THEN 'yes' WHEN a IS NULL THEN (SELECT min(s) FROM r) END AS x,
  (SELECT count(*) FROM r WHERE k = a) * 2 AS y FROM t WHERE (SELECT count(*) FROM r WHERE k = a) < 2;
-- rows:
-- 1 | yes | 2
-- 3 | None | 0
-- 7 | None | 0
-- None | x | 0

-- case: ORDER BY and LIMIT, inside and outside
SELECT a, b FROM t WHERE a IN (SELECT k FROM u ORDER BY k LIMIT 2) ORDER BY (SELECT max(v) FROM u WHERE u.k = a), b LIMIT 2;
-- rows:
-- 2 | y
-- 2 | z

-- case: like TPC-H's 2, 17 and 20
SELECT x.part, x.supplier FROM offers AS x WHERE x.cost = (SELECT min(y.cost) FROM offers AS y WHERE y.part = x.part)
  AND x.supplier IN (SELECT supplier FROM offers WHERE part IN (SELECT part FROM items)
    AND available > (SELECT 0.5 * sum(quantity) FROM items WHERE items.part = offers.part AND items.supplier = offers.supplier))
  AND EXISTS (SELECT 1 FROM items AS i WHERE i.part = x.part AND i.quantity < (SELECT 0.9 * avg(quantity) FROM items AS j WHERE j.part = i.part));
-- rows:
-- 100 | 2
-- 200 | 2

-- case: like TPC-H's 4, 16 and 18
SELECT priority, count(*) AS n FROM orders
WHERE EXISTS (SELECT * FROM items WHERE items.o = orders.o AND late) AND o IN (SELECT o FROM items GROUP BY o HAVING sum(quantity) > 20)
  AND cust NOT IN (SELECT supplier FROM offers WHERE available < 10) GROUP BY priority;
-- rows:
-- high | 1
-- low | 1

-- case: like TPC-H's 11 and 15
WITH revenue AS (SELECT part, sum(cost * available) AS total FROM offers GROUP BY part)
SELECT part, total FROM revenue WHERE total = (SELECT max(total) FROM revenue)
UNION ALL SELECT part, sum(cost * available) FROM offers GROUP BY part HAVING sum(cost * available) > (SELECT sum(cost * available) * 0.4 FROM offers);
-- rows:
-- 100 | 540
-- 100 | 540

-- case: like TPC-H's 21
SELECT l1.supplier, count(*) AS n FROM items AS l1, orders WHERE l1.o = orders.o AND l1.late
  AND EXISTS (SELECT * FROM items AS l2 WHERE l2.o = l1.o AND l2.supplier <> l1.supplier)
  AND NOT EXISTS (SELECT * FROM items AS l3 WHERE l3.o = l1.o AND l3.supplier <> l1.supplier AND l3.late)
GROUP BY l1.supplier;
-- rows:
-- 1 | 1

-- case: like TPC-H's 22
SELECT supplier, sum(available) AS n FROM offers AS c WHERE available > (SELECT avg(available) FROM offers WHERE available > 2)
  AND NOT EXISTS (SELECT * FROM items WHERE items.supplier = c.supplier AND items.part = c.part) GROUP BY supplier;
-- rows:
-- 3 | 100

-- case: bits and truth of a FULL JOIN, for each row: of nothing and of nothing but NULLs, too
-- table: w (n BIGINT, t VARCHAR, flag BOOLEAN)
-- 1 | x | true
-- 2 | x | NULL
-- 2 | NULL | false
-- NULL | q | NULL
-- 7 | z | NULL
SELECT a, (SELECT bit_and(v) FROM r FULL JOIN w ON r.s = w.t WHERE r.k = x.a OR w.n = x.a) AS one,
  (SELECT bit_or(w.n) FROM r FULL JOIN w ON r.s = w.t WHERE w.n = x.a) AS two,
  (SELECT bit_xor(v) FROM r FULL JOIN w ON r.k = w.n WHERE r.s = x.b) AS three,
  (SELECT bool_and(w.flag) FROM r FULL JOIN w ON r.k = w.n AND r.v > 1 WHERE w.t IS NOT DISTINCT FROM x.b) AS four,
  (SELECT bool_or(v > 3) FROM r FULL JOIN w ON r.k = w.n WHERE r.k IS NULL AND w.n < x.a) AS five FROM t AS x;

-- case: bits and truth of a LEFT JOIN, for each row: of nothing and of nothing but NULLs, too
-- table: w (n BIGINT, t VARCHAR, flag BOOLEAN)
-- 1 | x | true
-- 2 | x | NULL
-- 2 | NULL | false
-- NULL | q | NULL
-- 7 | z | NULL
SELECT a, (SELECT bit_and(v) FROM r LEFT JOIN w ON r.s = w.t WHERE r.k = x.a OR w.n = x.a) AS one,
  (SELECT bit_or(w.n) FROM r LEFT JOIN w ON r.s = w.t WHERE w.n = x.a) AS two,
  (SELECT bit_xor(v) FROM r LEFT JOIN w ON r.k = w.n WHERE r.s = x.b) AS three,
  (SELECT bool_and(w.flag) FROM r LEFT JOIN w ON r.k = w.n AND r.v > 1 WHERE w.t IS NOT DISTINCT FROM x.b) AS four,
  (SELECT bool_or(v > 3) FROM r LEFT JOIN w ON r.k = w.n WHERE r.k IS NULL AND w.n < x.a) AS five FROM t AS x;

-- case: bits and truth of a RIGHT JOIN, for each row: of nothing and of nothing but NULLs, too
-- table: w (n BIGINT, t VARCHAR, flag BOOLEAN)
-- 1 | x | true
-- 2 | x | NULL
-- 2 | NULL | false
-- NULL | q | NULL
-- 7 | z | NULL
SELECT a, (SELECT bit_and(v) FROM r RIGHT JOIN w ON r.s = w.t WHERE r.k = x.a OR w.n = x.a) AS one,
  (SELECT bit_or(w.n) FROM r RIGHT JOIN w ON r.s = w.t WHERE w.n = x.a) AS two,
  (SELECT bit_xor(v) FROM r RIGHT JOIN w ON r.k = w.n WHERE r.s = x.b) AS three,
  (SELECT bool_and(w.flag) FROM r RIGHT JOIN w ON r.k = w.n AND r.v > 1 WHERE w.t IS NOT DISTINCT FROM x.b) AS four,
  (SELECT bool_or(v > 3) FROM r RIGHT JOIN w ON r.k = w.n WHERE r.k IS NULL AND w.n < x.a) AS five FROM t AS x;

-- case: a semi join with what LATERAL finds, below whose names it goes
SELECT a, q.x FROM t CROSS JOIN LATERAL (SELECT r.k AS x FROM r WHERE r.v <> t.a GROUP BY 1
  HAVING min(r.v) <= (SELECT u.v FROM u ORDER BY u.v DESC NULLS LAST LIMIT 1)) AS q WHERE q.x IN (SELECT k FROM u);
