-- 1:14 syntax error: unexpected 'FORM'; did you mean FROM?
SELECT price FORM trades;

-- 1:13 syntax error: nothing follows the comma
-- hint: leave the comma out
SELECT price, FROM trades;

-- 1:26 syntax error: unexpected 'WHER'; did you mean WHERE?
SELECT price FROM trades WHER price > 1;

-- 1:25 syntax error: nothing follows the comma
-- hint: leave the comma out
SELECT price FROM trades,;

-- 1:38 syntax error: incomplete > near '>'
-- hint: something is missing before or after >
SELECT price FROM trades WHERE price >;

-- 1:32 >>(price, 1): '>>' does not take (DOUBLE, BIGINT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT price FROM trades WHERE price >> 1;

-- 1:38 syntax error: unexpected '=>'
-- hint: greater or equal is written >=
SELECT price FROM trades WHERE price => 1;

-- 1:38 syntax error: unexpected '=<'
-- hint: less or equal is written <=
SELECT price FROM trades WHERE price =< 1;

-- 1:38 syntax error: unexpected '!'
-- hint: write <> for different, and NOT for the opposite of a condition
SELECT price FROM trades WHERE price ! = 1;

-- 1:41 no column 'a' in 'trades'; known here
SELECT price FROM trades WHERE symbol = "a";

-- 1:41 syntax error: unexpected '`'
-- hint: names are quoted by "double quotes"; dialect='mysql' reads others
SELECT price FROM trades WHERE symbol = `a`;

-- 1:14 syntax error: unexpected '`'
-- hint: names are quoted by "double quotes"; dialect='mysql' reads others
SELECT `price` FROM trades;

-- 1:35 array(symbol) = 'a': 'a' is no array; write for example '{1,2}'
SELECT [price] FROM trades WHERE [symbol] = 'a';

-- 1:8 syntax error: unexpected '10'
-- hint: write LIMIT 10 at the end of the query, for example
SELECT TOP 10 price FROM trades;

-- 1:32 PERCENT or WITH TIES is not supported yet
-- hint: say how many rows are wanted: LIMIT 10
SELECT price FROM trades LIMIT 5 PERCENT;

-- 1:41 IS takes NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM, not 1
-- hint: write =, or IS [NOT] NULL | TRUE | FALSE | DISTINCT FROM value
SELECT price FROM trades WHERE price IS 1;

-- 1:46 syntax error: incomplete BETWEEN near '1'
-- hint: write BETWEEN low AND high
SELECT price FROM trades WHERE price BETWEEN 1;

-- 1:47 syntax error: incomplete BETWEEN near ','
-- hint: write BETWEEN low AND high
SELECT price FROM trades WHERE price BETWEEN 1, 2;

-- 1:38 syntax error: IN takes a list in parentheses
-- hint: write IN (1, 2)
SELECT price FROM trades WHERE price IN 1, 2;

-- 1:32 price IN (): the list is empty
-- hint: write the values: IN (1, 2)
SELECT price FROM trades WHERE price IN ();

-- 1:32 price IN ('a', 'b'): 'a' is no DOUBLE
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT price FROM trades WHERE price NOT IN ('a', 'b');

-- 1:32 symbol LIKE 5: 'like' does not take (TEXT, BIGINT); known here
-- hint: make it text: CAST(column AS TEXT) LIKE '1%'
SELECT price FROM trades WHERE symbol LIKE 5;

-- 1:32 price LIKE '1%': 'like' does not take (DOUBLE, TEXT); known here
-- hint: make it text: CAST(column AS TEXT) LIKE '1%'
SELECT price FROM trades WHERE price LIKE '1%';

-- 1:26 syntax error: nothing follows GROUP BY
-- hint: name what rows are grouped by
SELECT price FROM trades GROUP BY;

-- 1:29 syntax error: expected BY after GROUP near 'symbol'
-- hint: write GROUP BY
SELECT count(*) FROM trades GROUP symbol;

-- 1:1 GROUP BY ALL is not supported yet
-- hint: name the columns that rows are grouped by
SELECT symbol, count(*) FROM trades GROUP BY ALL;

-- 1:8 column 'symbol' must appear in GROUP BY or inside an aggregate; grouped by: []
-- hint: write it into GROUP BY, or any_value(column), for example
SELECT symbol, sum(price) FROM trades;

-- 1:55 syntax error: WHERE stands before GROUP BY, not behind it
-- hint: the order is WHERE, GROUP BY, HAVING, QUALIFY, ORDER BY, LIMIT
SELECT symbol s, count(*) FROM trades GROUP BY symbol WHERE price > 1;

-- 1:34 column 'price' must appear in GROUP BY or inside an aggregate; grouped by: []
-- hint: write it into GROUP BY, or any_value(column), for example
SELECT symbol FROM trades HAVING price > 1;

-- 1:60 no column 'n' in 'trades'; known here
SELECT symbol, count(*) FROM trades GROUP BY symbol HAVING n > 1;

-- 1:48 no column 'n' in 'trades'; known here
SELECT symbol, count(*) AS n FROM trades WHERE n > 1 GROUP BY symbol;

-- 1:29 count() takes one argument
-- hint: see docs/functions.md for its arguments
SELECT symbol, count(price, volume) FROM trades GROUP BY symbol;

-- 1:16 avg() needs an argument
-- hint: see docs/functions.md for its arguments
SELECT symbol, avg(*) FROM trades GROUP BY symbol;

-- 1:16 syntax error: sum() lacks an argument near ')'
-- hint: write sum(...) of a column, for example
SELECT symbol, sum() FROM trades GROUP BY symbol;

-- 1:16 syntax error: sum() takes 1 argument, not 2
-- hint: leave out what follows argument 1
SELECT symbol, sum(price, volume) FROM trades GROUP BY symbol;

-- 1:8 window functions (OVER) are not supported yet, except row_number()
-- hint: number rows with row_number(), or join the table with groups of itself
SELECT sum(price) OVER (PARTITION BY symbol) FROM trades;

-- 1:8 window functions (OVER) are not supported yet, except row_number()
-- hint: number rows with row_number(), or join the table with groups of itself
SELECT lag(price) OVER (ORDER BY event_time) FROM trades;

-- 1:8 row_number(): no function 'row_number'; did you mean 'to_number'?
SELECT row_number() FROM trades;

-- 1:8 the aggregate function 'rank' is not supported yet; known here
-- hint: write row_number() OVER (PARTITION BY a ORDER BY b)
SELECT rank() FROM trades;

-- 1:8 window functions (OVER) are not supported yet, except row_number()
-- hint: number rows with row_number(), or join the table with groups of itself
SELECT first_value(price) OVER w FROM trades;

-- 1:30 syntax error: incomplete WHERE near ')'
-- hint: something is missing before or after WHERE
SELECT count(*) FILTER (WHERE) FROM trades;

-- 1:40 syntax error: unexpected 'FROM'
-- hint: FROM cannot stand here; something may be missing before it
SELECT count(*) FILTER WHERE price > 1 FROM trades;

-- 1:1 SELECT needs at least one column, or *
-- hint: write SELECT *, or name what is wanted
SELECT DISTINCT FROM trades;

-- 1:1 SELECT needs at least one column, or *
-- hint: write SELECT *, or name what is wanted
SELECT DISTINCT ON symbol price FROM trades;

-- 1:10 syntax error: expected a table after 'FROM'
-- hint: write FROM table, or JOIN table ON condition
SELECT * FROM;

-- 1:9 syntax error: nothing follows the comma
-- hint: leave the comma out
SELECT *, FROM trades;

-- 1:13 syntax error: expected a table after 'WHERE'
-- hint: write FROM table, or JOIN table ON condition
SELECT FROM WHERE;

-- 1:8 no column 'trades' in 'trades'; known here
SELECT trades FROM trades;

-- 1:20 no table 't'; known here
SELECT trades FROM t;

-- 1:8 * stands alone in the SELECT list, or in count(*)
-- hint: write count(*), or the columns
SELECT * price FROM trades;

-- 1:11 syntax error: incomplete * near 'FROM'
-- hint: something is missing before or after *
SELECT t* FROM trades t;

-- 1:8 * stands for several columns, and takes no name
-- hint: write count(*), or the columns
SELECT t.* price FROM trades t;

-- 1:16 syntax error: unexpected 'q'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT price p q FROM trades;

-- 1:14 syntax error: nothing follows AS
-- hint: write expression AS name
SELECT price AS FROM trades;

-- 1:26 syntax error: nothing follows AS
-- hint: write expression AS name
SELECT price FROM trades AS;

-- 1:28 syntax error: unexpected 'u'
-- hint: a comma, an operator or a keyword may be missing before it
SELECT price FROM trades t u;

-- 1:19 tables have plain names here, not 'trades.trades'
-- hint: write the table's own name, without database or schema
SELECT price FROM trades.trades;

-- 1:26 syntax error: expected BY after ORDER near 'price'
-- hint: write ORDER BY
SELECT price FROM trades ORDER price LIMIT 1;

-- 1:41 syntax error: unexpected '1'
-- hint: leave it out, or see what is missing before it
SELECT price FROM trades ORDER BY LIMIT 1;

-- 1:41 syntax error: unexpected 'ASCENDING'; did you mean ASC?
SELECT price FROM trades ORDER BY price ASCENDING LIMIT 1;

-- 1:26 SORT BY is not supported yet
-- hint: ORDER BY ... LIMIT gives the first rows; partitions are divided by themselves
SELECT price FROM trades SORT BY price;

-- 1:26 syntax error: incomplete LIMIT near 'LIMIT'
-- hint: something is missing before or after LIMIT
SELECT price FROM trades LIMIT;

-- 1:32 LIMIT takes constants, not ten
-- hint: write a number: LIMIT 10
SELECT price FROM trades LIMIT ten;

-- 1:36 LIMIT takes constants, not volume
-- hint: write a number: LIMIT 10
SELECT price FROM trades LIMIT 1 + volume;

-- 1:1 expected SELECT ... FROM ...
-- hint: write SELECT ... FROM table
CASE price WHEN 1 THEN 2 END;

-- 1:31 syntax error: incomplete CASE near '2'
-- hint: write CASE WHEN condition THEN value ELSE value END
SELECT CASE price WHEN 1 THEN 2 FROM trades;

-- 1:28 syntax error: incomplete CASE near 'END'
-- hint: write CASE WHEN condition THEN value ELSE value END
SELECT CASE WHEN price > 1 END FROM trades;

-- 1:13 syntax error: incomplete CASE near 'END'
-- hint: write CASE WHEN condition THEN value ELSE value END
SELECT CASE END FROM trades;

-- 1:33 syntax error: incomplete CASE near 'ELSE'
-- hint: write CASE WHEN condition THEN value ELSE value END
SELECT CASE WHEN price > 1 THEN ELSE 2 END FROM trades;

-- 1:18 syntax error: unexpected ':'
-- hint: leave it out, or see what is missing before it
SELECT price ? 1 : 2 FROM trades;

-- 1:8 price && 1: '&&' does not take (DOUBLE, BIGINT); known here
-- hint: write AND between conditions
SELECT price && 1 FROM trades;

-- 1:8 price || 1: '||' does not take (DOUBLE, BIGINT); known here
-- hint: make one of them text: CAST(column AS TEXT) || ' ' || ..., or write OR between conditions
SELECT price || 1 FROM trades;

-- 1:40 price && volume: '&&' does not take (DOUBLE, BIGINT); known here
-- hint: write AND between conditions
SELECT price != NULL FROM trades WHERE price && volume;

-- 1:40 1 && volume: '&&' does not take (BIGINT, BIGINT); known here
-- hint: write AND between conditions
SELECT price FROM trades WHERE price > 1 && volume > 2;

-- 1:40 1 || volume: '||' does not take (BIGINT, BIGINT); known here
-- hint: make one of them text: CAST(column AS TEXT) || ' ' || ..., or write OR between conditions
SELECT price FROM trades WHERE price > 1 || volume > 2;

-- 1:33 NOT price: 'not' does not take (DOUBLE); known here
-- hint: write a condition: NOT (price > 1)
SELECT price FROM trades WHERE !price;

-- 1:42 syntax error: incomplete AND near 'AND'
-- hint: something is missing before or after AND
SELECT price FROM trades WHERE price > 1 AND;

-- 1:44 syntax error: incomplete AND near '1'
-- hint: something is missing before or after AND
SELECT price FROM trades WHERE AND price > 1;

-- 1:32 syntax error: incomplete NOT near 'NOT'
-- hint: something is missing before or after NOT
SELECT price FROM trades WHERE NOT;

-- 1:28 sql() takes one query, not 2 statements
-- hint: write one query; scripts may have several: penstock run file.sql
SELECT price FROM trades;; SELECT 1;

-- 1:27 sql() takes one query, not 2 statements
-- hint: write one query; scripts may have several: penstock run file.sql
SELECT price FROM trades; SELECT 1 FROM trades;

-- 1:16 syntax error: incomplete + near 'FROM'
-- hint: something is missing before or after +
SELECT price + FROM trades;

-- 1:16 syntax error: incomplete % near 'FROM'
-- hint: something is missing before or after %
SELECT price % FROM trades;

-- 1:15 syntax error: expected ) near 'FROM'
-- hint: it closes what line 1, column 8 opens
SELECT (price FROM trades;

-- 1:13 syntax error: unexpected ')': no parenthesis is open here
-- hint: leave it out, or open one before
SELECT price) FROM trades;

