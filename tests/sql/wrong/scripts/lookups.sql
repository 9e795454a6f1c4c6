-- 3:15 has no rows to read: it is asked for the row of a key
-- hint: write FROM t JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.id
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT * FROM users;

-- 3:80 has no rows to read
-- hint: write FROM t JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.id
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN users AS u ON u.id = t.n;

-- 3:104 has no rows to read
-- hint: write FROM t JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.id
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) WHERE t.n IN (SELECT id FROM users);

-- 3:39 has no rows to read
-- hint: write FROM t JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.id
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
CREATE VIEW named AS SELECT name FROM users;

-- 3:15 is looked up for each row to its left, and there is none
-- hint: write FROM t JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON ...
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT * FROM users FOR SYSTEM_TIME AS OF PROCTIME() AS u;

-- 3:79 there is none in these parentheses
-- hint: write the JOIN to it without parentheses
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT 1 FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN (users FOR SYSTEM_TIME AS OF PROCTIME() AS u CROSS JOIN (VALUES (1)) AS v (x)) ON u.id = n;

-- 3:80 is looked up by its key ['id'], and ON does not say what 'id' equals
-- hint: write ON u.id = t.id, with columns of the left
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.name = t.s;

-- 3:76 ON does not say what 'id' equals
-- hint: write ON u.id = t.id, with columns of the left
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at), users FOR SYSTEM_TIME AS OF PROCTIME() AS u WHERE u.id = t.n;

-- 3:80 ON does not say what 'id' equals
-- hint: write ON u.id = t.id, with columns of the left
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.n OR u.id = 1;

-- 3:86 is looked up by each row to its left, not by RIGHT JOIN
-- hint: write JOIN or LEFT JOIN
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) RIGHT JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.n;

-- 3:85 not by FULL JOIN
-- hint: write JOIN or LEFT JOIN
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) FULL JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.n;

-- 3:85 not by ANTI JOIN
-- hint: write JOIN or LEFT JOIN
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) ANTI JOIN users FOR SYSTEM_TIME AS OF PROCTIME() AS u ON u.id = t.n;

-- 3:108 takes a time; this has type BIGINT
-- hint: write FOR SYSTEM_TIME AS OF PROCTIME(), or the time of the rows to its left
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN users FOR SYSTEM_TIME AS OF t.n AS u ON u.id = t.n;

-- 3:108 is looked up as it is now, not as of CURRENT_TIMESTAMP
-- hint: write FOR SYSTEM_TIME AS OF PROCTIME(), or the time of the rows to its left
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN users FOR SYSTEM_TIME AS OF now() AS u ON u.id = t.n;

-- 3:104 is looked up as it is now
-- hint: write FOR SYSTEM_TIME AS OF PROCTIME(), or the time of the rows to its left
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN users FOR VERSION AS OF 3 AS u ON u.id = t.n;

-- 3:110 no column 'att'
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN users FOR SYSTEM_TIME AS OF t.att AS u ON u.id = t.n;

-- 3:128 'id' of 'users' has type BIGINT, and is asked for by TEXT
-- hint: write CAST(... AS BIGINT)
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN users FOR SYSTEM_TIME AS OF t.at AS u ON u.id = t.s;

-- 3:158 a subquery in ON of a LEFT JOIN to a table that is looked up is not supported yet
-- hint: put it into a subquery in FROM to the left, and name its column here
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) LEFT JOIN users FOR SYSTEM_TIME AS OF t.at AS u ON u.id = t.n AND u.name = (SELECT max(x) FROM (VALUES ('a')) AS v (x));

-- 2:140 FOR SYSTEM_TIME AS OF is not supported yet
-- hint: join without it: a join follows the changes of both sides; or declare the table WITH (connector = 'lookup')
CREATE VIEW w AS SELECT 1 AS id;
SELECT t.n FROM (VALUES (1, 'a', TIMESTAMP '2024-01-01')) AS t (n, s, at) JOIN (VALUES (1)) AS v (id) ON true JOIN w FOR SYSTEM_TIME AS OF t.at AS u ON u.id = t.n;

