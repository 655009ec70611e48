"""A small history with hostile texts in it, and exports read back by other people's programs."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from openpyxl import Workbook

from db.connect import open_readonly
from pipeline.publish.exports import write_all
from pipeline.publish.exports.delimited import unguarded
from pipeline.publish.exports.reading import content, edition
from pipeline.publish.exports.tables import TABLES, Table, Type
from tests.db.histories import History
from tests.pipeline.reports import story

HOSTILE = (
    '=HYPERLINK("https://example.org","click")',
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "'=already guarded",
    "''+twice",
    "-1",
    "\ttab first",
    "\r\nline first",
    'two\nlines, "quoted", and a semicolon;',
    "Sheriff 🚔 of Añasco",
    "bell \x07, escape \x1b[31m, separator \x1f, next line \x85, paragraph \u2029",
    "_x000D_ and _x0041_ are not escapes",
    "#N/A",
    "NULL",
    "true",
    "01001",
    " spaces around ",
    "x" * 40_000,
)
"""Texts that some format or program would take for something else."""

LINKS = ("https://www.ice.gov/doclib/a.pdf", "https://evil.example/a.pdf", "javascript:alert(1)", "=1+1")

_IN_FORCE = """
select v.id from version v join agreement a on a.id = v.agreement_id
where v.to_publication_id is null and a.list = 'participating' order by v.id
"""

_DUCKDB = {
    Type.TEXT: "VARCHAR",
    Type.DATE: "DATE",
    Type.MOMENT: "TIMESTAMP WITH TIME ZONE",
    Type.INTEGER: "BIGINT",
    Type.NUMBER: "DOUBLE",
    Type.OBJECT: "VARCHAR",
    Type.ARRAY: "VARCHAR",
}
_ISO = "%Y-%m-%dT%H:%M:%SZ"

Rows = list[tuple[Any, ...]]


def write_history(folder: Path) -> Path:
    """The fortnight of `story`, with hostile texts where ICE's could be; gives the database."""
    database = story.write(folder)
    with History(folder) as history:
        plant(history.connection)
    return database


def plant(connection: sqlite3.Connection) -> None:
    """Put the hostile texts in the place of names, links, printed cells and notes."""
    versions = [row[0] for row in connection.execute(_IN_FORCE)]
    for number, text in enumerate(HOSTILE):
        link = LINKS[number % len(LINKS)]
        new = (text, text, link, link, versions[number])
        connection.execute("update version set agency = ?, county = ?, moa_url = ?, addendum_url = ? where id = ?", new)
    printed = [row[0] for row in connection.execute("select id from printed order by id")]
    for number, text in enumerate(HOSTILE):
        connection.execute("update printed set cells = ? where id = ?", (json.dumps([text] * 8), printed[number]))
    changes = json.dumps({"agency": ["=1+1", HOSTILE[9]]})
    connection.execute("update event set note = ?, changes = ? where id = 1", (HOSTILE[0], changes))
    connection.execute("update agency set former_names = ? where id = 1", (json.dumps([*HOSTILE[:3]]),))
    connection.execute("insert or replace into dictionary values ('event_log', 'kind', 'What happened.')")


def stored(database: Path, table: Table) -> Rows:
    """The rows as SQL gives them."""
    with closing(open_readonly(database)) as connection:
        of = edition(connection, None)
        assert of is not None
        return list(content(connection, table, of).rows)


def expected(database: Path, table: Table) -> Rows:
    """The rows as SQL gives them, JSON as values."""
    return [plain(table, row) for row in stored(database, table)]


def plain(table: Table, row: Sequence[Any]) -> tuple[Any, ...]:
    """A row with its JSON texts as values."""
    pairs = zip(table.columns, row, strict=True)
    return tuple(json.loads(value) if column.type.is_json and value else value for column, value in pairs)


def export(database: Path, folder: Path, **options: Any) -> dict[str, bytes]:
    """Export a history; the files of the folder."""
    with closing(open_readonly(database)) as connection:
        write_all(connection, folder, **options)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def csv_by_python(table: Table, data: bytes) -> Rows:
    """The rows of a CSV file by the standard library, each field as the schema says."""
    header, *rows = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    assert header == [column.name for column in table.columns]
    found = []
    for row in rows:
        values: list[Any] = []
        for column, text in zip(table.columns, row, strict=True):
            if text == "" and (column.optional or column.type is not Type.TEXT):
                values.append(None)
            elif column.type in (Type.INTEGER, Type.NUMBER):
                values.append(float(text) if column.type is Type.NUMBER else int(text))
            else:
                values.append(unguarded(text))
        found.append(plain(table, values))
    return found


def by_duckdb(table: Table, path: Path) -> Rows:
    """The rows of a CSV, JSON lines or Parquet file by DuckDB, with the types of the schema."""
    with duckdb.connect() as connection:
        connection.execute("create table t as " + _reading(table, path))
        types = {row[0]: row[1] for row in connection.execute("describe t").fetchall()}
        wanted = {column.name: _DUCKDB[column.type] for column in table.columns}
        assert types == wanted
        columns = ", ".join(_as_stored(column.name, column.type) for column in table.columns)
        rows = connection.execute(f"select {columns} from t").fetchall()  # noqa: S608
    if path.suffix == ".csv":
        rows = [tuple(unguarded(value) if isinstance(value, str) else value for value in row) for row in rows]
    return [plain(table, row) for row in rows]


def _reading(table: Table, path: Path) -> str:
    """SQL as a reader of the datapackage would write it."""
    types = "{" + ", ".join(f"'{column.name}': '{_DUCKDB[column.type]}'" for column in table.columns) + "}"
    if path.suffix == ".csv":
        never_null = [c.name for c in table.columns if not c.optional and c.type is Type.TEXT]
        return (
            f"select * from read_csv('{path}', columns = {types}, header = true, delim = ',', quote = '\"',"  # noqa: S608
            f" escape = '\"', nullstr = '', auto_detect = false, force_not_null = {never_null})"
        )
    if path.suffix == ".jsonl":
        return f"select * from read_json('{path}', columns = {types}, format = 'newline_delimited')"  # noqa: S608
    return f"select * from '{path}'"  # noqa: S608


def _as_stored(name: str, kind: Type) -> str:
    if kind is Type.DATE:
        return f"strftime(\"{name}\", '%Y-%m-%d')"
    if kind is Type.MOMENT:
        return f"strftime(\"{name}\" at time zone 'UTC', '{_ISO}')"
    return f'"{name}"'


def by_openpyxl(table: Table, book: Workbook) -> Rows:
    """The rows of a sheet by openpyxl; an empty cell is None, or the empty text where the schema has no null."""
    header, *rows = book[table.name].iter_rows()
    assert [cell.value for cell in header] == [column.name for column in table.columns]
    found = []
    for row in rows:
        values = []
        for column, cell in zip(table.columns, row, strict=True):
            assert cell.data_type != "f"
            value = cell.value
            if value is None and not column.optional and column.type is Type.TEXT:
                value = ""
            if isinstance(value, datetime):
                assert column.type in (Type.DATE, Type.MOMENT)
                value = f"{value:%Y-%m-%d}" if column.type is Type.DATE else f"{value:{_ISO}}"
            values.append(value)
        found.append(plain(table, values))
    return found


BY_NAME = {table.name: table for table in TABLES}
