"""What names mean in a SELECT: the relations of its FROM clause, and the columns that can be named without them.

A merged column of USING is one column, whose tree is a column of one side, or, for FULL JOIN, COALESCE over both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import attrs

from flow.errors import known
from operators.sql.grammar.dialect import Text, Tree, exp
from operators.sql.qualifying.names import match


@attrs.frozen
class Relation:
    """What one item of a FROM clause makes visible: columns under an alias."""

    alias: str
    columns: tuple[str, ...]


@attrs.frozen(eq=False)
class Visible:
    """A column that can be named without its relation.

    Attributes:
        relation: the alias of its relation; of both, separated by a comma, for a merged one.
        name: how it is called.
        tree: what it means; to be copied where it is put.
    """

    relation: str
    name: str
    tree: Tree


@attrs.frozen(eq=False)
class Scope:
    """The relations of a FROM clause and, in the order of `*`, the columns that can be named without them."""

    relations: tuple[Relation, ...]
    visible: tuple[Visible, ...]

    @classmethod
    def of(cls, relation: Relation) -> Scope:
        """The scope of a single relation."""
        return cls(
            (relation,), tuple(Visible(relation.alias, name, column(relation, name)) for name in relation.columns)
        )

    def holders(self, text: Text, identifier: exp.Identifier) -> list[Visible]:
        """The columns that an identifier may mean: one at most, unless it is ambiguous."""
        found = []
        for alias in dict.fromkeys(each.relation for each in self.visible):
            names = {each.name: each for each in self.visible if each.relation == alias}
            name = match(text, identifier, names, "column")
            if name is not None:
                found.append(names[name])
        return found

    def has(self, text: Text, alias: exp.Identifier) -> bool:
        """Whether there is a relation of this name."""
        return match(text, alias, [relation.alias for relation in self.relations], "table") is not None

    def relation(self, text: Text, alias: exp.Identifier) -> Relation:
        """The relation of this name.

        Raises:
            SqlError: there is none.
        """
        names = [relation.alias for relation in self.relations]
        name = match(text, alias, names, "table")
        if name is None:
            raise text.error(f"no table {alias.name!r} in FROM; {known(alias.name, names)}", alias)
        return self.relations[names.index(name)]

    def _is_struct(self, text: Text, first: exp.Identifier, field: exp.Identifier) -> bool:
        """Whether ``first.field`` is a field of a column, as opposed to a column of a relation."""
        if not self.holders(text, first):
            return False
        return not self.has(text, first) or not Scope.of(self.relation(text, first)).holders(text, field)

    def meaning(self, text: Text, name: exp.Column) -> Tree:
        """What ``column``, ``table.column``, or either followed by fields of a struct means.

        Raises:
            SqlError: there is no such column, or there are several.
        """
        first, *fields = cast("list[exp.Identifier]", name.parts)
        scope = self
        if fields and not self._is_struct(text, first, fields[0]):
            scope = Scope.of(self.relation(text, first))
            first, *fields = fields
        found = scope.holders(text, first)
        if not found:
            names = [each.name for each in scope.visible]
            where = f" in {scope.relations[0].alias!r}" if len(scope.relations) == 1 else ""
            raise text.error(f"no column {first.name!r}{where}; {known(first.name, names)}", first)
        if len(found) > 1:
            candidates = [f"{each.relation}.{each.name}" for each in found]
            raise text.error(
                f"column {first.name!r} is ambiguous: {candidates}", first, hint=f"write {candidates[0]}, for example"
            )
        meaning = found[0].tree.copy()
        place = name.parts[0].meta
        for part in meaning.find_all(exp.Identifier):
            part.meta.update(place)
        for field in fields:
            meaning = exp.Dot(this=meaning, expression=field.copy())
        return meaning


def renamed(names: Sequence[str], alias: exp.TableAlias | None) -> tuple[str, ...]:
    """The columns of a relation after ``AS alias (column, ...)``."""
    given = [column.name for column in (alias.args.get("columns") or ())] if alias else []
    return (*given, *names[len(given) :])


def checked_rename(text: Text, names: Sequence[str], alias: exp.TableAlias | None) -> tuple[str, ...]:
    """As `renamed`.

    Raises:
        SqlError: there are more names than columns, or one is given to two columns.
    """
    result = renamed(names, alias)
    if alias is not None and len(result) > len(names):
        raise text.error(f"{alias.name!r} has {len(names)} columns, and {len(result)} names are given", alias)
    if len(set(result)) < len(result):
        name = next(name for place, name in enumerate(result) if name in result[:place])
        raise text.error(f"the name {name!r} is given to two columns", alias)
    return result


def exact(identifier: Tree, name: str) -> exp.Identifier:
    """An identifier that means exactly this name, at the same place."""
    result = exp.to_identifier(name, quoted=True)
    result.meta.update(identifier.meta)
    return result


def column(relation: Relation, name: str) -> exp.Column:
    """The qualified tree of a column."""
    return exp.column(exp.to_identifier(name, quoted=True), table=exp.to_identifier(relation.alias, quoted=True))


def select_all(source: Tree, relation: Relation) -> exp.Select:
    """The qualified tree of a query for all columns of a relation."""
    columns = [exp.alias_(column(relation, name), name, quoted=True) for name in relation.columns]
    alone = source.copy()
    alone.set("joins", None)
    return exp.Select(expressions=columns, from_=exp.From(this=alone))
