"""The state of joins: rows by key on each side."""
