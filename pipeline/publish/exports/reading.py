"""The history -> the rows of the tables, all of one moment."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from db.records import ListName
from pipeline.publish.exports.tables import Table
from pipeline.queries import PUBLICATION_ON

Row = tuple[Any, ...]
"""Values as SQLite stores them: dates, times and JSON as texts."""


@dataclass(frozen=True, slots=True)
class Edition:
    """What an export is of: the lists in force on a day, and when the newest of them was first seen (UTC).

    `as_of` is None for now. `lists` maps a list to what is said of its publication.
    """

    as_of: date | None
    created: str
    lists: Mapping[ListName, Mapping[str, str]]
    parameters: Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Content:
    """A table with its rows, and what the history's dictionary says of it and of its columns (by name)."""

    table: Table
    rows: Sequence[Row]
    description: str
    comments: Mapping[str, str]


@contextmanager
def one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything that is read in the block is of one moment, whoever writes meanwhile."""
    connection.execute("savepoint export")
    try:
        yield
    finally:
        connection.execute("release export")


def edition(connection: sqlite3.Connection, as_of: date | None) -> Edition | None:
    """The lists as they were at the end of a day, or are now; None if the history has none that old."""
    on = (as_of or date.max).isoformat()
    asked = {"on": on, "known": None}
    rows = {name: connection.execute(PUBLICATION_ON, {"list": name, **asked}).fetchone() for name in ListName}
    found = {name: row for name, row in rows.items() if row is not None}
    if not found:
        return None
    seen = "select max(first_seen_at) from publication where id in (?, ?)"
    ids = {name.value: found[name]["id"] if name in found else None for name in ListName}
    return Edition(
        as_of=as_of,
        created=connection.execute(seen, tuple(ids.values())).fetchone()[0],
        lists={
            name: {
                "published_on": row["published_on"],
                "workbook_name": row["file_name"],
                "workbook_sha256": row["sha256"],
            }
            for name, row in found.items()
        },
        parameters={"on": on, **ids},
    )


def content(connection: sqlite3.Connection, table: Table, of: Edition) -> Content:
    """A table as of an edition, sorted."""
    told = dict(
        connection.execute('select "column", comment from dictionary where object = ?', (table.view,)).fetchall()
    )
    comments = {column.name: column.description or told.get(column.name, "") for column in table.columns}
    rows = [tuple(row) for row in connection.execute(table.sql, of.parameters)]
    return Content(table, rows, told.get("") or table.title, comments)
