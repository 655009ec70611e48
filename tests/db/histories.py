"""Histories made of small workbooks: a folder as another project would have kept it, and a real database over it.

with History(tmp_path) as history:
    history.post(Posted("participating", 0, rows("Lee", "Polk")), Posted("participating", 1, rows("Lee")))
    assert history.events() == ["terminated Polk provisional"]
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from db.archive import Archive
from db.connect import open_writable
from db.records import ListName, Publication, Step, Verdict
from pipeline.backfill import Taken, take_in
from pipeline.derive import Derived, Historian, Rules
from tests import workbooks

FIRST_DAY = datetime(2025, 3, 3, 14, tzinfo=UTC)
NOW = datetime(2025, 12, 31, 12, tzinfo=UTC)

COUNTIES = (
    *("Alachua", "Baker", "Bay", "Bradford", "Brevard", "Broward", "Calhoun", "Charlotte", "Citrus", "Clay"),
    *("Collier", "Columbia", "DeSoto", "Dixie", "Duval", "Escambia", "Flagler", "Franklin", "Gadsden", "Gilchrist"),
    *("Glades", "Gulf", "Hamilton", "Hardee", "Hendry", "Hernando", "Highlands", "Hillsborough", "Holmes"),
    *("Jackson", "Jefferson", "Lafayette", "Lake", "Lee", "Leon", "Levy", "Liberty", "Madison", "Manatee", "Marion"),
    *("Martin", "Monroe", "Nassau", "Okaloosa", "Okeechobee", "Orange", "Osceola", "Pasco", "Pinellas", "Polk"),
)
"""Counties of Florida, no two of which are each other's misspelling."""

CONTRACT = {
    "event_log": "event_id kind status list detected_at published_on agreement_id state agency county support_model"
    " signed_on pending_since changes workbook_sha256 row previous_workbook_sha256 previous_row note",
    "current_agreements": "agreement_id state agency agency_type county support_model signed_on moa_url addendum_url"
    " printed_state printed_agency printed_type printed_county printed_support_type printed_signed printed_moa"
    " printed_addendum first_listed_on last_published_on workbook_name workbook_sha256 row",
    "listing_history": "agreement_id list state agency agency_type county support_model signed_on moa_url addendum_url"
    " valid_from valid_to",
    "publication_log": "list workbook_sha256 file_name first_seen_at last_seen_at published_on dated_by modified_at"
    " rows verdict reason checks",
    "check_log": "started_at finished_at trigger outcome fetched message",
}
"""The public views and the columns that they begin with."""

_TITLE = " County Sheriff's Office"

Row = dict[str, Any]


def sheriff(county: str, **cells: Any) -> Row:
    """A row of a list: the sheriff of a county of Florida, signed on 26 February 2025; `cells` by the header's word."""
    names = {"agency": "LAW ENFORCEMENT AGENCY", "model": "SUPPORT TYPE"}
    return {
        "LAW ENFORCEMENT AGENCY": f"{county} County Sheriff's Office",
        "COUNTY": f"{county} County",
        "SIGNED": datetime(2025, 2, 26),  # noqa: DTZ001 - a cell has no time zone
    } | {names.get(name, name.upper()): value for name, value in cells.items()}


def rows(*counties: str) -> list[Row]:
    """A row for the sheriff of each county."""
    return [sheriff(county) for county in counties]


@dataclass(frozen=True)
class Posted:
    """A list that ICE posts on a day, counted from 3 March 2025, and that is seen at 14:00 UTC (`hour` later)."""

    list: str
    day: int
    rows: Sequence[Row]
    name: str = ""
    hour: int = 0
    modified: datetime | None = None

    @property
    def seen_at(self) -> datetime:
        return FIRST_DAY + timedelta(days=self.day, hours=self.hour)

    @property
    def file_name(self) -> str:
        return self.name or f"{self.list}Agencies{self.seen_at:%m%d%Y}{'am' if self.hour <= 0 else 'pm'}.xlsx"

    @property
    def data(self) -> bytes:
        key = tuple(tuple(sorted(row.items())) for row in self.rows)
        return _workbook(self.list, key, self.modified or self.seen_at - timedelta(hours=2))

    def seen_again(self, day: int, hour: int = 0, name: str = "") -> Posted:
        """The very same file, seen on another day."""
        modified = self.modified or self.seen_at - timedelta(hours=2)
        return Posted(self.list, day, self.rows, name or self.file_name, hour, modified)


@cache
def _workbook(name: str, key: tuple[tuple[tuple[str, Any], ...], ...], modified: datetime) -> bytes:
    make: Callable[..., bytes] = workbooks.participating if name == "participating" else workbooks.pending
    return make([dict(row) for row in key], modified=modified)


