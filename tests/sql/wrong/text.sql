-- 1:33 symbol ~ '(a)\1': '(a)\\1': a back reference in regular expressions is not supported
SELECT symbol FROM trades WHERE symbol ~ '(a)\1';

-- 1:8 regexp_replace(symbol, 'a(?=b)', ''): 'a(?=b)': looking ahead in regular expressions is not supported
SELECT regexp_replace(symbol, 'a(?=b)', '') FROM trades;

-- 1:8 regexp_match(symbol, '(?<=a)b'): '(?<=a)b': looking behind in regular expressions
SELECT regexp_match(symbol, '(?<=a)b') FROM trades;

-- 1:8 regexp_count(symbol, '\mA'): '\\mA': the edge of a word \m in regular expressions is not supported; write \y
SELECT regexp_count(symbol, '\mA') FROM trades;

-- 1:8 symbol ~ '[a': '[a' is no regular expression: missing ]
SELECT regexp_like(symbol, '[a') FROM trades;

-- 1:8 regexp_like(symbol, 'a', 'iz'): no regular expression flag 'z'; known here
SELECT regexp_like(symbol, 'a', 'iz') FROM trades;

-- 1:8 encode(CAST(symbol AS BYTEA), 'hexx'): no encoding 'hexx'; known here
SELECT encode(symbol::bytea, 'hexx') FROM trades;

-- 1:8 decode(symbol, venue): the format or encoding of decode() must be said by the query
SELECT decode(symbol, venue) FROM trades;

-- 1:23 the collation 'de_DE' is not supported
SELECT symbol COLLATE "de_DE" FROM trades;

-- 1:8 quote_litteral(symbol): no function 'quote_litteral' ... did you mean 'quote_literal'?
SELECT quote_litteral(symbol) FROM trades;

-- 1:8 levenshtein(symbol, venue): no function 'levenshtein'
SELECT levenshtein(symbol, venue) FROM trades;

-- 1:8 initcap(price): 'initcap' does not take (DOUBLE)
SELECT initcap(price) FROM trades;

-- 1:8 lpad(symbol, 'x'): 'x' is no BIGINT
SELECT lpad(symbol, 'x') FROM trades;

-- 1:8 substring(price, 1, 2): 'substring' does not take (DOUBLE, BIGINT, BIGINT)
SELECT substring(price FROM 1 FOR 2) FROM trades;

-- 1:8 split with a limit
SELECT split(symbol, ',', 2) FROM trades;
