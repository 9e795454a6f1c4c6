-- table: orders (id BIGINT, customer VARCHAR, tags VARCHAR[], doc VARCHAR, place STRUCT(x BIGINT, y VARCHAR), _weight BIGINT)
-- 1 | ann | [a, b] | {"a":{"b":[1,2]},"s":"x"} | {'x': 1, 'y': p} | 1
-- 2 | bob | [] | {"a":null} | {'x': 2, 'y': q} | 1
-- 3 | ann | NULL | [1,2,3] | NULL | 1
-- 4 | NULL | [b, NULL] | {"s":"y","n":1.5} | {'x': 1, 'y': p} | 1
-- 2 | bob | [] | {"a":null} | {'x': 2, 'y': q} | -1
-- 5 | bob | [a, b] | 7 | {'x': 1, 'y': NULL} | 1
-- 6 | cy | [b, a] | NULL | {'x': 2, 'y': q} | 1
-- 6 | cy | [b, a] | NULL | {'x': 2, 'y': q} | -1
-- 7 | cy | [a] | {"a":{"b":[3]}} | {'x': 2, 'y': q} | 1
-- 8 | bob | [c, a, b] | "text" | {'x': 3, 'y': r} | 1

-- case: groups of lists
SELECT tags, count(*) AS n, sum(id) AS total FROM orders GROUP BY tags;

-- case: groups of structs
SELECT place, count(*) AS n FROM orders GROUP BY place;

-- case: different lists and structs
SELECT DISTINCT tags, place FROM orders;

-- case: lists and structs as keys of a join
SELECT o.id, p.id AS other FROM orders AS o JOIN orders AS p ON o.tags = p.tags AND o.place = p.place;

-- case: comparisons of lists
SELECT id, tags = ['a', 'b'] AS same, tags < ['b'] AS less, tags >= ['a', 'b'] AS more, tags IS DISTINCT FROM ['a'] AS other FROM orders;
-- duckdb:
SELECT id, tags = ['a', 'b'] AS same, tags < ['b'] AS less, tags >= ['a', 'b'] AS more, tags IS DISTINCT FROM ['a'] AS other FROM orders;

-- case: comparisons of structs
SELECT id, place = {'x': 1, 'y': 'p'} AS same, place < {'x': 2, 'y': 'a'} AS less FROM orders;

-- case: the first by an order of lists
SELECT id, tags FROM orders ORDER BY tags, id LIMIT 4;

-- case: extremes of lists and structs
SELECT customer, min(tags) AS least, max(place) AS most FROM orders GROUP BY customer;

-- case: lists of lists
SELECT customer, array_agg(tags ORDER BY id) AS all_tags FROM orders GROUP BY customer;

-- case: fields of structs
SELECT place.x AS x, orders.place.y AS y, (place).x + 1 AS more, place['y'] AS z FROM orders;
-- duckdb:
SELECT place.x AS x, place.y AS y, place.x + 1 AS more, place.y AS z FROM orders;

-- case: subscripts and slices
SELECT id, tags[1] AS first, tags[-1] AS last, tags[9] AS none, tags[2:] AS rest, tags[:1] AS head, tags[1:2] AS two FROM orders;

-- case: subscripts that are computed
SELECT id, tags[len(tags)] AS last, tags[id - 3] AS some FROM orders WHERE id > 3;

-- case: functions of arrays
SELECT id, len(tags) AS n, array_append(tags, 'z') AS appended, array_prepend('z', tags) AS prepended,
    list_contains(tags, 'a') AS has, list_position(tags, 'b') AS at_b, list_sort(tags, 'ASC', 'NULLS LAST') AS sorted, list_reverse(tags) AS reversed,
    list_has_any(tags, ['b', 'c']) AS any_of, list_has_all(tags, ['a', 'b']) AS all_of, flatten([tags, ['q']]) AS flat,
    list_min(tags) AS least, list_max(tags) AS most
FROM orders;
-- duckdb:
SELECT id, len(tags) AS n, list_append(tags, 'z') AS appended, list_prepend('z', tags) AS prepended,
    list_contains(tags, 'a') AS has, list_position(tags, 'b') AS at_b, list_sort(tags, 'ASC', 'NULLS LAST') AS sorted, list_reverse(tags) AS reversed,
    list_has_any(tags, ['b', 'c']) AS any_of, list_has_all(tags, ['a', 'b']) AS all_of, list_concat(coalesce(tags, []), ['q']) AS flat,
    list_min(tags) AS least, list_max(tags) AS most
FROM orders;

-- case: sums over arrays
SELECT id, list_sum([id, NULL, 2]) AS total, list_avg([id, 2]) AS mean, list_count([id, NULL]) AS n FROM orders;

