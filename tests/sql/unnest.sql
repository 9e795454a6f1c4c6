-- table: orders (id BIGINT, tags VARCHAR, n BIGINT)
-- 1 | a,b,b | 3
-- 2 | c | 1
-- 3 | NULL | 0
-- 4 | b,d | NULL
-- 4 | b,d | 2
-- table: names (tag VARCHAR, name VARCHAR)
-- a | apple
-- b | banana
-- d | date

-- case: a row for each element, by a comma, a cross join and LATERAL
SELECT id, x FROM orders, unnest(string_to_array(tags, ',')) AS u(x)
UNION ALL SELECT id, x FROM orders CROSS JOIN unnest(string_to_array(tags, ',')) AS u(x)
UNION ALL SELECT id, x FROM orders, LATERAL unnest(string_to_array(tags, ',')) AS u(x);

-- case: rows without elements stay by LEFT JOIN
SELECT id, x FROM orders LEFT JOIN unnest(string_to_array(tags, ',')) AS x ON true;
-- duckdb:
SELECT id, x FROM orders LEFT JOIN LATERAL (SELECT unnest(string_to_array(tags, ',')) AS x) AS u ON true;
-- rows:
-- 1 | a
-- 1 | b
-- 1 | b
-- 2 | c
-- 3 | None
-- 4 | b
-- 4 | b
-- 4 | d
-- 4 | d

-- case: numbered elements
SELECT id, x, n FROM (SELECT id, string_to_array(tags, ',') AS xs FROM orders) AS o
CROSS JOIN unnest(o.xs) WITH ORDINALITY AS u(x, n) WHERE n > 1;
-- duckdb:
SELECT id, x, n FROM (SELECT id, unnest(string_to_array(tags, ',')) AS x,
    generate_subscripts(string_to_array(tags, ','), 1) AS n FROM orders) WHERE n > 1;

-- case: several arrays side by side
SELECT id, x, y FROM orders, unnest(string_to_array(tags, ','), ARRAY[id, id + 1]) AS u(x, y);
-- duckdb:
SELECT id, unnest(string_to_array(tags, ',')) AS x, unnest([id, id + 1]) AS y FROM orders;

-- case: elements that are joined, and conditions on them
SELECT id, name FROM orders, unnest(string_to_array(tags, ',')) AS u(x) JOIN names ON tag = u.x WHERE x <> 'd' AND id > 1;

-- case: in the SELECT list, more than one
SELECT id, unnest(string_to_array(tags, ',')) AS x, unnest(ARRAY[1, 2]) AS y FROM orders;

-- case: in the SELECT list, of an aggregate
SELECT tag, unnest(array_agg(name ORDER BY name)) AS name FROM names GROUP BY tag;
-- duckdb:
SELECT tag, name FROM names;

-- case: groups by elements
SELECT unnest(string_to_array(tags, ',')) AS x, count(*) AS n FROM orders GROUP BY x HAVING count(*) > 1;

-- case: the first of the elements
SELECT DISTINCT unnest(string_to_array(tags, ',')) AS x FROM orders ORDER BY x DESC LIMIT 2;

-- case: structs have columns
SELECT id, tag, name FROM orders, unnest(ARRAY[struct_pack(tag := tags, name := 'x')]) AS u;
-- duckdb:
SELECT id, tags AS tag, 'x' AS name FROM orders;

-- case: an aggregate over elements
SELECT id, total, most FROM orders, LATERAL (SELECT sum(v) AS total, max(v) AS most FROM unnest(ARRAY[orders.id, orders.n]) AS u(v)) AS s;

-- case: an element of an array, asked by IN and EXISTS
SELECT id FROM orders WHERE 'b' IN (SELECT x FROM unnest(string_to_array(tags, ',')) AS u(x))
    AND EXISTS (SELECT 1 FROM unnest(ARRAY[n]) AS u(v) WHERE v > 1);
-- duckdb:
SELECT id FROM orders WHERE list_contains(string_to_array(tags, ','), 'b') AND n > 1;

-- case: an array without a table beside it
SELECT id, x, y FROM orders, unnest(ARRAY[1, 2, NULL]) AS u(x) LEFT JOIN unnest(ARRAY[2, 3]) AS v(y) ON v.y = u.x;
-- duckdb:
SELECT id, x, y FROM orders, (VALUES (1), (2), (NULL)) AS u(x) LEFT JOIN (VALUES (2), (3)) AS v(y) ON v.y = u.x;

-- case: series, constant and of each row
SELECT id, g, h FROM orders, generate_series(1, 10, 4) AS g, generate_series(1, n) AS s(h);
-- duckdb:
SELECT id, g, h FROM orders, generate_series(1, 10, 4) AS r(g), generate_series(1, n) AS s(h);

-- case: a series in the SELECT list
SELECT id, generate_series(1, n) AS g FROM orders;
-- duckdb:
SELECT id, unnest(generate_series(1, n)) AS g FROM orders;

-- case: series of times, by hours, days and months
SELECT id, d FROM orders, generate_series(TIMESTAMP '2024-01-31', TIMESTAMP '2024-06-30', INTERVAL '1 month') AS d WHERE id = 1
UNION ALL SELECT id, d FROM orders, generate_series(DATE '2024-03-01', DATE '2024-02-01', INTERVAL '-10 days') AS d WHERE id < 3
UNION ALL SELECT id, d FROM orders, range(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', INTERVAL '8 hours') AS d;
-- duckdb:
SELECT id, d FROM orders, generate_series(TIMESTAMP '2024-01-31', TIMESTAMP '2024-06-30', INTERVAL '1 month') AS s(d) WHERE id = 1
UNION ALL SELECT id, d FROM orders, generate_series(DATE '2024-03-01', DATE '2024-02-01', INTERVAL '-10 days') AS s(d) WHERE id < 3
UNION ALL SELECT id, d FROM orders, range(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', INTERVAL '8 hours') AS s(d);
