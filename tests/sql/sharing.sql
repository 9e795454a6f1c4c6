-- table: sales (id BIGINT, shop VARCHAR, item VARCHAR, amount BIGINT, _weight BIGINT)
-- 1 | a | x | 10 | 1
-- 2 | a | y | 20 | 1
-- 3 | b | x | 5 | 1
-- 4 | b | NULL | NULL | 1
-- 2 | a | y | 20 | -1
-- 5 | b | y | 7 | 1
-- 6 | NULL | x | 1 | 1
-- 3 | b | x | 5 | -1
-- 7 | c | x | 3 | 1

-- case: one needs all of a common table, the other a part
WITH totals AS (SELECT shop, item, sum(amount) AS amount FROM sales GROUP BY shop, item)
SELECT a.shop, a.item, a.amount, b.amount AS of_a FROM totals a LEFT JOIN totals b ON a.item = b.item AND b.shop = 'a'

-- case: each needs another part of a common table
WITH totals AS (SELECT shop, item, sum(amount) AS amount FROM sales GROUP BY shop, item)
SELECT * FROM totals WHERE shop = 'a' UNION ALL SELECT * FROM totals WHERE item = 'x'

-- case: different columns of a common table
WITH totals AS (SELECT shop, count(*) AS n, sum(amount) AS total, min(item) AS least FROM sales GROUP BY shop)
SELECT shop, n FROM totals UNION ALL SELECT least, total FROM totals

-- case: the largest of groups, by a subquery over them
WITH totals AS (SELECT shop, sum(amount) AS total FROM sales GROUP BY shop)
SELECT shop, total FROM totals WHERE total = (SELECT max(total) FROM totals)

-- case: a common join, joined to itself, in a subquery too
WITH pairs AS (SELECT l.id, r.id AS other, l.item FROM sales l JOIN sales r ON l.item = r.item AND l.id < r.id)
SELECT one.id, two.other FROM pairs one JOIN pairs two ON one.other = two.id WHERE one.id IN (SELECT id FROM pairs)

-- case: grouping sets over a join
SELECT l.shop, r.item, count(*) AS n FROM sales l JOIN sales r ON l.item = r.item GROUP BY CUBE (l.shop, r.item)

-- case: common tables over common tables
WITH a AS (SELECT shop, item, amount FROM sales WHERE amount > 1), b AS (SELECT shop, sum(amount) AS s FROM a GROUP BY shop),
     c AS (SELECT max(s) AS most FROM b)
SELECT a.item, b.s, c.most FROM a JOIN b ON a.shop = b.shop CROSS JOIN c WHERE b.s < c.most
   OR EXISTS (SELECT 1 FROM b AS other WHERE other.s = a.amount)

-- case: the same subquery twice
SELECT shop, (SELECT count(*) FROM sales s WHERE s.shop = t.shop) AS n FROM sales t
WHERE (SELECT count(*) FROM sales s WHERE s.shop = t.shop) > 1

-- case: a distinct table on both sides of a set operation
WITH d AS (SELECT DISTINCT item, shop FROM sales) SELECT item FROM d EXCEPT ALL SELECT item FROM d WHERE shop = 'a'

-- case: other columns each time
WITH g AS (SELECT shop, sum(amount) AS s, count(*) AS n FROM sales GROUP BY shop) SELECT one.shop, one.n, two.s FROM g AS one LEFT JOIN g AS two ON one.shop = two.shop
