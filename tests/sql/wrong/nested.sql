-- 1:9 array(price) + 1: '+' does not take (DOUBLE[], BIGINT)
SELECT [price] + 1 FROM trades;

-- 1:9 list_element(list_element(array(symbol), 1), 2): 'list_element' does not take (TEXT, BIGINT)
SELECT [symbol][1][2] FROM trades;

-- 1:14 struct_pack('a', price).b: no field 'b'
SELECT {'a': price}.b FROM trades;

-- 1:14 list_element(struct_pack('a', price), 'b'): no field 'b'
SELECT {'a': price}['b'] FROM trades;

-- 1:8 list_element(map(array('a'), array(price)), 1): 'list_element' does not take (MAP<TEXT, DOUBLE>, BIGINT)
SELECT MAP {'a': price}[1] FROM trades;

-- 1:14 array(1, symbol, TRUE): 'array' does not take (BIGINT, TEXT, BOOLEAN)
SELECT ARRAY[1, symbol, true] FROM trades;

-- 1:9 array(symbol) = array(1): '=' does not take (TEXT[], BIGINT[])
SELECT [symbol] = [1] FROM trades;

-- 1:8 '=' does not take (DOUBLE, TEXT)
SELECT price = ANY([symbol]) FROM trades;

-- 1:8 price = ANY (volume): volume has type BIGINT; it must be an array
SELECT price = ANY(volume) FROM trades;

-- 1:8 random UUIDs are not supported: a row that is taken back must be the one that was given out
SELECT gen_random_uuid() FROM trades;

-- 1:8 x + 1: '+' does not take (TEXT, BIGINT)
SELECT list_transform([symbol], x -> x + 1) FROM trades;

-- 1:38 no column 'y' in 'trades'
SELECT list_transform([symbol], x -> y) FROM trades;

-- 1:8 list_transform(price, x -> x): price has type DOUBLE; it must be a list
SELECT list_transform(price, x -> x) FROM trades;

-- 1:8 list_transform(array(symbol), (a, b, c) -> a): the function takes an element and its position
SELECT list_transform([symbol], (a, b, c) -> a) FROM trades;

-- 1:8 x: a condition must be a boolean, and this has type TEXT
SELECT list_filter([symbol], x -> x) FROM trades;

-- 1:8 list_reduce() of a function is not supported
SELECT list_reduce([symbol], (x, y) -> x || y) FROM trades;

-- 1:8 paths with others than names and numbers are not supported
SELECT json_extract(symbol, '$.a[*]') FROM trades;

-- 1:8 (symbol -> 'a') -> array(symbol): '->' does not take
SELECT symbol -> 'a' -> [symbol] FROM trades;

-- 1:8 symbol ? price: '?' does not take (TEXT, DOUBLE)
SELECT symbol ? price FROM trades;

-- 1:8 symbol @> array(symbol): '@>' does not take (TEXT, TEXT[])
SELECT symbol @> [symbol] FROM trades;

-- 1:8 CAST(price AS UUID)
SELECT CAST(price AS UUID) FROM trades;

-- 1:8 CAST(array(symbol) AS BIGINT): TEXT[] cannot be cast to BIGINT
SELECT CAST([symbol] AS BIGINT) FROM trades;

-- 1:8 CAST(struct_pack('a', 1) AS BIGINT[]): STRUCT<a BIGINT> cannot be cast to BIGINT[]
SELECT CAST({'a': 1} AS BIGINT[]) FROM trades;

-- 1:8 struct_pack('a', 1, 'a', price): a struct's fields have different names
SELECT struct_pack(a := 1, a := price) FROM trades;

-- 1:8 struct_insert(struct_pack('a', price), 'a', 2): the struct has a field 'a' already
SELECT struct_insert({'a': price}, a := 2) FROM trades;

-- 1:8 json_build_object('a', 1, 'b'): 'json_build_object' does not take (TEXT, BIGINT, TEXT)
SELECT json_build_object('a', 1, 'b') FROM trades;

-- 1:21 (struct).* stands alone in the SELECT list
-- hint: name the fields: (s).a, (s).b
SELECT count(({'a': price}).*) FROM trades;

-- 1:8 symbol has type TEXT; only structs have fields
-- hint: write its name alone
SELECT symbol.* FROM trades;

-- 1:16 slices with steps are not supported
SELECT [price][1:2:3] FROM trades;

-- 1:8 array_append(array(symbol), 1): 'array_append' does not take (TEXT[], BIGINT)
SELECT array_append([symbol], 1) FROM trades;

-- 1:8 flatten(array(symbol)): 'flatten' does not take (TEXT[])
SELECT flatten([symbol]) FROM trades;

-- 1:8 list_sum(array(symbol)): 'list_sum' does not take (TEXT[])
SELECT list_sum([symbol]) FROM trades;

-- 1:8 list_sort(array(symbol), 'UP'): 'list_sort' does not take (TEXT[], TEXT)
SELECT list_sort([symbol], 'UP') FROM trades;