-- 2:7 does not write
CREATE TABLE users (id BIGINT PRIMARY KEY, name VARCHAR)
WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
INSERT INTO users SELECT 1, 'a';

-- 1:67 'tests.lookup_functions:blocking' is not async
-- hint: write async def, and await trio.to_thread.run_sync(ask, key) in it where the driver blocks
CREATE TABLE u (a BIGINT PRIMARY KEY) WITH (connector = 'lookup', function = 'tests.lookup_functions:blocking');
SELECT u.a FROM (VALUES (1)) AS t (n) JOIN u FOR SYSTEM_TIME AS OF PROCTIME() ON u.a = t.n;

-- 1:14 the option 'function' is missing
-- hint: WITH (function = '...', ...)
CREATE TABLE u (a BIGINT PRIMARY KEY) WITH (connector = 'lookup');
SELECT u.a FROM (VALUES (1)) AS t (n) JOIN u FOR SYSTEM_TIME AS OF PROCTIME() ON u.a = t.n;

-- 1:78 has no function 'usr'
CREATE TABLE u (a BIGINT PRIMARY KEY) WITH (connector = 'lookup', function = 'tests.lookup_functions:usr');
SELECT u.a FROM (VALUES (1)) AS t (n) JOIN u FOR SYSTEM_TIME AS OF PROCTIME() ON u.a = t.n;

-- 1:14 it has columns and a PRIMARY KEY
-- hint: declare them: (id BIGINT PRIMARY KEY, ...)
CREATE TABLE u (a BIGINT) WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT u.a FROM (VALUES (1)) AS t (n) JOIN u FOR SYSTEM_TIME AS OF PROCTIME() ON u.a = t.n;

-- 1:39 it has no computed columns, conditions, defaults or watermark
-- hint: leave it out; compute it in the query, or in the function
CREATE TABLE u (a BIGINT PRIMARY KEY, b TEXT NOT NULL) WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT u.a FROM (VALUES (1)) AS t (n) JOIN u FOR SYSTEM_TIME AS OF PROCTIME() ON u.a = t.n;

-- 1:39 it has no computed columns
-- hint: leave it out; compute it in the query, or in the function
CREATE TABLE u (a BIGINT PRIMARY KEY, b AS a + 1) WITH (connector = 'lookup', function = 'tests.lookup_functions:user');
SELECT u.a FROM (VALUES (1)) AS t (n) JOIN u FOR SYSTEM_TIME AS OF PROCTIME() ON u.a = t.n;

-- 1:109 says how long rows are remembered, and nothing how many
-- hint: add cache_rows = 10000
CREATE TABLE u (a BIGINT PRIMARY KEY) WITH (connector = 'lookup', function = 'tests.lookup_functions:user', cache_seconds = 5);
SELECT u.a FROM (VALUES (1)) AS t (n) JOIN u FOR SYSTEM_TIME AS OF PROCTIME() ON u.a = t.n;

-- 1:109 concurrency is at least 1, not 0
-- hint: leave it out, for 64
CREATE TABLE u (a BIGINT PRIMARY KEY) WITH (connector = 'lookup', function = 'tests.lookup_functions:user', concurrency = 0);
SELECT u.a FROM (VALUES (1)) AS t (n) JOIN u FOR SYSTEM_TIME AS OF PROCTIME() ON u.a = t.n;

-- 1:109 has no option 'cached' here
CREATE TABLE u (a BIGINT PRIMARY KEY) WITH (connector = 'lookup', function = 'tests.lookup_functions:user', cached = 5);
SELECT u.a FROM (VALUES (1)) AS t (n) JOIN u FOR SYSTEM_TIME AS OF PROCTIME() ON u.a = t.n;
