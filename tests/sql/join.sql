-- table: users (id BIGINT, name VARCHAR, city VARCHAR, age BIGINT)
-- 1 | ann | bern | 30
-- 2 | bob | oslo | 25
-- 3 | cid | bern | NULL
-- 4 | dan | NULL | 41
-- NULL | eve | oslo | 22
-- 2 | bob | oslo | 25

-- table: orders (id BIGINT, user_id INTEGER, amount DOUBLE, city VARCHAR)
-- 10 | 1 | 5 | bern
-- 11 | 1 | 7.5 | oslo
-- 12 | 2 | 0 | oslo
-- 13 | 5 | 3 | bern
-- 14 | NULL | 9 | NULL
-- 15 | 3 | NULL | bern

-- table: cities (city VARCHAR, country VARCHAR)
-- bern | ch
-- oslo | no
-- rome | it
-- NULL | xx

-- table: stock (item VARCHAR, number BIGINT, _weight BIGINT)
-- a | 1 | 1
-- b | 2 | 1
-- a | 1 | -1
-- a | 3 | 1
-- c | 2 | 1
-- b | 2 | 1
-- c | 2 | -1

-- case: inner, by keys of different types
SELECT name, amount FROM users JOIN orders ON users.id = orders.user_id;
-- rows:
-- ann | 5
-- ann | 7.5
-- bob | 0
-- bob | 0
-- cid | None

-- case: left
SELECT u.name, o.id FROM users AS u LEFT JOIN orders AS o ON o.user_id = u.id;
-- rows:
-- ann | 10
-- ann | 11
-- bob | 12
-- bob | 12
-- cid | 15
-- dan | None
-- eve | None

-- case: full
SELECT u.name, o.id FROM users u FULL JOIN orders o ON o.user_id = u.id;
-- rows:
-- None | 13
-- None | 14
-- ann | 10
-- ann | 11
-- bob | 12
-- bob | 12
-- cid | 15
-- dan | None
-- eve | None

-- case: a condition on the rows that stay does not take them away
SELECT u.name, o.id FROM users u LEFT JOIN orders o ON o.user_id = u.id AND u.age < 30;
-- rows:
-- ann | None
-- bob | 12
-- bob | 12
-- cid | None
-- dan | None
-- eve | None

-- case: a condition on the partners alone
SELECT u.name, o.id FROM users u LEFT JOIN orders o ON o.user_id = u.id AND o.amount > 6;
-- rows:
-- ann | 11
-- bob | None
-- bob | None
-- cid | None
-- dan | None
-- eve | None

-- case: three tables of which the first two have nothing in common
SELECT u.name, c.country, o.id FROM users u, cities c, orders o
WHERE o.user_id = u.id AND c.city = o.city AND u.city <> c.city;
-- rows:
-- ann | no | 11

-- case: a key of two tables and a third
SELECT u.name, o.id, s.item FROM users u, orders o, stock s WHERE u.id + o.user_id = s.number AND u.age > o.amount;

-- case: how many there are of all with all
SELECT count(*) AS pairs FROM users, cities;
-- rows:
-- 24

-- case: full without equality
SELECT u.name, o.id FROM users u FULL JOIN orders o ON u.age < o.amount * 4 AND u.city = 'oslo';

-- case: outer, on anything and on nothing
SELECT u.name, c.country, o.id FROM users u LEFT JOIN cities c ON true LEFT JOIN orders o ON false;

-- case: expressions as keys
SELECT u.name, o.id FROM users u FULL JOIN orders o ON u.id + 1 = o.user_id * 2 AND upper(u.city) = upper(o.city);

-- case: a key that is compared twice
SELECT u.name, o.id FROM users u JOIN orders o ON u.id = o.user_id AND u.id + 9 = o.id AND u.id = o.id - 9;

-- case: NULLs that are equal in one key only
SELECT u.name, o.id FROM users u FULL JOIN orders o ON u.id = o.user_id AND u.city IS NOT DISTINCT FROM o.city;

-- case: using, of all columns
SELECT * FROM users LEFT JOIN cities USING (city);
-- rows:
-- None | 4 | dan | 41 | None
-- bern | 1 | ann | 30 | ch
-- bern | 3 | cid | None | ch
-- oslo | 2 | bob | 25 | no
-- oslo | 2 | bob | 25 | no
-- oslo | None | eve | 22 | no
-- duckdb:
SELECT city, id, name, age, country FROM users LEFT JOIN cities USING (city);

-- case: using in full joins, one after the other
SELECT city, o.id, u.id AS user, country FROM orders o FULL JOIN users u USING (city) FULL JOIN cities USING (city);

-- case: grouped by a merged column
SELECT city, count(*) AS rows, sum(amount) AS total FROM orders FULL JOIN cities USING (city) GROUP BY city
HAVING count(*) < 3;

-- case: natural without a common column
SELECT name, item FROM users NATURAL LEFT JOIN stock WHERE age > 25;
-- duckdb:
SELECT name, item FROM users LEFT JOIN stock ON true WHERE age > 25;

-- case: natural full join
SELECT * FROM cities NATURAL FULL JOIN (SELECT city, count(*) AS users FROM users GROUP BY city) AS g;

-- case: a table with itself
SELECT a.name, b.name AS other FROM users a JOIN users b ON a.city = b.city AND a.name < b.name;
-- rows:
-- ann | cid
-- bob | eve
-- bob | eve

