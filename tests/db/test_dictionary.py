"""The dictionary says what every view, table and column means, in the code and in every history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db import migrations, schema
from db.connect import SCHEMA_VERSION, open_readonly, open_writable
from db.records import Kind, Outcome, Status, Verdict
from tests.db.histories import CONTRACT


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(open_writable(tmp_path / "history.db")) as opened:
        yield opened


def test_everything_in_the_schema_is_in_the_dictionary_and_nothing_else(connection: sqlite3.Connection) -> None:
    real = {name: [column.name for column in r.columns] for name, r in schema.relations(connection).items()}

    assert {name: list(described.columns) for name, described in schema.dictionary().items()} == real


def test_the_views_come_first() -> None:
    assert list(schema.dictionary())[:5] == list(CONTRACT)


def test_a_comment_is_a_short_text_that_ends_with_a_full_stop() -> None:
    odd = [c for c in schema.comments() if not (c.comment.endswith(".") and len(c.comment) < 500)]

    assert odd == []


@pytest.mark.parametrize(
    ("view", "column", "closed"),
    [
        ("event_log", "kind", Kind),
        ("event_log", "status", Status),
        ("publication_log", "verdict", Verdict),
        ("check_log", "outcome", Outcome),
    ],
)
def test_a_closed_list_is_given_in_full(view: str, column: str, closed: type[Kind]) -> None:
    comment = schema.dictionary()[view].columns[column]

    assert [word for word in closed if str(word) not in comment] == []


def test_a_history_explains_itself(connection: sqlite3.Connection) -> None:
    found = connection.execute('select object, "column", comment from dictionary').fetchall()

    assert {tuple(row) for row in found} == set(schema.comments())
    (about,) = connection.execute("select comment from dictionary where object = 'event_log' and \"column\" = 'kind'")
    assert about[0].startswith("What happened.")


def test_only_a_dictionary_that_differs_is_written(connection: sqlite3.Connection) -> None:
    def written() -> int:
        asked: list[str] = []
        connection.set_trace_callback(asked.append)
        migrations.apply(connection, SCHEMA_VERSION)
        connection.set_trace_callback(None)
        return sum("insert into dictionary" in statement for statement in asked)

    assert written() == 0
    connection.execute("update dictionary set comment = '' where object = 'event_log'")
    assert written() == 1
    assert written() == 0
    assert {tuple(row) for row in connection.execute("select * from dictionary")} == set(schema.comments())


def test_reading_writes_no_dictionary(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(open_writable(path)) as connection:
        connection.execute("delete from dictionary")
    with closing(open_readonly(path)) as connection:
        assert connection.execute("select count(*) from dictionary").fetchone()[0] == 0


def test_every_foreign_key_leads_to_a_column_that_is_unique(connection: sqlite3.Connection) -> None:
    known = schema.relations(connection)
    keys = [(name, key) for name, relation in known.items() for key in relation.foreign_keys]

    assert len(keys) > 20
    for name, key in keys:
        target = known[key.table]
        assert [c.name for c in target.columns if c.key] == [key.to], (name, key)
    assert connection.execute("pragma foreign_key_check").fetchall() == []
