"""Names in the text of a query: which known name is meant, and which clauses have no meaning here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from operators.sql.grammar.dialect import Text, Tree, exp, offset_of

_CLAUSE_NAMES: Final = {
    "joins": "JOIN",
    "laterals": "LATERAL",
    "order": "ORDER BY",
    "limit": "LIMIT",
    "offset": "OFFSET",
    "windows": "WINDOW",
    "qualify": "QUALIFY",
    "sample": "TABLESAMPLE",
    "locks": "FOR UPDATE",
    "into": "SELECT INTO",
    "pivots": "PIVOT",
    "only": "ONLY",
    "kind": "SELECT AS",
    "grouping_sets": "GROUPING SETS",
    "cube": "CUBE",
    "rollup": "ROLLUP",
    "totals": "WITH TOTALS",
    "all": "GROUP BY ALL",
    "match": "MATCH_RECOGNIZE",
    "ordinality": "WITH ORDINALITY",
    "limit_options": "PERCENT or WITH TIES",
    "version": "FOR SYSTEM_TIME AS OF",
    "when": "AT (...)",
    "hints": "WITH (...) behind a table",
    "except_": "* EXCEPT",
    "replace": "* REPLACE",
    "rename": "* RENAME",
    "ilike": "* ILIKE",
    "spec": "ROWS and RANGE",
}


def match(text: Text, identifier: exp.Identifier, names: Iterable[str], kind: str) -> str | None:
    """The name that an identifier means: the exact one, or, unquoted, the only one that differs in case alone.

    Raises:
        SqlError: several names differ from the identifier in case alone.
    """
    names = list(names)
    if identifier.name in names:
        return identifier.name
    if identifier.args.get("quoted"):
        return None
    found = [name for name in names if name.lower() == identifier.name.lower()]
    if len(found) > 1:
        raise text.error(
            f"{kind} {identifier.name!r} is ambiguous: {found} differ in case only",
            identifier,
            hint="quote the one you mean",
        )
    return found[0] if found else None


def refuse(text: Text, node: Tree, allowed: Iterable[str]) -> None:
    """Raise for the first clause of a node that is not supported."""
    for key, value in node.args.items():
        if value and key not in allowed:
            first = value[0] if isinstance(value, list) else value
            name = _CLAUSE_NAMES.get(key, key.strip("_").upper())
            placed = isinstance(first, exp.Expr) and offset_of(first) is not None
            raise text.error(f"{name} is not supported yet", first if placed else node)
