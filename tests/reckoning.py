"""What a simulated year must have come to, and what it did."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from db.connect import faults, open_readonly
from tests import affairs_told

if TYPE_CHECKING:
    from tests.year import Year

_EVENTS = (
    "kind, status, list, published_on, state, agency, county, support_model, signed_on, pending_since, changes,"
    " change_classes, workbook_sha256, workbook_name, row, previous_workbook_sha256, previous_workbook_name,"
    " previous_row, status_note"
)
_PUBLICATIONS = "list, workbook_sha256, file_name, published_on, modified_at, rows, verdict"
_UNCHANGED_MEMORY = 8_000_000
"""Bytes that all unchanged checks of the last three quarters together may take, by chance."""

_WRONG_AT_MOST = 12
"""Differences of one sort that are shown."""


def wrong(year: Year, reference: Path) -> list[str]:
    """Everything that is not as it must be, a line each."""
    failures, messages = year.course.failures, affairs_told.said(year.connection, year.course.start)
    return [
        *_different(year.connection, reference, "event_log", _EVENTS, "sequence"),
        *_different(year.connection, reference, "publication_log", _PUBLICATIONS, "first_seen_at, list"),
        *_not_found(year),
        *_outcomes(year),
        *affairs_told.wrong(failures, messages, year.alerts.alerts.operators.after_failures),
        *_still_open(year.connection),
        *_told(year),
        *_left_behind(year),
        *_grown(year),
    ]


def _different(connection: sqlite3.Connection, reference: Path, view: str, columns: str, order: str) -> Iterator[str]:
    """What a view of the year has and that of the undisturbed history has not, or the other way, or the order."""
    query = f"select {columns} from {view} order by {order}"  # noqa: S608 - names of ours
    lived = [tuple(row) for row in connection.execute(query)]
    with closing(open_readonly(reference)) as other:
        expected = [tuple(row) for row in other.execute(query)]
    for what, some in (
        ("unexpected", Counter(lived) - Counter(expected)),
        ("missing", Counter(expected) - Counter(lived)),
    ):
        for row, _ in zip(some.elements(), range(_WRONG_AT_MOST), strict=False):
            yield f"{view}: {what}: {row}"
    if lived != expected and Counter(lived) == Counter(expected):
        first = next(number for number, pair in enumerate(zip(lived, expected, strict=True)) if pair[0] != pair[1])
        yield f"{view}: in another order, from {first} of {len(expected)} on: {lived[first]}"


def _not_found(year: Year) -> Iterator[str]:
    """The postings that no check has seen."""
    rows = year.connection.execute(
        "select substr(w.sha256, 1, 16), s.file_name from sighting s join workbook w on w.id = s.workbook_id"
    )
    seen = {tuple(row) for row in rows}
    for posting in year.course.postings:
        if (posting.seen.path.stem, posting.seen.file_name) not in seen:
            yield f"never found: {posting.seen.file_name}, posted at hour {posting.hour}"


def _outcomes(year: Year) -> Iterator[str]:
    """The checks that went wrong without a cause, or well in spite of one."""
    lists = {"changed", "held"}  # these tell of a failure beside what they found in their message only
    rows = year.connection.execute("select outcome, message from check_log order by started_at").fetchall()
    if len(rows) != year.course.hours:
        yield f"{len(rows)} checks are recorded, of {year.course.hours}"
    for hour, (outcome, message) in enumerate(rows):
        failure = year.course.failures.get(hour)
        if (failure is not None) != outcome.startswith("failed") and not (failure and outcome in lists):
            yield f"hour {hour}, {failure.name if failure else 'nothing wrong'}: {outcome}: {message}"


def _still_open(connection: sqlite3.Connection) -> Iterator[str]:
    for (key,) in connection.execute("select key from affair where not over and key like 'failing:%'"):
        yield f"still open at the end: {key}"


def _told(year: Year) -> Iterator[str]:
    """Each event arrives once, and what was taken back, taken back once."""
    arrived: Counter[tuple[str, str]] = Counter()
    for path in (year.folder / "told").glob("*.json"):
        arrived.update((one["event_id"], one["occasion"]) for one in json.loads(path.read_text())["events"])
    expected: Counter[tuple[str, str]] = Counter()
    for event_id, status in year.connection.execute("select event_id, status from event_log"):
        expected[event_id, "told"] = 1
        if status == "retracted":
            expected[event_id, "retracted"] = 1
    for what, some in (("missing", expected - arrived), ("too many", arrived - expected)):
        for key, _ in zip(some.elements(), range(_WRONG_AT_MOST), strict=False):
            yield f"{what} for the subscriber: {' '.join(key)}"


def _left_behind(year: Year) -> Iterator[str]:
    """Files that nobody needs, raw files that are missing or damaged, and a database that is not whole."""
    left = [path for path in (year.folder / "temporary").rglob("*") if path.is_file()]
    left += [path for path in (year.folder / "history").rglob("*") if path.is_file() and path.name.startswith(".")]
    yield from (f"left behind: {path}" for path in left)
    posted = {posting.seen.path.stem for posting in year.course.postings}
    kept = sum(path.is_file() for path in (year.folder / "history").rglob("*"))
    if kept != len(posted):
        yield f"the archive has {kept} files, of {len(posted)} workbooks"
    yield from faults(year.connection)


def _grown(year: Year) -> Iterator[str]:
    """What the process holds more of at the end than after a quarter."""
    quarter, end = year.figures.samples[1], year.figures.samples[-1]
    if end.files > quarter.files or end.threads > quarter.threads:
        yield f"open files and threads have grown from {quarter} to {end}"
    # The lists grow eightfold in the year, and with them what reading one takes; checks without a new one take nothing.
    if end.memory > 1.5 * quarter.memory:
        yield f"the memory has grown from {quarter} to {end}"
    if year.figures.unchanged_memory > _UNCHANGED_MEMORY:
        yield f"checks that found nothing new have taken {year.figures.unchanged_memory:,} bytes of memory"


def account(year: Year) -> Iterator[str]:
    """The figures, for people."""
    course, figures = year.course, year.figures
    failures = course.failures
    ways = Counter(failure.name for failure in failures.values())
    rows = affairs_told.outages(failures)
    states = affairs_told.lasting(failures, year.alerts.alerts.operators.after_failures)
    yield (
        f"{course.hours:,} checks from {course.start:%Y-%m-%d %H:%M} on, {len(course.postings)} sightings;"
        f" {figures.seconds:.0f} s, {1000 * figures.seconds / course.hours:.0f} ms a check,"
        f" the slowest {figures.slowest:.1f} s"
    )
    yield (
        f"{len(failures)} checks failed in {len(ways)} ways, {len(rows)} times, for up to"
        f" {max(map(len, rows), default=0)} hours; {len(states)} states of affairs, of which"
        f" {sum(state.due is not None for state in states)} are to be told, unless they come and go"
    )
    outcomes = year.connection.execute("select outcome, count(*) from check_log group by 1 order by 2 desc")
    yield "outcomes: " + ", ".join(f"{outcome} {number:,}" for outcome, number in outcomes)
    events = year.connection.execute("select count(*) from event_log").fetchone()[0]
    verdicts = Counter(
        dict(year.connection.execute("select verdict, count(*) from publication_log group by 1").fetchall())
    )
    yield f"{events:,} events; {verdicts.total()} publications: {dict(verdicts)}"
    messages = affairs_told.said(year.connection, course.start)
    sorts = Counter(f"{one.key.partition(':')[0]} {one.occasion}" for one in messages)
    weeks = course.hours / 168
    yield f"{len(messages)} operator messages, {len(messages) / weeks:.1f} a week: {dict(sorts)}"
    kinds = Counter(one.key for one in messages if one.key.startswith("failing:") and one.occasion == "begun")
    yield f"failures that were told: {dict(kinds.most_common())}"
    told = len(list((year.folder / "told").glob("*.json")))
    yield f"{told} messages to the subscriber to everything"
    archive = sum(path.stat().st_size for path in (year.folder / "history").rglob("*") if path.is_file())
    yield (
        f"database {year._size():,} bytes, -wal at most {figures.longest_wal:,}, archive {archive:,},"
        f" crawl log {figures.log_bytes:,}; 1,000 unchanged checks add"
        f" {1000 * figures.unchanged_bytes // max(1, figures.unchanged):,} bytes"
        f" to the database, and those of the last three quarters added {figures.unchanged_memory:,} to the memory"
    )
    for sample in figures.samples:
        yield (
            f"  after {sample.checks:,} checks: {sample.memory / 1e6:.1f} MB in memory, {sample.files} open files,"
            f" {sample.threads} threads"
        )