-- 1:17 syntax error: expected ) near 'FROM'
-- hint: it closes what line 1, column 8 opens
SELECT ((price) FROM trades;

-- 1:20 syntax error: expected ) near 'trades'
-- hint: it closes what line 1, column 19 opens
SELECT price FROM (trades;

-- 1:38 syntax error: expected ) near 'trades'
-- hint: it closes what line 1, column 19 opens
SELECT price FROM (SELECT price FROM trades;

-- 1:47 syntax error: unexpected ')': no parenthesis is open here
-- hint: leave it out, or open one before
SELECT price FROM (SELECT price FROM trades) t);

-- 1:18 syntax error: expected ) near 'FROM'
-- hint: it closes what line 1, column 11 opens
SELECT max(price FROM trades;

-- 1:17 syntax error: nothing follows the comma
-- hint: leave the comma out
SELECT max(price,) FROM trades;

-- 1:8 no column 'max' in 'trades'; known here
SELECT max price FROM trades;

-- 1:15 syntax error: expected } near 'FROM'
-- hint: it closes what line 1, column 8 opens
SELECT {price FROM trades;

-- 1:15 syntax error: expected ] near 'FROM'
-- hint: it closes what line 1, column 8 opens
SELECT [price FROM trades;

-- 1:46 missing the closing '
-- hint: a quote within quotes is written twice: 'it''s'
SELECT price FROM trades WHERE symbol = 'it's';

-- 1:8 missing the closing '
-- hint: a quote within quotes is written twice: 'it''s'
SELECT 'a FROM trades;

-- 1:14 missing the closing */
-- hint: a quote within quotes is written twice: 'it''s'
SELECT price /* comment FROM trades;

-- 1:8 no column 'price'; known here
SELECT price -- FROM trades;

-- 1:8 missing the closing $$
-- hint: a quote within quotes is written twice: 'it''s'
SELECT $$abc FROM trades;

-- 1:8 missing the closing '
-- hint: a quote within quotes is written twice: 'it''s'
SELECT E'abc FROM trades;

-- 1:8 1.2."3": 1.2 has type DECIMAL(2, 1); only structs have fields
-- hint: name a field of a struct, or take JSON apart with -> and ->>
SELECT 1.2.3 FROM trades;

-- 1:8 '1e' is no number
-- hint: write 1.5 or 1.5e3
SELECT 1e FROM trades;

-- 1:8 no column '0xZZ' in 'trades'; known here
SELECT 0xZZ FROM trades;

-- 1:8 xor(price, 1): 'xor' does not take (DOUBLE, BIGINT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT price # 1 FROM trades;

-- 1:8 is no parameter: they have names, and are given to sql()
-- hint: write :name, and sql(query, parameters={'name': value}, ...)
SELECT @price FROM trades;

-- 1:8 no value is given for the parameter :price; known here: []
-- hint: write sql(query, parameters={'price': ...}, ...)
SELECT :price FROM trades;

-- 1:8 is no parameter: they have names, and are given to sql()
-- hint: write :name, and sql(query, parameters={'name': value}, ...)
SELECT ? FROM trades;

-- 1:8 is no parameter: they have names, and are given to sql()
-- hint: write :name, and sql(query, parameters={'name': value}, ...)
SELECT %s FROM trades;

-- 1:41 syntax error: '’' is no quote of SQL
-- hint: write 'text' and "name" with straight quotes
SELECT price FROM trades WHERE symbol = ’a’;

-- 1:41 syntax error: '“' is no quote of SQL
-- hint: write 'text' and "name" with straight quotes
SELECT price FROM trades WHERE symbol = “a”;

-- 1:8 no column 'price，volume' in 'trades' ... did you mean 'volume'?
SELECT price，volume FROM trades;

-- 1:38 syntax error: unexpected '≥'
-- hint: write >=
SELECT price FROM trades WHERE price ≥ 1;

-- 1:38 syntax error: unexpected '≠'
-- hint: write <>
SELECT price FROM trades WHERE price ≠ 1;

-- 1:12 syntax error: two texts stand side by side
-- hint: write a comma or || between
SELECT 'a' 'b' FROM trades;

-- 1:8 syntax error: '1a' is no number
-- hint: write 1.5e3; before a name stands a blank
SELECT 1a FROM trades;

-- 1:14 syntax error: IN takes a list in parentheses
-- hint: write IN (1, 2)
SELECT price IN 1 FROM trades;

-- 1:27 syntax error: nothing follows PARTITION BY
-- hint: name columns, or leave it out
SELECT row_number() OVER (PARTITION BY) FROM trades;
