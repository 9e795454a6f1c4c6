-- table: t (a BIGINT, b VARCHAR)
-- 1 | xy
-- 3 | xyx
-- 3 | xyx
-- 0 | q
-- NULL | z
-- 2 | NULL

-- case: rows for each row
SELECT a, b, u.i, u.square FROM t, LATERAL upto(t.a) AS u;
-- duckdb:
SELECT a, b, i, i * i FROM t, unnest(range(1, a + 1)) AS u(i);

-- case: rows without any stay by LEFT JOIN LATERAL
SELECT a, n FROM t LEFT JOIN LATERAL upto(a) AS u(n) ON TRUE;
-- duckdb:
SELECT a, n FROM t LEFT JOIN LATERAL (SELECT unnest(range(1, a + 1)) AS n) AS u ON TRUE;

-- case: numbered rows, and conditions on them
SELECT a, i, number FROM t CROSS JOIN upto(a + 1) WITH ORDINALITY AS u(i, square, number) WHERE square > 3 AND a < 3;
-- duckdb:
SELECT a, i, i AS number FROM t, unnest(range(1, a + 2)) AS u(i) WHERE i * i > 3 AND a < 3;

-- case: of constants, beside a table
SELECT a, i FROM t JOIN upto(2) ON i = a;
-- duckdb:
SELECT a, a AS i FROM t WHERE a IN (1, 2);

-- case: as Flink writes it
SELECT b, letter FROM t, LATERAL TABLE(letters(b)) AS u(letter);
-- duckdb:
SELECT b, letter FROM t, unnest(list_distinct(string_split(b, ''))) AS u(letter);

-- case: one after the other, and groups
SELECT letter, sum(square) AS s, count(*) AS n FROM t, letters(b), upto(a) GROUP BY letter;
-- duckdb:
SELECT letter, sum(i * i), count(*) FROM t, unnest(list_distinct(string_split(b, ''))) AS u(letter), unnest(range(1, a + 1)) AS v(i) GROUP BY letter;

-- case: lists of structs, with NULLs
SELECT a, u.x, u.y FROM t LEFT JOIN LATERAL twice(a, b) AS u ON TRUE;
-- duckdb:
SELECT a, a AS x, b FROM t, range(2);

-- case: in subqueries
SELECT a, (SELECT max(square) FROM upto(t.a)) AS m FROM t WHERE EXISTS (SELECT 1 FROM letters(t.b) AS l WHERE l.letter = 'x');
-- duckdb:
SELECT a, a * a FROM t WHERE b LIKE '%x%';