-- 1:8 map_from_entries(array(symbol)): 'map_from_entries' does not take (TEXT[])
SELECT map_from_entries([symbol]) FROM trades;

-- 1:32 syntax error: json_agg() takes one argument
SELECT json_agg(price, volume) FROM trades;

-- 1:31 syntax error: json_object_agg() takes a name and a value
SELECT json_object_agg(price) FROM trades;

-- 1:8 json_typof(symbol): no function 'json_typof' ... did you mean 'json_typeof'?
SELECT json_typof(symbol) FROM trades;

-- 1:8 IS JSON WITH UNIQUE KEYS is not supported
SELECT symbol IS JSON WITH UNIQUE KEYS FROM trades;

-- 1:8 sum() of DOUBLE[]; its argument must be a number
SELECT sum([price]) FROM trades;

-- 1:8 array_length(price, 1): 'array_length' does not take (DOUBLE, BIGINT)
SELECT array_length(price, 1) FROM trades;

-- 1:8 cardinality(symbol): 'cardinality' does not take (TEXT)
SELECT cardinality(symbol) FROM trades;

-- 1:15 no table function JSON_EACH; known here
-- hint: declare a table: CREATE TABLE ... WITH (connector = 'files', path = ...)
SELECT * FROM json_each(symbol);

-- 1:14 struct_pack('a', price).c: no field 'c'; known here
-- hint: name a field of a struct, or take JSON apart with -> and ->>
SELECT {'a': price}.c FROM trades;

-- 1:13 syntax error: expected } near 'price'
-- hint: it closes what line 1, column 8 opens
SELECT {'a' price} FROM trades;

-- 1:8 list_element(price, 1): 'list_element' does not take (DOUBLE, BIGINT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT price[1] FROM trades;

-- 1:8 list_element(symbol, 'a'): 'list_element' does not take (TEXT, TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT symbol['a'] FROM trades;

-- 1:9 list_element(array(price), 'a'): 'a' is no BIGINT
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT [price]['a'] FROM trades;

-- 1:19 syntax error: expected ] near 'FROM'
-- hint: it closes what line 1, column 13 opens
SELECT ARRAY[1, 2 FROM trades;

-- 1:8 array_lenght(array(price), 1): no function 'array_lenght'; did you mean 'array_length'?
SELECT array_lenght([price], 1) FROM trades;

-- 1:8 list_contains(price, 1): 'list_contains' does not take (DOUBLE, BIGINT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT list_contains(price, 1) FROM trades;

-- 1:8 array_position(array(price), 'a'): 'a' is no DOUBLE
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT array_position([price], 'a') FROM trades;

-- 1:8 array(1, 'b'): 'b' is no BIGINT
-- hint: compare with a value of the column's type, or cast the column: CAST(column AS TEXT)
SELECT MAP {1: 'a', 'b': 2} FROM trades;

-- 1:8 map_keys(symbol): 'map_keys' does not take (TEXT); known here
-- hint: cast what has another type: CAST(column AS type)
SELECT map_keys(symbol) FROM trades;

-- 1:19 syntax error: incomplete ->> near 'FROM'
-- hint: something is missing before or after ->>
SELECT symbol ->> FROM trades;

-- 1:8 price ->> 'a': '->>' does not take (DOUBLE, TEXT); known here
-- hint: write document -> 'name' of JSON, or list[1] of a list
SELECT price ->> 'a' FROM trades;

-- 1:8 price -> 'a': '->' does not take (DOUBLE, TEXT); known here
-- hint: write document -> 'name' of JSON, or list[1] of a list
SELECT json_extract(price, '$.a') FROM trades;

-- 1:8 paths with others than names and numbers are not supported
-- hint: unnest json_array_elements(...) for all elements of an array
SELECT json_extract(symbol, 'a..b') FROM trades;

-- 1:8 x + symbol: '+' does not take (DOUBLE, TEXT); known here
-- hint: cast one of them: CAST(column AS DOUBLE)
SELECT list_transform([price], x -> x + symbol) FROM trades;

-- 1:8 x + 1: a condition must be a boolean, and this has type DOUBLE
-- hint: compare it: column > 0, or column IS NOT NULL
SELECT list_filter([price], x -> x + 1) FROM trades;

-- 1:8 struct_extract(struct_pack('a', 1), 'b'): no field 'b'; known here
-- hint: name a field of a struct, or take JSON apart with -> and ->>
SELECT struct_extract({'a': 1}, 'b') FROM trades;

-- 1:8 row(price, symbol).f3: no field 'f3'; known here
-- hint: name a field of a struct, or take JSON apart with -> and ->>
SELECT ROW(price, symbol).f3 FROM trades;

-- 1:33 row(price) > 1: '>' does not take (STRUCT<f1 DOUBLE>, BIGINT); known here
-- hint: cast one of them: CAST(column AS DOUBLE)
SELECT symbol FROM trades WHERE ROW(price) > 1;
