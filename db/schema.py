"""The schema as it is in a database, and the dictionary of what it means (`dictionary.toml`)."""

import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Described:
    """What a view or table means, and each of its columns in their order."""

    comment: str
    columns: Mapping[str, str]


@cache
def dictionary() -> Mapping[str, Described]:
    """Every public view, then every table, by name, in the order in which they are best read."""
    text = resources.files(__package__).joinpath("dictionary.toml").read_text(encoding="utf-8")
    return {name: Described(part["comment"], part["columns"]) for name, part in tomllib.loads(text).items()}


class Comment(NamedTuple):
    """A row of the table `dictionary`; `column` is empty for the view or table itself."""

    object: str
    column: str
    comment: str


def comments() -> Iterator[Comment]:
    """The dictionary as rows."""
    for name, described in dictionary().items():
        yield Comment(name, "", described.comment)
        yield from (Comment(name, column, comment) for column, comment in described.columns.items())


class Column(NamedTuple):
    """A column; `key` is its place in the primary key, 0 outside; `type` is empty in most views."""

    name: str
    type: str
    required: bool
    default: str | None
    key: int


class ForeignKey(NamedTuple):
    """A column whose values are those of a column of another table."""

    column: str
    table: str
    to: str


class Index(NamedTuple):
    """An index that a migration made; `where` is the condition of a partial one, else empty."""

    name: str
    columns: tuple[str, ...]
    unique: bool
    where: str


@dataclass(frozen=True, slots=True)
class Relation:
    """A view or table. `unique` are the sets of columns that no two rows have alike, the primary key apart."""

    name: str
    is_view: bool
    is_search: bool
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...]
    indexes: tuple[Index, ...]
    unique: tuple[tuple[str, ...], ...]


def relations(connection: sqlite3.Connection) -> dict[str, Relation]:
    """Every view and table by name; without those in which SQLite keeps a full-text index."""
    found = connection.execute(
        "select name, type = 'view', coalesce(sql like 'create virtual table%', 0) from sqlite_master"
        " where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\' order by rowid"
    ).fetchall()
    inner = tuple(f"{name}_" for name, _, is_search in found if is_search)
    return {
        name: _relation(connection, name, bool(is_view), bool(is_search))
        for name, is_view, is_search in found
        if not name.startswith(inner or "\0")
    }


def _relation(connection: sqlite3.Connection, name: str, is_view: bool, is_search: bool) -> Relation:
    columns = tuple(
        Column(row[1], row[2].lower(), bool(row[3]), row[4], row[5])
        for row in connection.execute("select * from pragma_table_xinfo(?)", (name,))
        if row[6] == 0
    )
    foreign = [
        ForeignKey(row[3], row[2], row[4] or _key_of(connection, row[2]))
        for row in connection.execute("select * from pragma_foreign_key_list(?) order by id desc, seq", (name,))
    ]
    listed = connection.execute('select name, "unique", origin from pragma_index_list(?) order by name', (name,))
    made = [tuple(row) for row in listed.fetchall()]
    indexes = [
        Index(index, _columns_of(connection, index), bool(unique), _where(connection, index))
        for index, unique, origin in made
        if origin == "c"
    ]
    sets = [_columns_of(connection, index) for index, _, origin in made if origin == "u"]
    return Relation(name, is_view, is_search, columns, tuple(foreign), tuple(indexes), tuple(sets))


def _key_of(connection: sqlite3.Connection, table: str) -> str:
    """The primary key, to which a foreign key refers that names no column."""
    row = connection.execute("select name from pragma_table_info(?) where pk = 1", (table,)).fetchone()
    return str(row[0])


def _columns_of(connection: sqlite3.Connection, index: str) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute("select name from pragma_index_info(?) order by seqno", (index,)))


def _where(connection: sqlite3.Connection, index: str) -> str:
    (sql,) = connection.execute("select sql from sqlite_master where type = 'index' and name = ?", (index,)).fetchone()
    return str(sql).partition(" where ")[2]
