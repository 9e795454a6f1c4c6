"""Keyed state's index, for operators of one's own too: from the values of key columns to dense slots, and back."""

from flow.keys.index import KeyIndex, factorise

__all__ = ["KeyIndex", "factorise"]
