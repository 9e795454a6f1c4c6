-- 1:19 no type INTEGR
CREATE TABLE t (a INTEGR) WITH (connector = 'null');

-- 1:24 declared twice
CREATE TABLE t (a INT, a TEXT) WITH (connector = 'null');

-- 1:17 expected a column and its type
CREATE TABLE t (a) WITH (connector = 'null');

-- 1:17 UNIQUE is not supported
CREATE TABLE t (a INT UNIQUE) WITH (connector = 'null');

-- 1:24 UNIQUE is not supported
CREATE TABLE t (a INT, UNIQUE (a)) WITH (connector = 'null');

-- 1:17 nothing would check it
CREATE TABLE t (a INT REFERENCES b (a)) WITH (connector = 'null');

-- 1:37 PRIMARY KEY: no column 'b'
CREATE TABLE t (a INT, PRIMARY KEY (b));

-- 1:40 named twice
CREATE TABLE t (a INT, PRIMARY KEY (a, a));

-- 1:36 one PRIMARY KEY
CREATE TABLE t (a INT PRIMARY KEY, PRIMARY KEY (a));

-- 1:17 has no DEFAULT
CREATE TABLE t (a INT AS (1) DEFAULT 2);

-- 1:14 plain names
CREATE TABLE a.t (a INT);

-- 1:37 already
CREATE TABLE t (a INT); CREATE VIEW t AS SELECT 1;

-- 1:34 given twice
CREATE TABLE t WITH (path = 'a', path = 'b');

-- 1:27 expected = after the option 'path'
CREATE TABLE t WITH (path 'a');

-- 1:36 the column itself
CREATE TABLE t (WATERMARK FOR a AS b - INTERVAL '1 second');

-- 1:40 no fixed length
CREATE TABLE t (WATERMARK FOR a AS a - INTERVAL '1 month');

-- 1:39 one watermark
CREATE TABLE t (WATERMARK FOR a AS a, WATERMARK FOR a AS a);

-- 1:13 expected AS and a query
CREATE VIEW v;

-- 1:8 expected CREATE TABLE, CREATE SOURCE, CREATE SINK
CREATE INDEX i;

-- 1:1 DELETE is no statement of a script
DELETE FROM t;

-- 1:12 no table or view 't'
DROP TABLE t;

-- 1:6 expected DROP TABLE
DROP INDEX t;

-- 1:39 'v' is a view
CREATE VIEW v AS SELECT 1; DROP TABLE v;

-- 1:5 did you mean 'partitions'
SET partition = 3;

-- 1:5 is a whole number, not 'many'
SET partitions = many;

-- 1:5 is a whole number, not '0'
SET partitions = 0;

-- 1:5 is one of
SET topology = round;

-- 1:16 expected = after SET partitions
SET partitions 3;

-- 1:7 did you mean 'partitions'
RESET partition;

-- 1:15 did you mean 'mysql'
SET dialect = 'mysq'; SELECT 1;

-- 1:6 did you mean 'TABLES'
SHOW TABELS;

-- 1:10 no table or view 't'
DESCRIBE t;

-- 1:14 DESCRIBE tells the columns
SHOW COLUMNS FROM t;

-- 1:9 EXPLAIN runs nothing
EXPLAIN ANALYZE SELECT 1;

-- 1:15 no function 'f'
DROP FUNCTION f;

-- 1:30 a condition must
CREATE TABLE t (a INT CHECK (a + 1)) WITH (connector = 'null'); INSERT INTO t SELECT 1;

-- 1:42 columns of one row
CREATE TABLE t (a INT CHECK (a > (SELECT 1))) WITH (connector = 'null');

-- 1:29 columns of one row
CREATE TABLE t (a INT, b AS max(a)) WITH (connector = 'null');

-- 1:38 'x'
CREATE TABLE t (a INT, b INT DEFAULT 'x') WITH (connector = 'null'); INSERT INTO t (a) SELECT 1;

-- 1:38 constants
CREATE TABLE t (a INT, b INT DEFAULT a) WITH (connector = 'null'); INSERT INTO t (a) SELECT 1;

-- 1:63 named twice
CREATE TABLE t (a INT) WITH (connector = 'null'); INSERT INTO t (a, a) SELECT 1, 2;

-- 1:9 expected a query or an INSERT after EXPLAIN
EXPLAIN CREATE VIEW v AS SELECT 1;

-- 1:73 's' is a source
CREATE SOURCE s (a INT) WITH (connector = 'null'); INSERT INTO s SELECT 1;