-- case: ANY and ALL of arrays
SELECT id, 'a' = ANY(tags) AS one, 'a' <> ALL(tags) AS every, id > ANY(ARRAY[3, 4]) AS more, 'a' LIKE ANY(tags) AS alike FROM orders WHERE id = ANY('{1,3,4,5}'::BIGINT[]);
-- duckdb:
SELECT id, CASE WHEN tags IS NOT NULL THEN 'a' = ANY(tags) END AS one, CASE WHEN tags IS NOT NULL THEN 'a' <> ALL(tags) END AS every, id > 3 AS more,
    CASE WHEN id = 3 OR id = 4 THEN NULL ELSE true END AS alike FROM orders WHERE id IN (1, 3, 4, 5);

-- case: functions of elements
SELECT id, list_transform(tags, x -> x || id) AS made, list_filter(tags, x -> x > 'a') AS kept, [x || '!' FOR x IN tags IF x <> 'b'] AS comprehended FROM orders;
-- duckdb:
SELECT id, list_transform(tags, lambda x: x || id) AS made, list_filter(tags, lambda x: x > 'a') AS kept, list_transform(list_filter(tags, lambda x: x <> 'b'), lambda x: x || '!') AS comprehended FROM orders;

-- case: functions of elements and their positions
SELECT id, list_transform(tags, (x, i) -> i * 2) AS made FROM orders;
-- duckdb:
SELECT id, list_transform(tags, lambda x, i: i * 2) AS made FROM orders;

-- case: all fields of a struct
SELECT s.*, (s).*, id FROM (SELECT {'a': symbol, 'b': volume} AS s, price AS id FROM trades) AS t;
-- duckdb:
SELECT symbol AS a, volume AS b, symbol AS a_1, volume AS b_1, price AS id FROM trades;

-- case: all fields of a struct that is grouped by
SELECT (t.s).*, count(*) AS n FROM (SELECT {'a': symbol, 'b': volume > 100} AS s FROM trades) AS t GROUP BY s;
-- duckdb:
SELECT symbol AS a, volume > 100 AS b, count(*) AS n FROM trades GROUP BY symbol, volume > 100;

-- case: structs
SELECT id, {'id': id, 'name': customer} AS made, struct_insert(place, z := id) AS more, struct_pack(a := id).a AS a FROM orders WHERE place IS NOT NULL;

-- case: maps
SELECT id, MAP {customer: id}[customer] AS value, map_keys(MAP {'a': id}) AS keys, map_values(MAP(['a', 'b'], [id, 2])) AS vals, cardinality(MAP {'a': 1}) AS n
FROM orders WHERE customer IS NOT NULL;

-- case: groups of maps
SELECT MAP {'a': id % 2} AS m, count(*) AS n FROM orders GROUP BY MAP {'a': id % 2};

-- case: JSON's arrows
SELECT id, doc -> 'a' AS a, doc ->> 's' AS s, doc -> 'a' -> 'b' ->> 1 AS deep, doc -> 0 AS first, upper(doc ->> 's') AS upper FROM orders;
-- duckdb:
SELECT id, doc::JSON -> 'a' AS a, doc::JSON ->> 's' AS s, doc::JSON -> 'a' -> 'b' ->> 1 AS deep, doc::JSON -> 0 AS first, upper(doc::JSON ->> 's') AS upper FROM orders;

-- case: JSON's paths
SELECT id, json_extract(doc, '$.a.b[0]') AS path, json_extract_string(doc, '$.s') AS s, doc #>> '{a,b,0}' AS many, json_exists(doc, '$.a') AS there, json_value(doc, '$.n') AS n FROM orders;
-- duckdb:
SELECT id, json_extract(doc, '$.a.b[0]') AS path, json_extract_string(doc, '$.s') AS s, json_extract_string(doc, '$.a.b[0]') AS many, json_exists(doc, '$.a') AS there, json_extract_string(doc, '$.n') AS n FROM orders;

-- case: what JSON is
SELECT id, json_typeof(doc) AS kind, doc IS JSON OBJECT AS object, json_valid(doc) AS valid, doc::JSON @> '{"s":"x"}' AS has FROM orders;
-- duckdb:
SELECT id, CASE json_type(doc::JSON) WHEN 'VARCHAR' THEN 'string' WHEN 'UBIGINT' THEN 'number' ELSE lower(json_type(doc::JSON)) END AS kind,
    json_type(doc::JSON) = 'OBJECT' AS object, json_valid(doc) AS valid, json_contains(doc::JSON, '{"s":"x"}') AS has FROM orders;
