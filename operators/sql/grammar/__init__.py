"""From a text to a tree of sqlglot's: the grammar of streams, and what is said where a text does not follow it.

sqlglot is extended here and nowhere else, and everybody else has its trees from `dialect`.
"""
