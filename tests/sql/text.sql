-- table: notes (id BIGINT, body VARCHAR, other VARCHAR, n BIGINT)
-- 1 | apple pie | a | 2
-- 2 | Żubr | u | -1
-- 3 | NULL | x | 3
-- 4 | a,b,,c | , | 2
-- 5 | hello world | o | NULL
-- 6 | hello world | NULL | 1
-- 7 | x1y22z333 | 2 | 3
-- 8 | O'Reilly | ' | -3
-- 9 | 日本語 | 語 | 1
-- 10 | https://user@example.org:8080/a/b?k=v&l=w#top | / | 4

-- case: text put together and taken apart
SELECT id, body || '-' || n AS a, concat(body, other, n) AS b, concat_ws('/', body, other) AS c, left(body, n) AS d, right(body, 2) AS e,
    split_part(body, ',', 2) AS f, replace(body, other, '*') AS g, lpad(body, 5, '*') AS h, reverse(body) AS i, upper(body) AS j,
    translate(body, 'aeo', 'AE') AS k, strpos(body, other) AS l, length(body) AS m, substring(body FROM 2 FOR 3) AS o
FROM notes;

-- case: groups by a function of text
SELECT left(body, 1) AS first, count(*) AS number, string_agg(other, '' ORDER BY other) AS others
FROM notes GROUP BY left(body, 1);

-- case: patterns as conditions
SELECT id FROM notes WHERE body LIKE '%l%' OR body ILIKE 'ż%' OR body SIMILAR TO '(a|b),%' OR body ~ '[0-9]{3}$';
-- duckdb:
SELECT id FROM notes WHERE body LIKE '%l%' OR body ILIKE 'ż%' OR regexp_full_match(body, '(a|b),.*') OR regexp_matches(body, '[0-9]{3}$');

-- case: parts at matches
SELECT id, regexp_replace(body, '([a-z])([a-z])', '\2\1', 'g') AS a, regexp_extract(body, '[a-z]+') AS b, regexp_like(body, 'O') AS c,
    regexp_count(body, '[a-z]') AS d, body !~* '^[HX]' AS e
FROM notes;
-- duckdb:
SELECT id, regexp_replace(body, '([a-z])([a-z])', '\2\1', 'g') AS a, regexp_extract(body, '[a-z]+') AS b, regexp_matches(body, 'O') AS c,
    len(regexp_extract_all(body, '[a-z]')) AS d, NOT regexp_matches(body, '^[HX]', 'i') AS e
FROM notes;

-- case: digests and codes
SELECT id, md5(body) AS a, sha256(body) AS b, encode(convert_to(body, 'UTF8'), 'hex') AS c, to_base64(convert_to(body, 'UTF8')) AS d, url_encode(body) AS e
FROM notes;
-- duckdb:
SELECT id, md5(body) AS a, sha256(body) AS b, lower(hex(body)) AS c, to_base64(encode(body)) AS d, url_encode(body) AS e
FROM notes;

-- case: choices
SELECT id, coalesce(other, body, '?') AS a, nullif(body, 'hello world') AS b, greatest(body, other) AS c, least(n, 1, NULL) AS d,
    CASE WHEN n > 1 THEN body ELSE other END AS e, nvl2(other, 1, 2) AS f, num_nulls(body, other, n) AS g
FROM notes;
-- duckdb:
SELECT id, coalesce(other, body, '?') AS a, nullif(body, 'hello world') AS b, greatest(body, other) AS c, least(n, 1, NULL) AS d,
    CASE WHEN n > 1 THEN body ELSE other END AS e, CASE WHEN other IS NOT NULL THEN 1 ELSE 2 END AS f,
    (body IS NULL)::INT + (other IS NULL)::INT + (n IS NULL)::INT AS g
FROM notes;

-- case: parts of URLs
SELECT id, url_extract_host(body) AS host, url_extract_port(body) AS port, parse_url(body, 'QUERY', 'l') AS l, url_extract_path(body) AS path
FROM notes WHERE body LIKE 'http%';
-- duckdb:
SELECT id, 'example.org' AS host, 8080 AS port, 'w' AS l, '/a/b' AS path FROM notes WHERE body LIKE 'http%';
