"""Lists that wait for a decision, and lists that have stood for longer than usual."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from db import read
from db.records import ListName
from pipeline.notify.affairs.lines import days, detail, title
from pipeline.notify.affairs.page import linked
from pipeline.reports.messages.content import Affair
from pipeline.reports.wording import plural

_FEWEST_GAPS = 20
_LEAST_DAYS = 4.0
_TIMES = 3
_YEAR = timedelta(days=365)


def held(connection: sqlite3.Connection) -> Iterator[Affair]:
    """The publications that failed a required check and wait for the next list or a person."""
    for name in ListName:
        row = connection.execute(
            "select w.sha256, p.file_name, p.first_seen_at, p.rows, p.checks from publication p"
            " join workbook w on w.id = p.workbook_id where p.list = ? and p.verdict = 'held'"
            " order by p.id desc limit 1",
            (name,),
        ).fetchone()
        if row is not None:
            yield _held(name, *row)


def _held(name: ListName, sha256: str, file_name: str, seen_at: str, rows: int, checks: str) -> Affair:
    short = sha256[:12]
    failed = [check for check in json.loads(checks) if check["required"] and not check["ok"]]
    return Affair(
        f"held:{name}:{short}:{seen_at}",
        title(f"a {name} list is held, and its changes are not told: {file_name}"),
        (
            *(detail(f"Failed check `{check['name']}`: {check['note']}") for check in failed),
            f"It has {plural(rows, 'row')} and was first seen {seen_at}; SHA-256 {sha256}",
            f"`watch287g held release {short} --dry-run` says what it would tell.",
            "One of the commands below decides; the next list may do so too, by bearing it out or taking its place.",
        ),
        (f"watch287g held release {short} --why 'your reason'", f"watch287g held reject {short} --why 'your reason'"),
        seen_at,
    )


@dataclass(frozen=True, slots=True)
class _Pace:
    """The gaps in days between the new lists of a year: the usual one, the longest, and the longest not unusual."""

    usual: float
    longest: float
    allowed: float


def _pace(moments: Sequence[datetime]) -> _Pace | None:
    """What the history says of how often a list is replaced, or None where that is too little.

    Three times the gap that 95 of 100 stay under, and four days at least, for a long weekend. In 2025 that was 17 days
    for the participating list and 13 for the pending one, and nothing came near: the longest gap after the first
    twenty was 1.6 times that gap of 95 in 100, over Thanksgiving.
    """
    gaps = sorted(days(*pair) for pair in pairwise(moments))
    if len(gaps) < _FEWEST_GAPS:
        return None
    nearly_all = gaps[int(0.95 * len(gaps))]
    return _Pace(median(gaps), gaps[-1], max(_LEAST_DAYS, _TIMES * nearly_all))


def overdue(connection: sqlite3.Connection, allowed_days: float | None) -> Iterator[Affair]:
    """The lists that the page links and that have stood for longer than `allowed_days`, or than the history allows.

    How long one has stood is known from the checks that saw it, not from the clock: failing checks say nothing.
    """
    on_page = linked(connection)
    for name in ListName:
        if name in on_page and (affair := _overdue(connection, name, allowed_days)):
            yield affair


def _overdue(connection: sqlite3.Connection, name: ListName, allowed_days: float | None) -> Affair | None:
    newest = connection.execute(
        "select file_name, first_seen_at from publication where list = ? and verdict != 'rejected'"
        " order by id desc limit 1",
        (name,),
    ).fetchone()
    if newest is None:
        return None
    file_name, since = newest
    pace = _pace(_came(connection, name, read.moment(since) - _YEAR))
    allowed = allowed_days if allowed_days is not None else pace.allowed if pace else None
    (seen_until,) = connection.execute("select max(last_seen_at) from publication where list = ?", (name,)).fetchone()
    if allowed is None or days(read.moment(since), read.moment(seen_until)) <= allowed:
        return None
    return Affair(
        f"no_new_list:{name}:{since}",
        f"no new {name} list since {since}",
        (
            detail(f"The page still links {file_name}, last seen {seen_until}."),
            *([_usual(pace)] if pace else []),
            f"It may stand for {allowed:.3g} days"
            + (" (`alerts.operators.no_new_list_days`)." if allowed_days is not None else ", judged by those gaps."),
            "Look at ICE's page in a browser: does it have a list that this program does not see?",
        ),
        ("watch287g status",),
        since,
    )


def _usual(pace: _Pace) -> str:
    return f"The usual gap is {pace.usual:.1f} days; the longest in the year before was {pace.longest:.1f}."


def _came(connection: sqlite3.Connection, name: ListName, since: datetime) -> list[datetime]:
    """When the accepted lists of a year were first seen, in order."""
    rows = connection.execute(
        "select first_seen_at from publication where list = ? and verdict = 'accepted' and first_seen_at >= ?"
        " order by first_seen_at",
        (name, since.strftime("%Y-%m-%d")),
    )
    return [read.moment(row[0]) for row in rows]
