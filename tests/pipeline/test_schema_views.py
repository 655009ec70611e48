"""The public views are a contract: outside programs read them by these names, and get these columns first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import date, datetime

import pytest

from db.connect import open_readonly, transaction
from db.records import Outcome, Trigger
from db.write import add_check
from tests.db.histories import CONTRACT, NOW, History, Posted, rows, sheriff, story, view_rows, write_folder

LINK = "https://www.ice.gov/doclib/287gMOA/alachua.pdf"


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    folder = tmp_path_factory.mktemp("views")
    with History(folder) as history:
        history.backfill(write_folder(folder / "posted", story()))
        with transaction(history.connection):
            add_check(
                history.connection, NOW, NOW, Trigger.MANUAL, Outcome.UNCHANGED, {"page": 304}, "nothing has changed"
            )
    connection = open_readonly(folder / "history.db")
    yield connection
    connection.close()


@pytest.mark.parametrize("view", CONTRACT)
def test_a_view_begins_with_the_columns_of_the_contract(reader: sqlite3.Connection, view: str) -> None:
    columns = CONTRACT[view].split()

    assert [row[1] for row in reader.execute(f"pragma table_info({view})")][: len(columns)] == columns
    assert reader.execute("select type from sqlite_master where name = ?", (view,)).fetchone()[0] == "view"


@pytest.mark.parametrize("view", CONTRACT)
def test_a_view_has_no_row_twice(reader: sqlite3.Connection, view: str) -> None:
    found = view_rows(reader, view)

    assert found
    assert len(set(found)) == len(found)


def test_no_event_has_another_ones_id(reader: sqlite3.Connection) -> None:
    assert reader.execute("select event_id from event_log group by 1 having count(*) > 1").fetchall() == []


def test_dates_and_times_are_iso_8601_in_utc(reader: sqlite3.Connection) -> None:
    for row in reader.execute("select detected_at, published_on, signed_on, pending_since from event_log"):
        assert datetime.fromisoformat(row[0]).tzinfo is not None
        assert row[0].endswith("Z")
        assert [date.fromisoformat(text).isoformat() for text in row[1:] if text] == [text for text in row[1:] if text]


def test_changes_are_pairs_of_before_and_after(reader: sqlite3.Connection) -> None:
    found = reader.execute("select changes, change_classes from event_log where kind = 'changed'").fetchall()

    assert found
    for changes, classes in found:
        assert json.loads(changes) == {"agency": ["Bay County Sheriff's Office", "Bay County Sherriffs Office"]}
        assert json.loads(classes) == {"agency": "spelling"}


@pytest.mark.parametrize(
    ("column", "kinds"),
    [
        ("row", "terminated withdrawn"),
        ("previous_row", "new pending reinstated"),
        ("changes", "new pending terminated withdrawn"),
    ],
)
def test_what_does_not_apply_to_a_kind_is_null(reader: sqlite3.Connection, column: str, kinds: str) -> None:
    found = reader.execute(f"select kind, count({column}), count(*) from event_log group by kind").fetchall()  # noqa: S608

    assert {kind for kind, given, _ in found if not given} >= set(kinds.split())
    if column != "changes":
        assert {kind for kind, given, count in found if given == count} >= {kind for kind, *_ in found} - set(
            kinds.split()
        )


def test_only_a_new_agreement_says_since_when_it_was_pending(reader: sqlite3.Connection) -> None:
    assert {row[0] for row in reader.execute("select kind from event_log where pending_since is not null")} == {"new"}


def test_every_event_names_a_row_that_the_workbook_has(reader: sqlite3.Connection) -> None:
    lost = reader.execute(
        "select e.event_id from event_log e where e.row is not null and not exists (select 1 from placement l"
        " join publication p on p.id = l.publication_id join workbook w on w.id = p.workbook_id"
        " join agreement a on a.id = l.agreement_id"
        " where w.sha256 = e.workbook_sha256 and l.row = e.row and a.public_id = e.agreement_id)"
    ).fetchall()

    assert lost == []


def test_no_event_comes_from_a_publication_that_was_not_accepted(reader: sqlite3.Connection) -> None:
    assert (
        reader.execute(
            "select 1 from event e join publication p on p.id = e.publication_id where p.verdict != 'accepted'"
        ).fetchall()
        == []
    )


def test_what_is_in_force_is_the_last_list_that_was_accepted(reader: sqlite3.Connection) -> None:
    last = story()[-1]
    found = view_rows(reader, "current_agreements", "agreement_id, workbook_name, last_published_on")

    assert len(found) == len(last.rows)
    assert {row[1:] for row in found} == {(last.file_name, "2025-04-18")}
    assert [row[0] for row in found] == sorted(
        row[0]
        for row in reader.execute(
            "select agreement_id from listing_history where list = 'participating' and valid_to is null"
        )
    )


def test_the_values_of_an_agreement_follow_one_another_without_a_gap_that_is_none(reader: sqlite3.Connection) -> None:
    """Alachua left and stayed away; Baker left and came back; Bay was respelt."""
    found = reader.execute(
        "select agency, valid_from, valid_to from listing_history where list = 'participating' order by valid_from"
    ).fetchall()
    told = {name: [tuple(row)[1:] for row in found if row[0].startswith(name)] for name in ("Alachua", "Baker", "Bay ")}

    assert told == {
        "Alachua": [("2025-03-03", "2025-03-05")],
        "Baker": [("2025-03-03", "2025-03-05"), ("2025-03-07", None)],
        "Bay ": [("2025-03-03", "2025-03-06"), ("2025-03-06", None)],
    }


def test_a_publication_says_which_checks_it_passed(reader: sqlite3.Connection) -> None:
    for verdict, checks in reader.execute("select verdict, checks from publication_log"):
        results = json.loads(checks)
        assert {"name", "ok", "required", "note"} == set(results[0])
        if verdict == "rejected":
            assert any(result["required"] and not result["ok"] for result in results)


def test_a_check_is_told_as_it_was(reader: sqlite3.Connection) -> None:
    assert [tuple(row) for row in reader.execute("select * from check_log")] == [
        ("2025-12-31T12:00:00Z", "2025-12-31T12:00:00Z", "manual", "unchanged", '{"page":304}', "nothing has changed")
    ]


def test_wrapped_links_and_the_addresses_in_them_are_in_no_view(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A fifth of ICE's links are wrapped by Outlook, which adds the address of a member of staff."""
    from tests import workbooks

    wrapped = (
        f"https://gcc02.safelinks.protection.outlook.com/?url={LINK.replace('/', '%2F')}&data=05%7Cjane.doe%40ice.gov"
    )
    folder = tmp_path_factory.mktemp("wrapped")
    (folder / "posted").mkdir()
    data = workbooks.participating([sheriff("Alachua")], links={"G2": wrapped})
    (folder / "posted" / Posted("participating", 0, rows("Alachua")).file_name).write_bytes(data)
    with History(folder) as history:
        history.backfill(folder / "posted")
        told = [row for view in CONTRACT for row in history.table(view)]

        assert "jane.doe" not in repr(told)
        assert "safelinks" not in repr(told)
        assert history.table("current_agreements", "moa_url, printed_moa") == [(LINK, "link")]