-- rows:
-- 1 | object | True | True | True
-- 3 | array | False | True | False
-- 4 | object | True | True | False
-- 5 | number | False | True | False
-- 7 | object | True | True | False
-- 8 | string | False | True | False

-- case: JSON as other types
SELECT id, (doc -> 'n')::DOUBLE AS n, CAST(doc -> 'a' AS STRUCT(b BIGINT[])) AS nested, (doc ->> 's')::VARCHAR AS s FROM orders WHERE id <> 5;
-- duckdb:
SELECT id, (doc::JSON -> 'n')::DOUBLE AS n, CASE WHEN (doc::JSON -> 'a') <> 'null' THEN CAST(doc::JSON -> 'a' AS STRUCT(b BIGINT[])) END AS nested, doc::JSON ->> 's' AS s FROM orders WHERE id <> 5;

-- case: values as JSON
SELECT id, to_json(tags) AS tags, to_json(place) AS place, json_build_object('id', id, 'doc', doc::JSON, 'text', customer) AS made, json_build_array(id, tags) AS list FROM orders;
-- duckdb:
SELECT id, to_json(tags) AS tags, to_json(place) AS place, json_object('id', id, 'doc', doc::JSON, 'text', customer) AS made, json_array(id, tags) AS list FROM orders;

-- case: groups of JSON
SELECT doc::JSON AS doc, count(*) AS n, max(id) AS latest FROM orders GROUP BY doc::JSON;

-- case: JSON aggregates
SELECT customer, json_agg(id ORDER BY id DESC) AS ids, json_agg(tags ORDER BY id) FILTER (WHERE id > 1) AS tags FROM orders GROUP BY customer;
-- duckdb:
SELECT customer, to_json(list(id ORDER BY id DESC)) AS ids, to_json(list(tags ORDER BY id) FILTER (WHERE id > 1)) AS tags FROM orders GROUP BY customer;

-- case: JSON objects of groups
SELECT customer, json_object_agg(id, doc::JSON ORDER BY id) AS docs FROM orders GROUP BY customer;
-- duckdb:
SELECT customer, '{' || string_agg('"' || id || '":' || coalesce(doc, 'null'), ',' ORDER BY id) || '}' AS docs FROM orders GROUP BY customer;
-- rows:
-- None | {"4":{"s":"y","n":1.5}}
-- ann | {"1":{"a":{"b":[1,2]},"s":"x"},"3":[1,2,3]}
-- bob | {"5":7,"8":"text"}
-- cy | {"7":{"a":{"b":[3]}}}

-- case: UUIDs
SELECT u, count(*) AS n, min(v) AS least FROM (
    SELECT id, CAST('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1' || (id % 3) AS UUID) AS u, CAST('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1' || id AS UUID) AS v FROM orders
) AS s GROUP BY u;

-- case: an order of UUIDs
SELECT CAST('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1' || id AS UUID) AS u FROM orders ORDER BY u DESC LIMIT 3;

-- case: IN lists of constants
-- table: nested (id BIGINT, a BIGINT[], r STRUCT(x BIGINT, y VARCHAR))
-- 1 | [1] | {'x': 1, 'y': 'a'}
-- 2 | [1, NULL] | {'x': 1, 'y': NULL}
-- 3 | NULL | NULL
-- 4 | [] | {'x': NULL, 'y': 'a'}
SELECT id, a IN ([1], [1, NULL]) AS one, a NOT IN ([2], [1]) AS two, r IN ({'x': 1, 'y': 'a'}, {'x': 1, 'y': NULL}) AS three,
  json_build_array(id) IN ('[1]'::json, '[3]'::json) AS four FROM nested
-- duckdb:
SELECT id, a IN ([1], [1, NULL]) AS one, a NOT IN ([2], [1]) AS two, r IN ({'x': 1, 'y': 'a'}, {'x': 1, 'y': NULL}) AS three,
  json_array(id) IN ('[1]'::json, '[3]'::json) AS four FROM nested

-- case: an element of a list that is made of another
-- table: made (i BIGINT)
-- 1
-- 2
-- NULL
SELECT i, [x + 1 FOR x IN [i, 7]][2] AS one, [[x * 2 FOR x IN [i, 7] IF x > 1][1], 2] AS two FROM made

-- case: a map without entries is of the types that it is cast to
SELECT id, CAST(MAP {} AS MAP(VARCHAR, BIGINT)) AS m, cardinality(MAP {}) AS n FROM orders;

-- case: commas within braces part no arguments
SELECT customer, string_agg(CASE WHEN {'x': 1, 'y': id} IS NOT NULL THEN customer END, '-') AS names FROM orders GROUP BY customer;
