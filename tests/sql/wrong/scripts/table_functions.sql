-- 2:8 upto() is a table function
-- hint: write FROM table, LATERAL upto(...) AS u, and name its columns here
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT upto(n) FROM (VALUES (1, 'a')) AS t (n, s);

-- 2:51 upto() is a table function
-- hint: write FROM table, LATERAL upto(...) AS u, and name its columns here
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT 1 FROM (VALUES (1, 'a')) AS t (n, s) WHERE upto(n) IS NULL;

-- 2:12 upto() is a table function
-- hint: write FROM table, LATERAL upto(...) AS u, and name its columns here
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT max(upto(n)) FROM (VALUES (1, 'a')) AS t (n, s);

-- 2:54 'upt' behind LATERAL is no table function
-- hint: a subquery, UNNEST(...) or a function that RETURNS TABLE (...) may stand there
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT i FROM (VALUES (1, 'a')) AS t (n, s), LATERAL upt(n) AS u;

-- 2:46 no table function UPT
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT i FROM (VALUES (1, 'a')) AS t (n, s), upt(n) AS u;

-- 2:46 upto() takes (BIGINT), and is given (TEXT)
-- hint: cast it
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT i FROM (VALUES (1, 'a')) AS t (n, s), upto(s) AS u;

-- 2:46 upto() takes (BIGINT), and is given (BIGINT, BIGINT)
-- hint: cast it
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT i FROM (VALUES (1, 'a')) AS t (n, s), upto(n, 1) AS u;

-- 2:51 no column 'm' in 't'
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT i FROM (VALUES (1, 'a')) AS t (n, s), upto(m) AS u;

-- 2:10 no column 'j' in 'u'
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT u.j FROM (VALUES (1, 'a')) AS t (n, s), upto(n) AS u;

-- 2:57 'u' has 2 columns, and 3 names are given
-- hint: give a name to each column, or to the first ones
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT 1 FROM (VALUES (1, 'a')) AS t (n, s), upto(n) AS u (a, b, c);

-- 2:79 an outer, semi or anti join to UNNEST takes no condition but TRUE
-- hint: write LEFT JOIN LATERAL (SELECT ... FROM UNNEST(...) WHERE ...) ON TRUE
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT i FROM (VALUES (1, 'a')) AS t (n, s) LEFT JOIN LATERAL upto(n) AS u ON u.i > 1;

-- 2:63 a FULL JOIN has rows of its right side that stand alone, and this one names columns of its left
-- hint: use CROSS JOIN or LEFT JOIN
CREATE FUNCTION upto LANGUAGE PYTHON AS 'tests.user_functions:upto';
SELECT i FROM (VALUES (1, 'a')) AS t (n, s) FULL JOIN LATERAL upto(n) AS u ON TRUE;

-- 2:46 base() is no table function
-- hint: declare it so: RETURNS TABLE (x BIGINT), or udf.table
CREATE FUNCTION base(path VARCHAR) RETURNS VARCHAR LANGUAGE PYTHON AS 'posixpath:basename';
SELECT * FROM (VALUES (1, 'a')) AS t (n, s), base(s) AS u;

-- 2:54 'base' behind LATERAL is no table function
-- hint: a subquery, UNNEST(...) or a function that RETURNS TABLE (...) may stand there
CREATE FUNCTION base(path VARCHAR) RETURNS VARCHAR LANGUAGE PYTHON AS 'posixpath:basename';
SELECT * FROM (VALUES (1, 'a')) AS t (n, s), LATERAL base(s) AS u;

-- 1:44 a column that is returned needs a name and a type
-- hint: write RETURNS TABLE (x BIGINT)
CREATE FUNCTION f(n BIGINT) RETURNS TABLE (x) LANGUAGE PYTHON AS 'posixpath:basename';

-- 1:54 the column 'x' is declared twice
-- hint: leave one of them out, or name it otherwise
CREATE FUNCTION f(n BIGINT) RETURNS TABLE (x BIGINT, x BIGINT) LANGUAGE PYTHON AS 'posixpath:basename';

-- 1:43 syntax error: expected ( near 'BIGINT'
-- hint: write ( there
CREATE FUNCTION f(n BIGINT) RETURNS TABLE BIGINT LANGUAGE PYTHON AS 'posixpath:basename';

-- 1:27 an aggregate returns one value, not a table
-- hint: write RETURNS and a type
CREATE AGGREGATE FUNCTION f(n BIGINT) RETURNS TABLE (x BIGINT) LANGUAGE PYTHON AS 'posixpath:basename';

-- 1:17 the function is declared (BIGINT) -> TABLE (i BIGINT, square BIGINT) in Python
-- hint: leave the types out here
CREATE FUNCTION upto(n BIGINT) RETURNS TABLE (j BIGINT) LANGUAGE PYTHON AS 'tests.user_functions:upto';

-- 1:17 a function of kind 'scalar' has no option 'cached'
CREATE FUNCTION f(n BIGINT) RETURNS TABLE (x BIGINT) LANGUAGE PYTHON AS 'posixpath:basename' WITH (cached = 5);