def write_folder(folder: Path, posted: Iterable[Posted], manifest: bool = True) -> Path:
    """A folder of workbooks, with a manifest that has a line for each sighting, or without."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, one in enumerate(posted):
        path = folder / (f"{number:03}.xlsx" if manifest else one.file_name)
        path.write_bytes(one.data)
        lines.append((path.name, one.file_name, one.seen_at.isoformat()))
    if manifest:
        with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("path", "file_name", "seen_at"))
            writer.writerows(lines)
    return folder


class History:
    """A database and its raw files in a folder, as the commands use them."""

    def __init__(self, folder: Path, rules: Rules | None = None) -> None:
        self.folder = folder
        self.rules = rules or Rules()
        self.connection = open_writable(folder / "history.db")
        self.archive = Archive(folder / "archive")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def historian(self, hook: Callable[[], None] = lambda: None) -> Historian:
        return Historian(self.connection, self.archive, self.rules, hook=hook)

    def take_in(self, folder: Path, now: datetime = NOW) -> Taken:
        return take_in(folder, self.connection, self.archive, now)

    def backfill(self, folder: Path, now: datetime = NOW) -> Derived:
        """What `watch287g backfill` does."""
        self.take_in(folder, now)
        return self.historian().derive()

    def post(self, *posted: Posted) -> list[Step]:
        """Take in lists as they come, each by itself, as one check after another would."""
        steps: list[Step] = []
        for one in posted:
            steps += self.backfill(write_folder(self.folder / f"came-{len(self.sightings())}", [one])).steps
        return steps

    def rebuild(self) -> Derived:
        """What `watch287g rebuild` does."""
        return self.historian().rebuild()

    def decide(self, verdict: Verdict, name: ListName = ListName.PARTICIPATING) -> list[Step]:
        """What `watch287g held release` and `held reject` do."""
        return self.historian().decide(self.held(name), verdict, "a person has looked at it", NOW)

    def held(self, name: ListName = ListName.PARTICIPATING) -> Publication:
        """The publication that is held."""
        from db import read

        stored = read.latest_publication(self.connection, name, Verdict.HELD)
        assert stored is not None, f"nothing is held on the {name} list"
        return stored.publication

    def sightings(self) -> list[sqlite3.Row]:
        return self.connection.execute("select * from sighting").fetchall()

    def table(self, view: str, columns: str | None = None) -> list[tuple[Any, ...]]:
        """The rows of a public view in a settled order, as an outside program reads them; `sequence` is left out."""
        return view_rows(self.connection, view, columns)

    def events(self) -> list[str]:
        """The events in short: kind, agency without its title, status, in the order of their telling."""
        found = self.connection.execute("select kind, agency, status from event_log order by sequence")
        told = []
        for kind, agency, status in found:
            short = f"{kind} {agency.removesuffix(_TITLE)}"
            told.append(short if status == "confirmed" else f"{short} {status}")
        return told

    def verdicts(self) -> list[str]:
        """What became of each publication, in the order of their first sighting."""
        found = self.connection.execute("select verdict from publication_log order by first_seen_at, list, file_name")
        return [row[0] for row in found]

    def ids(self) -> dict[tuple[str, str, str], str]:
        """(list, workbook, row of the first listing) -> the id of the agreement."""
        found = self.connection.execute(
            "select a.list, w.sha256, a.first_row, a.public_id from agreement a"
            " join publication p on p.id = a.first_publication_id join workbook w on w.id = p.workbook_id"
        )
        return {(row[0], row[1], row[2]): row[3] for row in found}

    def snapshot(self) -> dict[str, list[tuple[Any, ...]]]:
        """All of the history that a reader sees."""
        return snapshot(self.connection)


def view_rows(connection: sqlite3.Connection, view: str, columns: str | None = None) -> list[tuple[Any, ...]]:
    """The rows of a view, sorted; all columns but `sequence`, or those named."""
    if columns is None:
        names = [row[1] for row in connection.execute(f"pragma table_info({view})") if row[1] != "sequence"]
        columns = ", ".join(f'"{name}"' for name in names)
    found = connection.execute(f"select {columns} from {view}").fetchall()  # noqa: S608 - names from the tests
    return sorted((tuple(row) for row in found), key=repr)


def snapshot(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """The views that are a function of the archive."""
    views = ("event_log", "publication_log", "listing_history", "current_agreements")
    return {view: view_rows(connection, view) for view in views}


def in_one_go(folder: Path, posted: Sequence[Posted], rules: Rules | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """The snapshot of a history that took everything in at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with History(folder, rules) as history:
        history.backfill(write_folder(folder / "all", posted))
        return history.snapshot()


def story() -> list[Posted]:
    """A short history with everything in it: both lists; new, ended, back again, respelt; held and borne out, held and
    taken back, a stale list; applications signed and withdrawn.
    """
    forty = rows(*COUNTIES[:40])
    posted = [
        Posted("participating", 0, forty),
        Posted("pending", 0, rows(*COUNTIES[40:45])),
        Posted("participating", 1, [*forty, sheriff(COUNTIES[40], signed=datetime(2025, 3, 4))]),  # noqa: DTZ001
        Posted("pending", 1, rows(*COUNTIES[41:46])),
        Posted("participating", 2, [*forty[2:], sheriff(COUNTIES[40], signed=datetime(2025, 3, 4))]),  # noqa: DTZ001
        Posted("pending", 2, rows(*COUNTIES[42:46])),
    ]
    without = [*forty[2:], sheriff(COUNTIES[40], signed=datetime(2025, 3, 4)), sheriff("Polk", type="Municipal")]  # noqa: DTZ001
    corrected = [{**without[0], "LAW ENFORCEMENT AGENCY": "Bay County Sherriffs Office"}, *without[1:]]
    posted.append(Posted("participating", 3, corrected))
    posted.append(Posted("participating", 4, [forty[1], *corrected]))
    full = [forty[1], *corrected]
    posted += [
        Posted("participating", 5, full[:22]),
        Posted("participating", 6, [*full[:22], sheriff("Pinellas")]),
        Posted("participating", 7, full[:3]),
    ]
    borne = posted[-2]
    posted += [
        borne.seen_again(8),
        posted[2].seen_again(9, name="participatingAgencies03122025am.xlsx"),
        Posted("participating", 10, [*full[:21], sheriff("Pinellas"), sheriff("Pasco")]),
        Posted("pending", 45, rows(COUNTIES[43], COUNTIES[45])),
        Posted("participating", 46, [*full[:21], sheriff("Pinellas"), sheriff("Pasco"), sheriff("Orange")]),
    ]
    return posted
