"""A check that finds nothing new is run three times a day for years: what it leaves must stay small."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from db import read
from db.connect import transaction
from db.records import ListName, Outcome, Trigger
from db.write import add_check, extend_sighting, set_link, set_page
from tests.db.histories import COUNTIES, NOW, History, Posted, rows, write_folder

CHECKS = 1_000
PAGE = "https://www.ice.gov/identify-and-arrest/287g"


def size(history: History) -> int:
    history.connection.execute("pragma wal_checkpoint(truncate)")
    return sum(path.stat().st_size for path in history.folder.iterdir() if path.is_file())


def test_a_thousand_unchanged_checks_add_less_than_a_megabyte(tmp_path: Path) -> None:
    """In the shape that `pipeline.run` writes: the page came, the workbooks stood; two transactions a check."""
    posted = [Posted("participating", 0, rows(*COUNTIES[:40])), Posted("pending", 0, rows(*COUNTIES[40:]))]
    with History(tmp_path) as history:
        history.backfill(write_folder(tmp_path / "posted", posted))
        connection = history.connection
        seen = read.last_seen(connection)
        assert set(seen) == set(ListName)
        url = "https://www.ice.gov/doclib/about/offices/ero/287g/{}".format
        links = [
            {"url": url(one.file_name), "text": "View", "list_hint": one.list, "known_shape": True} for one in posted
        ]
        before, told, history_before = size(history), {one.file_name: 304 for one in posted}, history.snapshot()
        connection.execute("pragma synchronous = off")
        for number in range(CHECKS):
            now = NOW + timedelta(hours=8 * number)
            with transaction(connection):
                set_page(connection, PAGE, f'"{number}"', None, links, {"agreements": 40}, now)
                for workbook, sighting in seen.values():
                    set_link(connection, url(workbook), workbook, "a.xlsx", '"etag"', None)
                    extend_sighting(connection, sighting, now)
            with transaction(connection):
                add_check(
                    connection, now, now + timedelta(seconds=5), Trigger.SCHEDULE, Outcome.UNCHANGED,
                    {"page": 200, **told}, "nothing has changed",
                )  # fmt: skip

        assert size(history) - before < 1_000_000
        assert len(history.table("check_log")) == CHECKS
        assert len(history.sightings()) == 2
        assert history.table("event_log") == history_before["event_log"] == []
        last = (NOW + timedelta(hours=8 * (CHECKS - 1))).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert history.table("publication_log", "last_seen_at") == [(last,), (last,)]
        history.rebuild()
        assert history.table("publication_log", "last_seen_at") == [(last,), (last,)]
