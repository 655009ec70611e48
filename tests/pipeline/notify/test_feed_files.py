"""The feeds as files, made of a real history: what is in them, and when which of them is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from lxml import etree, html

from db.connect import open_readonly, transaction
from db.records import Verdict
from pipeline.notify.feeds import FeedsError, write_feeds
from pipeline.notify.settings import Feeds
from pipeline.reading.places import states
from tests.db.histories import COUNTIES, History, Posted, rows, sheriff
from tests.pipeline.reports import story
from tests.pipeline.reports.feeds.validity import ATOM, read_atom, read_json_feed

SETTINGS = Feeds(folder=Path("feeds"))
EVERY_FILE = {f"{name}.{suffix}" for name in ("all", *map(str.lower, states())) for suffix in ("atom", "json")}


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    with closing(open_readonly(story.write(tmp_path_factory.mktemp("history")))) as opened:
        yield opened


def _names(written: list[Path]) -> set[str]:
    return {path.name for path in written}


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _entries(folder: Path, name: str) -> list[etree._Element]:
    return read_atom((folder / "feeds" / f"{name}.atom").read_bytes()).findall(f"{ATOM}entry")


def _told(folder: Path, name: str = "fl") -> list[str]:
    return [entry.findtext(f"{ATOM}title").partition(" County")[0] for entry in _entries(folder, name)]


def _content(folder: Path, title: str) -> html.HtmlElement:
    (found,) = (e for e in _entries(folder, "fl") if e.findtext(f"{ATOM}title").startswith(title))
    return html.fromstring(found.findtext(f"{ATOM}content"))


def test_every_state_and_territory_has_its_feeds_and_all_are_valid(
    connection: sqlite3.Connection, tmp_path: Path
) -> None:
    written = write_feeds(connection, SETTINGS, tmp_path)
    assert _names(written) == EVERY_FILE
    assert {path.parent for path in written} == {tmp_path / "feeds"}
    for path in written:
        (read_atom if path.suffix == ".atom" else read_json_feed)(path.read_bytes())
    assert _told(tmp_path, "wy") == []
    assert _told(tmp_path, "all") == _told(tmp_path, "fl")


def test_a_feed_tells_the_substance_the_last_told_first(connection: sqlite3.Connection, tmp_path: Path) -> None:
    write_feeds(connection, SETTINGS, tmp_path)
    assert _told(tmp_path) == [
        "No longer listed (provisional): Levy",
        "Reinstated: Leon",
        "Retracted: no longer listed: Leon",
        "No longer listed: Lee",
        "No longer listed: Lake",
        "New: Lake",
        "New: Polk",
    ]


def test_the_files_can_be_read_by_a_web_server(connection: sqlite3.Connection, tmp_path: Path) -> None:
    written = write_feeds(connection, SETTINGS, tmp_path)
    assert {path.stat().st_mode & 0o777 for path in written} == {0o644}


def test_no_folder_no_feeds(connection: sqlite3.Connection, tmp_path: Path) -> None:
    assert write_feeds(connection, Feeds(), tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_there_are_no_feeds_before_the_first_list(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        assert write_feeds(history.connection, SETTINGS, tmp_path) == []
        history.post(Posted("participating", 0, rows("Bay")))
        assert _names(write_feeds(history.connection, SETTINGS, tmp_path)) == EVERY_FILE
        assert b"<updated>2025-03-03T00:00:00Z</updated>" in (tmp_path / "feeds" / "all.atom").read_bytes()


def test_a_folder_of_its_own_is_not_below_the_base(connection: sqlite3.Connection, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere" / "feeds"
    written = write_feeds(connection, Feeds(folder=elsewhere), tmp_path / "base")
    assert {path.parent for path in written} == {elsewhere}


def test_nothing_is_written_twice(connection: sqlite3.Connection, tmp_path: Path) -> None:
    write_feeds(connection, SETTINGS, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "feeds").iterdir()}
    assert write_feeds(connection, SETTINGS, tmp_path) == []
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "feeds").iterdir()} == before


def test_nothing_is_made_anew_where_nothing_happened(connection: sqlite3.Connection, tmp_path: Path) -> None:
    """Otherwise a check that finds nothing would pay for it."""
    write_feeds(connection, SETTINGS, tmp_path)
    asked: list[str] = []
    connection.set_trace_callback(asked.append)
    write_feeds(connection, SETTINGS, tmp_path)
    connection.set_trace_callback(None)
    assert not [statement for statement in asked if "event_log" in statement or "version" in statement]


def test_a_removed_folder_and_a_removed_file_are_noticed(connection: sqlite3.Connection, tmp_path: Path) -> None:
    write_feeds(connection, SETTINGS, tmp_path)
    (tmp_path / "feeds" / "tx.json").unlink()
    assert _names(write_feeds(connection, SETTINGS, tmp_path)) == {"tx.json"}
    (tmp_path / "feeds").rename(tmp_path / "moved")
    assert _names(write_feeds(connection, SETTINGS, tmp_path)) == EVERY_FILE
    assert _bytes(tmp_path / "feeds") == _bytes(tmp_path / "moved")


def test_a_run_that_ended_in_the_middle_is_made_up_for(connection: sqlite3.Connection, tmp_path: Path) -> None:
    folder = tmp_path / "feeds"
    write_feeds(connection, SETTINGS, tmp_path)
    whole = _bytes(folder)
    (folder / "wy.json").unlink()
    (folder / "wy.json").mkdir()
    published = SETTINGS.model_copy(update={"url": "https://example.org"})
    with pytest.raises(FeedsError, match="Is a directory"):
        write_feeds(connection, published, tmp_path)
    assert b"example.org" in (folder / "all.atom").read_bytes()
    assert {path.name for path in folder.iterdir()} == EVERY_FILE, "no stamp, and nothing half written"
    (folder / "wy.json").rmdir()
    write_feeds(connection, SETTINGS, tmp_path)
    assert _bytes(folder) == whole


def test_other_settings_make_other_feeds(connection: sqlite3.Connection, tmp_path: Path) -> None:
    write_feeds(connection, SETTINGS, tmp_path)
    few = SETTINGS.model_copy(update={"entries": 2})
    assert _names(write_feeds(connection, few, tmp_path)) == {"all.atom", "all.json", "fl.atom", "fl.json"}
    assert _told(tmp_path, "all") == _told(tmp_path) == ["No longer listed (provisional): Levy", "Reinstated: Leon"]
    published = few.model_copy(update={"url": "https://example.org"})
    assert _names(write_feeds(connection, published, tmp_path)) == EVERY_FILE


def test_a_new_list_changes_the_feeds_of_its_states_only(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        forty = rows(*COUNTIES[:40])
        history.post(Posted("participating", 0, forty))
        write_feeds(history.connection, SETTINGS, tmp_path)
        kerr = sheriff("Kerr", state="TEXAS")
        history.post(Posted("participating", 1, [*forty, kerr]))
        assert _names(write_feeds(history.connection, SETTINGS, tmp_path)) == {
            "all.atom",
            "all.json",
            "tx.atom",
            "tx.json",
        }
        history.post(Posted("participating", 2, [*forty, sheriff("Kerr", state="TEXAS", type="Municipal")]))
        assert write_feeds(history.connection, SETTINGS, tmp_path) == [], "a mere correction is no entry"


def test_an_entry_keeps_its_id_when_its_event_is_confirmed_and_when_it_is_taken_back(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        forty = rows(*COUNTIES[:40])
        history.post(Posted("participating", 0, forty), Posted("participating", 1, forty[2:]))
        write_feeds(history.connection, SETTINGS, tmp_path)
        provisional = {e.findtext(f"{ATOM}id") for e in _entries(tmp_path, "fl")}
        assert set(_told(tmp_path)) == {
            "No longer listed (provisional): Alachua",
            "No longer listed (provisional): Baker",
        }
        history.post(Posted("participating", 2, forty[1:]))
        assert _names(write_feeds(history.connection, SETTINGS, tmp_path)) >= {"fl.atom", "fl.json"}
        assert set(_told(tmp_path)) >= {"No longer listed: Alachua", "Retracted: no longer listed: Baker"}
        entries = {e.findtext(f"{ATOM}id"): e.findtext(f"{ATOM}updated") for e in _entries(tmp_path, "fl")}
        assert {entries[ident] for ident in provisional} == {"2025-03-05T14:00:00Z"}
        assert any("listed again" in line for line in _content(tmp_path, "Retracted").itertext())


def test_a_retraction_is_told_even_if_the_event_had_left_the_feed(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        forty = rows(*COUNTIES[:40])
        history.post(
            Posted("participating", 0, forty),
            Posted("participating", 1, forty[1:]),
            Posted("participating", 2, [*forty, sheriff("Kerr", state="TEXAS"), sheriff("Bexar", state="TEXAS")]),
        )
        write_feeds(history.connection, Feeds(folder=Path("feeds"), entries=4), tmp_path)
        for name in ("all", "fl"):
            assert "Retracted: no longer listed: Alachua" in _told(tmp_path, name)


def test_the_documents_of_an_agreement_are_those_after_the_event_or_before_its_end(tmp_path: Path) -> None:
    moa, later = "https://www.ice.gov/doclib/Lee.pdf", "https://www.ice.gov/doclib/Lee2.pdf"
    with History(tmp_path) as history:
        forty = rows(*COUNTIES[:40])
        history.post(
            Posted("participating", 0, forty),
            Posted("participating", 1, [*forty, sheriff("Polk", moa=moa)]),
            Posted("participating", 2, [*forty, sheriff("Polk", moa=later)]),
            Posted("participating", 3, forty),
        )
        write_feeds(history.connection, SETTINGS, tmp_path)
    for title, url in (("New: Polk", moa), ("No longer listed (provisional): Polk", later)):
        assert [link for _, _, link, _ in _content(tmp_path, title).iterlinks()] == [url]


def test_a_rebuilt_history_gives_the_same_bytes(tmp_path: Path) -> None:
    from tests.db.histories import story as everything

    with History(tmp_path) as history:
        history.post(*everything())
        write_feeds(history.connection, SETTINGS, tmp_path)
        assert history.rebuild().anew
        write_feeds(history.connection, Feeds(folder=Path("again")), tmp_path)
    assert _bytes(tmp_path / "again") == _bytes(tmp_path / "feeds")


def test_what_an_operator_decides_is_in_the_feeds(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows(*COUNTIES[:40])), Posted("participating", 1, rows(*COUNTIES[:3])))
        write_feeds(history.connection, SETTINGS, tmp_path)
        assert _told(tmp_path) == []
        history.decide(Verdict.ACCEPTED)
        assert write_feeds(history.connection, SETTINGS, tmp_path)
        assert len(_told(tmp_path)) == 37


def test_feeds_are_written_within_a_transaction_of_the_caller_too(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows("Bay")))
        with transaction(history.connection):
            assert write_feeds(history.connection, SETTINGS, tmp_path)
        assert not history.connection.in_transaction
        write_feeds(history.connection, SETTINGS, tmp_path)
        assert not history.connection.in_transaction


def test_a_folder_that_cannot_be_written_is_one_sentence(connection: sqlite3.Connection, tmp_path: Path) -> None:
    (tmp_path / "feeds").write_text("a file")
    with pytest.raises(FeedsError, match=r"^cannot write the feeds to .*; see alerts\.feeds\.folder$"):
        write_feeds(connection, SETTINGS, tmp_path)
    assert not connection.in_transaction


def test_the_events_are_found_by_an_index(connection: sqlite3.Connection, tmp_path: Path) -> None:
    asked: set[str] = set()
    connection.set_trace_callback(asked.add)
    write_feeds(connection, SETTINGS, tmp_path)
    connection.set_trace_callback(None)
    plans = {
        statement: [step["detail"] for step in connection.execute(f"explain query plan {statement}")]
        for statement in asked
        if statement.strip().startswith("select") and "group_concat" not in statement
    }
    assert len(plans) > len(states())
    for statement, plan in plans.items():
        for step in plan:
            assert not step.startswith("SCAN event") or "INDEX" in step, f"{step} in {statement}"
            assert "AUTOMATIC" not in step, f"{step} in {statement}"
