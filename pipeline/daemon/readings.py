"""How things stand, in the numbers that a monitor asks for, from the history and the disk."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db import outbox, read
from db.connect import HistoryError, open_readonly
from db.records import ListName, Outcome


@dataclass(frozen=True, slots=True)
class ListReading:
    """The list in force: its number of rows, and when it was first seen."""

    rows: int
    first_seen_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """What the history says. `checks` has the number of checks by outcome, all that have ever been; `failures` those
    since the last good one. `alerts_waiting` are messages that are due, `alerts_failed` those that were given up.
    """

    last_finished: datetime | None
    last_success: datetime | None
    failures: int
    checks: Mapping[Outcome, int]
    lists: Mapping[ListName, ListReading]
    held: int
    alerts_waiting: int
    alerts_failed: int


@dataclass(frozen=True, slots=True)
class Readings:
    """All that the endpoint tells. `history` is None where it cannot be read, and `unreadable` then says why."""

    history: History | None
    unreadable: str | None
    is_stale: bool
    free_bytes: int | None
    next_runs: Mapping[str, datetime] = field(default_factory=dict)


def take(
    database: Path, now: datetime, stale_hours: float, next_runs: Mapping[str, datetime] | None = None
) -> Readings:
    """Read everything; a history that cannot be read is one of the readings.

    Args:
        database: the history's file.
        now: the time by which the last check is too old, aware.
        stale_hours: how old the last check may be.
        next_runs: when which job of the daemon runs next.
    """
    history, unreadable = None, None
    try:
        history = _history(database)
    except (HistoryError, sqlite3.Error, OSError, ValueError):
        unreadable = "the history cannot be read" if database.exists() else "there is no history yet"
    finished = history.last_finished if history else None
    is_stale = finished is not None and finished < now - timedelta(hours=stale_hours)
    return Readings(history, unreadable, is_stale, _free_bytes(database), next_runs or {})


def trouble(readings: Readings) -> str | None:
    """What is not as it should be, in one line of our own words; None if all is well. That a list is held is well."""
    history = readings.history
    if history is None:
        return readings.unreadable
    if history.last_finished is None:
        return "there has been no check yet"
    if readings.is_stale:
        return f"the last check was at {_shown(history.last_finished)}, too long ago"
    if history.failures:
        since = f"; the last good one was at {_shown(history.last_success)}" if history.last_success else ""
        return f"the last {'check' if history.failures == 1 else f'{history.failures:,} checks'} failed{since}"
    return None


def _history(database: Path) -> History:
    with closing(open_readonly(database)) as connection:
        connection.execute("begin")  # one snapshot for all of it
        last = connection.execute('select finished_at from "check" order by id desc limit 1').fetchone()
        good = connection.execute(_LAST_GOOD).fetchone()
        failures = connection.execute('select count(*) from "check" where id > ?', (good[0] if good else 0,)).fetchone()
        checks = dict.fromkeys(Outcome, 0)
        checks |= {
            Outcome(outcome): number
            for outcome, number in connection.execute('select outcome, count(*) from "check" group by outcome')
        }
        alerts = outbox.numbers(connection)
        return History(
            last_finished=read.moment(last[0]) if last else None,
            last_success=read.moment(good[1]) if good else None,
            failures=failures[0],
            checks=checks,
            lists={name: reading for name in ListName if (reading := _list(connection, name))},
            held=connection.execute("select count(*) from publication where verdict = 'held'").fetchone()[0],
            alerts_waiting=alerts["due"],
            alerts_failed=alerts["failed"],
        )


_LAST_GOOD = (
    "select id, finished_at from \"check\" where outcome not in ('failed', 'failed-again') order by id desc limit 1"
)


def _list(connection: sqlite3.Connection, name: ListName) -> ListReading | None:
    row = connection.execute(
        "select rows, first_seen_at from publication where list = ? and verdict = 'accepted' order by id desc limit 1",
        (name,),
    ).fetchone()
    return ListReading(row[0], read.moment(row[1])) if row else None


def _free_bytes(database: Path) -> int | None:
    try:
        return shutil.disk_usage(database.parent).free
    except OSError:
        return None


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
