"""Streams of changes to a table: Debezium's events, the changes of a key in order, the forms in which changes leave."""