-- 1:13 's' is a sink
CREATE SINK s (a INT) WITH (connector = 'null'); SELECT a FROM s;

-- 1:24 is computed
CREATE TABLE o (a INT, b AS a + 1) WITH (connector = 'null'); INSERT INTO o SELECT 1;

-- 1:13 no table 't'
INSERT INTO t SELECT 1;

-- 1:45 DEFAULT
CREATE TABLE out WITH (connector = 'null'); INSERT INTO out DEFAULT VALUES;

-- 1:39 syntax error: expected AS after WATERMARK FOR column
CREATE TABLE t (a INT, WATERMARK FOR a);

-- 1:35 syntax error: expected ( near ')'
CREATE TABLE t (a INT, PRIMARY KEY);

-- 1:36 a table has one PRIMARY KEY
CREATE TABLE t (a INT PRIMARY KEY, b INT PRIMARY KEY);

-- 1:30 syntax error: expected ( near 'a'
CREATE TABLE t (a INT, CHECK a > 1);

-- 1:17 COLLATE "C" is not supported: nothing would check it
CREATE TABLE t (a INT COLLATE "C");

-- 1:29 a computed column is computed from the columns of one row, not from ROW_NUMBER() OVER (ORDER BY a)
CREATE TABLE t (a INT, b AS row_number() OVER (ORDER BY a));

-- 1:19 DECIMAL(50, 2): a decimal has 1 to 38 digits, at most that many after the point
CREATE TABLE t (a DECIMAL(50, 2));

-- 1:14 syntax error: expected a table after '('
CREATE TABLE (a INT);

-- 1:19 syntax error: expected ) near 'INT'
CREATE TABLE t (a INT;

-- 1:14 the option 'connector' is missing
CREATE TABLE t AS SELECT 1;

-- 1:21 syntax error: expected CREATE TABLE, CREATE SOURCE, CREATE SINK, CREATE VIEW, CREATE MATERIALIZED VIEW or CREATE FUNCTION
CREATE MATERIALIZED TABLE t (a INT);

-- 1:26 syntax error: expected AS and a query
CREATE MATERIALIZED VIEW v;

-- 1:13 2 names for 1 columns: ['column']
CREATE VIEW v (a, b) AS SELECT 1;

-- 1:18 expected SELECT ... FROM ...
CREATE VIEW v AS INSERT INTO t SELECT 1;

-- 1:32 no table 'nowhere'; known here: []
CREATE VIEW v AS SELECT x FROM nowhere;

-- 1:58 there is a table or view 'v' already
CREATE VIEW v AS SELECT 1 AS a; CREATE MATERIALIZED VIEW v AS SELECT 2;

-- 1:52 's' has 1 columns ['a'], the query 2: ['column', 'column_2']
CREATE SINK s (a INT) WITH (connector = 'null') AS SELECT 1, 2;

-- 1:13 the option 'format' is missing
CREATE SINK s (a INT) WITH (connector = 'files', path = 'out/'); INSERT INTO s SELECT 1;

-- 1:41 dead letters need a table that they go to; write dead_letters = 'table' as well
CREATE SINK s WITH (connector = 'null', on_error = 'dead_letter'); INSERT INTO s SELECT 1;

-- 1:41 no table 'lost'; known here: ['s']
CREATE SINK s WITH (connector = 'null', dead_letters = 'lost'); INSERT INTO s SELECT 1;

-- 1:13 the dead letters of 's' would come back to it
CREATE SINK s WITH (connector = 'null', dead_letters = 's'); INSERT INTO s SELECT '1', '2', '3', '4';

-- 1:41 the option 'writers' is a whole number, not 'two'
CREATE SINK s WITH (connector = 'null', writers = 'two'); INSERT INTO s SELECT 1;

-- 1:62 's' has no column 'b'; known here: ['a']
CREATE SINK s (a INT) WITH (connector = 'null'); INSERT INTO s (b) SELECT 1;

-- 1:62 1 names for 2 columns: ['column', 'column_2']
CREATE SINK s (a INT) WITH (connector = 'null'); INSERT INTO s (a) SELECT 1, 2;

-- 1:87 's' is given 1 columns by an INSERT before
CREATE SINK s WITH (connector = 'null'); INSERT INTO s SELECT 1; INSERT INTO s SELECT 1, 2;

-- 1:42 INSERT OVERWRITE is not supported
CREATE SINK s WITH (connector = 'null'); INSERT OVERWRITE s SELECT 1;

-- 1:42 INSERT CONFLICT is not supported
CREATE SINK s WITH (connector = 'null'); INSERT INTO s SELECT 1 ON CONFLICT DO NOTHING;

-- 1:42 INSERT RETURNING is not supported
CREATE SINK s WITH (connector = 'null'); INSERT INTO s SELECT 1 RETURNING a;

-- 1:13 no table 't'; known here: []
INSERT INTO t;

-- 1:5 the setting 'grace' is a duration such as '10s', not 'soon'
SET grace = 'soon';

-- 1:5 the setting 'commit_every' is a duration such as '10s', not '-1'
SET commit_every = -1;

-- 1:5 the setting 'prefetch' is a whole number, not '-1'
SET prefetch = -1;

-- 1:5 syntax error: expected = after SET partitions
SET partitions;

-- 1:1 syntax error: expected the name of a setting, or ALL,
RESET;

-- 1:1 syntax error: expected what to show: SHOW TABLES, for example
SHOW;

-- 1:6 nothing to SHOW is called 'GRANTS'
SHOW GRANTS;

-- 1:17 no column 'nothing'; known here: []
DESCRIBE SELECT nothing;

-- 1:16 no column 'nothing'; known here: []
EXPLAIN SELECT nothing;

-- 1:30 no table 't'; known here: []
EXPLAIN PHYSICAL INSERT INTO t SELECT 1;

-- 1:9 syntax error: expected a query or an INSERT after EXPLAIN [LOGICAL | PHYSICAL]
EXPLAIN DROP TABLE t;

-- 1:13 syntax error: unexpected ','
DROP TABLE a, b;

-- 1:14 syntax error: DROP takes neither CASCADE nor RESTRICT here
DROP TABLE t CASCADE;

-- 1:38 no table or view 'w'; known here: ['v']
CREATE VIEW v AS SELECT 1; DROP VIEW w;

-- 1:1 UPDATE is no statement of a script
UPDATE t SET a = 1;

-- 1:1 MERGE is no statement of a script
MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE;

-- 1:1 ALTER is no statement of a script
ALTER TABLE t ADD COLUMN b INT;

-- 1:1 TRUNCATE is no statement of a script
TRUNCATE TABLE t;

-- 1:1 BEGIN is no statement of a script
BEGIN;

-- 1:1 syntax error: VACUUM is not supported
VACUUM t;

-- 1:1 COPY is no statement of a script
COPY t FROM 'file';

-- 1:1 USE is no statement of a script
USE db;

-- 1:34 no type a; known here: ['BIGINT', 'BOOLEAN', 'BYTEA', 'DATE', 'DECIMAL(p, s)', 'DOUBLE', 'INT', 'INTERVAL', 'JSON', 'MAP<type, type>', 'REAL', 'SMALLINT', 'STRUCT<name type, ...>', 'TEXT', 'TIME', 'TIMESTAMP', 'TIMESTAMP(3)', 'TIMESTAMPTZ', 'TINYINT', 'UUID', '... 2 more']
CREATE TABLE t (a INT, WATERMARK a AS a);

-- 3:8 CAST('b' AS INTEGER) ... 'b'
CREATE TABLE t (n INT, s TEXT) WITH (connector = 'null');
INSERT INTO t
SELECT 'b' AS b, 'x' AS x;

-- 3:2 CAST(100000 AS SMALLINT) ... not in range
CREATE TABLE t (n SMALLINT, s TEXT) WITH (connector = 'null');
INSERT INTO t VALUES (1, 'a'),
(100000, 'b');

-- 2:23 CAST('b' AS INTEGER) ... 'b'
CREATE TABLE t (n INT, s TEXT) WITH (connector = 'null');
INSERT INTO t VALUES ('b', 'a');

-- 2:35 CAST('b' AS INTEGER) ... 'b'
CREATE TABLE t (n INT, s TEXT) WITH (connector = 'null');
INSERT INTO t (s, n) VALUES ('a', 'b');

-- 1:14 'f': event time column 'dep_delay' has type BIGINT; it must be a timestamp
-- hint: declare it TIMESTAMP
CREATE TABLE f (dep_delay BIGINT, WATERMARK FOR dep_delay AS dep_delay) WITH (connector = 'files', path = 'examples/data/flights_2013_01.csv.gz', format = 'csv', nulls = 'NA');
SELECT * FROM f;

-- 2:22 CAST(1 AS DATE): BIGINT cannot be cast to DATE
CREATE TABLE y (a DATE) WITH (connector = 'null');
INSERT INTO y SELECT 1;
