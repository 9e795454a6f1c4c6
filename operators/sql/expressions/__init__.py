"""From the expressions of a tree to those of `operators.expressions`: literals, types, and functions by our names.

Nothing here knows plans; columns are given by name and type.
"""
