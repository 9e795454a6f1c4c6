-- What customers owe a shop, kept up to date by the change events of its database: penstock run examples/orders.sql
-- The events are Debezium's. Some updates come without the old row, which the primary key makes up for.

CREATE TABLE orders (
    id BIGINT, customer VARCHAR, item VARCHAR, amount DECIMAL(10, 2), status VARCHAR,
    PRIMARY KEY (id) NOT ENFORCED
) WITH (
    connector = 'files', path = 'examples/data/orders_changes.jsonl', format = 'debezium-json',
    source_time = 'changed_at', dead_letters = 'not_understood'
);

CREATE TABLE not_understood WITH (connector = 'files', path = 'out/orders/not_understood/', format = 'json');

-- A line for each new state of a customer; the last one of each holds, unless it says _deleted.
CREATE TABLE owed (customer VARCHAR, orders BIGINT, amount DECIMAL(38, 2), last_change TIMESTAMP, PRIMARY KEY (customer))
WITH (connector = 'files', path = 'out/orders/owed/', format = 'json', changes = 'upsert');

-- The same as events again, for another program that reads such.
CREATE TABLE sent (id BIGINT, customer VARCHAR, item VARCHAR, PRIMARY KEY (id))
WITH (connector = 'files', path = 'out/orders/sent/', format = 'debezium-json');

INSERT INTO owed
SELECT customer, count(*), sum(amount), max(changed_at) FROM orders WHERE status = 'open' GROUP BY customer;

INSERT INTO sent SELECT id, customer, item FROM orders WHERE status = 'sent';