-- case: all columns of both, of which some have equal names
SELECT t.id, t.id_1, t.city_1, t.amount FROM (SELECT * FROM users JOIN orders ON users.id = orders.user_id) AS t;

-- case: conditions at the end
SELECT u.name, o.id, c.country FROM users u LEFT JOIN orders o LEFT JOIN cities c ON o.city = c.city ON u.id = o.user_id;

-- case: a comma binds looser than a join
SELECT u.name, o.id, c.country FROM users u, orders o RIGHT JOIN cities c ON o.city = c.city WHERE u.age > 29;

-- case: with groups of one side
SELECT u.name, g.n, g.total FROM users u LEFT JOIN
(SELECT user_id, count(*) AS n, sum(amount) AS total FROM orders GROUP BY user_id) AS g ON g.user_id = u.id;
-- rows:
-- ann | 2 | 12.5
-- bob | 1 | 0
-- bob | 1 | 0
-- cid | 1 | None
-- dan | None | None
-- eve | None | None

-- case: groups of joined rows
SELECT c.country, count(o.id) AS orders, sum(o.amount) AS total FROM cities c LEFT JOIN orders o ON o.city = c.city
GROUP BY c.country;
-- rows:
-- ch | 3 | 8
-- it | 0 | None
-- no | 2 | 7.5
-- xx | 0 | None

-- case: common table expressions, twice
WITH rich AS (SELECT u.name AS name, o.amount AS amount FROM users u JOIN orders o ON u.id = o.user_id WHERE amount > 0)
SELECT a.name, b.amount FROM rich a JOIN rich b ON a.name = b.name AND a.amount <= b.amount;

-- case: WHERE turns an outer join into an inner one
SELECT u.name, o.id FROM users u LEFT JOIN orders o ON u.id = o.user_id WHERE o.amount + 1 > 1 OR o.id IN (12, 13);

-- case: WHERE takes one side's NULLs from a full join
SELECT u.name, o.id FROM users u FULL JOIN orders o ON u.id = o.user_id WHERE u.age > 1;

-- case: WHERE wants the NULLs of an outer join
SELECT u.name FROM users u LEFT JOIN orders o ON u.id = o.user_id WHERE o.id IS NULL;
-- rows:
-- dan
-- eve

-- case: WHERE makes something of NULLs
SELECT u.name, o.id FROM users u LEFT JOIN orders o ON u.id = o.user_id WHERE coalesce(o.amount, 0) < 1;

-- case: a condition that fails on rows that another one keeps away
SELECT u.name, o.id FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id <> 1 AND 10 / (u.id - 1) > 2;
-- duckdb:
SELECT u.name, o.id FROM users u JOIN orders o ON o.user_id = u.id WHERE u.id <> 1 AND 10 // nullif(u.id - 1, 0) > 2;

-- case: a condition of an outer join that fails on rows that another one keeps away
SELECT u.name, o.id FROM users u LEFT JOIN orders o ON u.id <> 1 AND o.amount * 2 > 10 / (u.id - 1);
-- duckdb:
SELECT u.name, o.id FROM users u LEFT JOIN orders o ON u.id <> 1 AND o.amount * 2 > 10 // nullif(u.id - 1, 0);

-- case: rows that have a partner
SELECT * FROM users SEMI JOIN orders ON users.id = orders.user_id AND orders.amount > 1 AND users.age > 1;
-- rows:
-- 1 | ann | bern | 30

-- case: rows that have none
SELECT name FROM users ANTI JOIN orders ON users.id = orders.user_id AND users.age > 25;
-- rows:
-- bob
-- bob
-- cid
-- dan
-- eve

-- case: changes on both sides
SELECT a.item, b.item AS other, a.number FROM stock a FULL JOIN stock b ON a.number = b.number + 1;

-- case: in branches of a union
SELECT name FROM users JOIN orders ON users.id = user_id UNION ALL SELECT country FROM cities JOIN users USING (city);

-- case: windows on one side
SELECT w.symbol, w.window_start, s.number FROM TUMBLE(trades, event_time, INTERVAL '1 minute') AS w
JOIN stock s ON s.item = w.symbol;
-- duckdb:
SELECT w.symbol, time_bucket(INTERVAL '1 minute', w.event_time) AS window_start, s.number FROM trades w
JOIN stock s ON s.item = w.symbol;

-- case: a right join with a join in parentheses that has a name, and columns that have others
SELECT i.country, x, i.id FROM users AS u(id, x) RIGHT JOIN (orders AS o JOIN cities USING (city)) AS i
ON i.user_id = u.id AND i.city = u.city;

-- case: natural, right, and a table to which no key leads
SELECT city, name, u.city AS ours, s.item FROM stock s, users u NATURAL RIGHT JOIN cities WHERE s.number > 1;

-- case: branches of OR that have a key in common
SELECT u.name, o.id FROM users u, orders o WHERE u.id = o.user_id AND u.age > 28 AND o.amount > 6
OR u.id = o.user_id AND u.city = 'oslo' OR o.user_id IS NULL AND u.id = o.user_id;
-- rows:
-- ann | 11
-- bob | 12
-- bob | 12

-- case: computed keys of an outer join that turns out to be none, and of a comma before it
SELECT u.name, t.item, o.id FROM users u CROSS JOIN stock t RIGHT JOIN orders o ON u.city = o.city AND t.number = o.id % 10
WHERE t.number + 1 = u.id;
