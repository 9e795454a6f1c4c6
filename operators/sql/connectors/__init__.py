"""Connectors: what ``WITH (connector = '…')`` makes of a table, and where new ones are registered."""
