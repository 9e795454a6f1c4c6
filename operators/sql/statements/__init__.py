"""The statements of scripts: what they declare, write, set and ask.

Queries in them are planned like any other; nothing runs here.
"""
