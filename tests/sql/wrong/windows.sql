-- 1:15 TUMBLE lacks 'timecol' and 'size'
-- hint: TUMBLE(table, time_column, INTERVAL '1 minute')
SELECT * FROM TUMBLE(trades);

-- 1:47 no column 'event_tim' in 'trades' ... did you mean 'event_time'?
SELECT * FROM TUMBLE(TABLE trades, DESCRIPTOR(event_tim), INTERVAL '1 minute');

-- 1:60 '1 minut' is no fixed length of time
-- hint: write for example INTERVAL '90 seconds' or INTERVAL '1' HOUR
SELECT * FROM TUMBLE(TABLE trades, DESCRIPTOR(event_time), INTERVAL '1 minut');

-- 1:51 syntax error: expected ) near "'1 minute'"
-- hint: it closes what line 1, column 21 opens
SELECT * FROM TUMBLE(trades, event_time, INTERVAL '1 minute';

-- 1:15 no table function TUMBEL ... did you mean 'TUMBLE'?
SELECT * FROM TUMBEL(trades, event_time, INTERVAL '1 minute');

-- 1:15 HOP lacks 'size'
-- hint: HOP(table, time_column, INTERVAL '10 seconds', INTERVAL '1 minute'), first the slide, then the size
SELECT * FROM HOP(trades, event_time, INTERVAL '1 minute');

-- 1:39 a duration must be positive, not '0 minutes'
-- hint: write how long: INTERVAL '1 minute'
SELECT * FROM HOP(trades, event_time, INTERVAL '0 minutes', INTERVAL '1 minute');

-- 1:15 CUMULATE windows are not supported yet; known here
-- hint: write TUMBLE(table, column, size) or HOP(table, column, slide, size)
SELECT * FROM CUMULATE(TABLE trades, DESCRIPTOR(event_time), INTERVAL '1 minute', INTERVAL '1 hour');

-- 1:38 tumble(event_time, INTERVAL '60 seconds'): no function 'tumble'
-- hint: write FROM TUMBLE(table, column, INTERVAL '1 minute') GROUP BY window_start
SELECT count(*) FROM trades GROUP BY TUMBLE(event_time, INTERVAL '1 minute');

-- 1:85 tumble(event_time, INTERVAL '60 seconds'): no function 'tumble'
-- hint: write FROM TUMBLE(table, column, INTERVAL '1 minute') GROUP BY window_start
SELECT TUMBLE_START(event_time, INTERVAL '1' MINUTE), count(*) FROM trades GROUP BY TUMBLE(event_time, INTERVAL '1' MINUTE);

-- 1:59 syntax error: expected ) near '1'
-- hint: it closes what line 1, column 53 opens
SELECT symbol, count(*) FROM trades WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY symbol;

-- 1:54 hop(event_time, INTERVAL '60 seconds', INTERVAL '300 seconds'): no function 'hop'
-- hint: write FROM TUMBLE(table, column, INTERVAL '1 minute') GROUP BY window_start
SELECT symbol, count(*) FROM trades GROUP BY symbol, HOP(event_time, INTERVAL '1' MINUTE, INTERVAL '5' MINUTE);

-- 1:8 no column 'window_start' in 'trades'; known here
SELECT window_start FROM trades;

-- 1:8 no column 'windowstart' in 'trades' ... did you mean 'window_start'?
SELECT windowstart, count(*) FROM TUMBLE(trades, event_time, INTERVAL '1 minute') GROUP BY windowstart;

-- 1:53 syntax error: unexpected 'EMIT'
-- hint: write EMIT FINAL or EMIT CHANGES at the end
SELECT symbol, count(*) FROM trades GROUP BY symbol EMIT FINALY;

-- 1:53 syntax error: unexpected 'EMIT'
-- hint: write EMIT FINAL or EMIT CHANGES at the end
SELECT symbol, count(*) FROM trades GROUP BY symbol EMIT;

-- 1:27 EMIT CHANGES says when groups are given out, and this query has none
-- hint: leave it out
SELECT symbol FROM trades EMIT CHANGES;

-- 1:32 syntax error: unexpected 'ON'
-- hint: write EMIT FINAL or EMIT CHANGES at the end
SELECT symbol FROM trades EMIT ON WINDOW CLOSE;
