"""How things stand: what `status` says, as plain values and as lines."""

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from db import outbox, read
from db.records import ListName, Verdict
from pipeline.reports.wording import plural

REVIEW_DAYS = 30
"""How far before the newest list a decision near the border is still news."""

WITHOUT_CORRECTIONS = "e3b0c44298fc1c14"
"""The fingerprint of no corrections (see `derive.fingerprint`), kept here so that `status` starts at once."""


def read_standing(connection: sqlite3.Connection, now: datetime, stale_hours: float) -> dict[str, Any]:
    """The last check and whether it is too long ago, the list in force of each list, what is held, how many decisions
    wait for review, how many workbooks wait to be taken in, and with which corrections the history was made.
    """
    last = connection.execute("select * from check_log order by started_at desc limit 1").fetchone()
    good = connection.execute(
        "select max(finished_at) from check_log where outcome not in ('failed', 'failed-again')"
    ).fetchone()[0]
    recent, older = review_counts(connection, REVIEW_DAYS)
    return {
        "last_check": {key: last[key] for key in ("finished_at", "outcome", "message")} if last else None,
        "last_good_check_at": good,
        "stale": bool(last) and read.moment(last["finished_at"]) < now - timedelta(hours=stale_hours),
        "lists": {name.value: _list(connection, name) for name in ListName},
        "held": held(connection),
        "review": recent,
        "review_older": older,
        "waiting": read.waiting(connection),
        "alerts": outbox.numbers(connection),
        "made_with": read.setting(connection, "corrections"),
    }


def review_counts(connection: sqlite3.Connection, days: int) -> tuple[int, int]:
    """How many decisions ask for review: in the lists of so many days before the newest, and in those before."""
    row = connection.execute(
        "select coalesce(sum(p.published_on >= newest.since), 0), coalesce(sum(p.published_on < newest.since), 0)"
        " from (select date(max(published_on), ?) as since from publication) newest, decision d"
        " join publication p on p.id = d.publication_id where d.review = 1",
        (f"-{days} days",),
    ).fetchone()
    return int(row[0]), int(row[1])


def held(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    """The publications that are held, at most one for each list."""
    return [_held(connection, name) for name in ListName if _is_held(connection, name)]


def _list(connection: sqlite3.Connection, name: ListName) -> dict[str, Any] | None:
    stored = read.latest_publication(connection, name, Verdict.ACCEPTED)
    if stored is None:
        return None
    row = connection.execute("select rows, last_seen_at from publication where id = ?", (stored.id,)).fetchone()
    publication = stored.publication
    return {
        "file_name": publication.file_name,
        "workbook_sha256": publication.workbook,
        "published_on": publication.published_on.isoformat(),
        "rows": row["rows"],
        "last_seen_at": row["last_seen_at"],
    }


def _is_held(connection: sqlite3.Connection, name: ListName) -> bool:
    return read.latest_publication(connection, name, Verdict.HELD) is not None


def _held(connection: sqlite3.Connection, name: ListName) -> dict[str, Any]:
    stored = read.latest_publication(connection, name, Verdict.HELD)
    if stored is None:
        raise ValueError(f"nothing is held on the {name} list")
    row = connection.execute("select * from publication where id = ?", (stored.id,)).fetchone()
    return {
        "list": name.value,
        "file_name": stored.publication.file_name,
        "workbook_sha256": stored.publication.workbook,
        "first_seen_at": row["first_seen_at"],
        "rows": row["rows"],
        "reason": row["reason"],
    }


def lines(standing: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    last = standing["last_check"]
    said = f"{last['outcome']} at {last['finished_at']}: {last['message']}" if last else "none yet"
    yield f"last check     {said}"
    if last and last["outcome"].startswith("failed"):
        yield f"last good one  {standing['last_good_check_at'] or 'none'}"
    if standing["stale"]:
        yield "STALE          that is too long ago; does cron still run `watch287g check`?"
    for name, entry in standing["lists"].items():
        if entry is None:
            yield f"{name:<14} no list yet"
        else:
            said = f"{entry['file_name']} of {entry['published_on']}, {plural(entry['rows'], 'row')}"
            yield f"{name:<14} {said}, seen until {entry['last_seen_at']}"
    for held in standing["held"]:
        yield f"HELD           {held['list']} list {held['file_name']}: {held['reason']}"
        yield f"               decide with `watch287g held release {held['workbook_sha256'][:12]}` or `held reject ...`"
    if standing["waiting"]:
        yield f"waiting        {waiting(standing['waiting'])}; the next check does it, or the backfill run again"
    yield from _machine(standing)
    yield from _alerts(standing)
    if standing["review"] or standing["review_older"]:
        older = f", {standing['review_older']:,} more in older lists (--all)" if standing["review_older"] else ""
        yield f"review         {plural(standing['review'], 'decision')} near the border{older}; see `watch287g review`"
    if standing["corrections_mistake"]:
        yield f"corrections    {standing['corrections_mistake'].splitlines()[0]}"
    elif standing["corrections_changed"]:
        yield "corrections    corrections.yaml has changed since the history was made; run `watch287g rebuild`"


def _machine(standing: dict[str, Any]) -> Iterator[str]:
    daemon = standing["daemon"]
    if daemon is not None:
        runs = ", ".join(f"{name} {moment}" for name, moment in daemon["next"].items())
        yield f"daemon         runs since {daemon['started_at']} (process {daemon['pid']}); next: {runs or 'nothing'}"
        if daemon["backing_off_until"]:
            yield f"               ICE is asked less often, next after {daemon['backing_off_until']}"
        if daemon["config_error"]:
            yield f"               the config was not reloaded: {daemon['config_error']}"
    yield f"disk           {standing['disk_free_bytes'] / 1e9:,.1f} GB free; watch287g {standing['version']}"


def _alerts(standing: dict[str, Any]) -> Iterator[str]:
    if standing["alerts_mistake"]:
        to = f" to {', '.join(standing['alerts_mistaken'])}" if standing["alerts_mistaken"] else ""
        yield f"alerts         NONE can be sent{to}: {standing['alerts_mistake'].splitlines()[0]}"
    alerts = standing["alerts"]
    if alerts["due"] or alerts["failed"]:
        failed = f", {alerts['failed']:,} finally failed (`alerts retry`)" if alerts["failed"] else ""
        yield f"alerts         {plural(alerts['due'], 'message')} due{failed}; see `watch287g alerts log`"


def waiting(number: int) -> str:
    """That workbooks have been seen and are not in the history yet."""
    return f"{plural(number, 'workbook')} {'waits' if number == 1 else 'wait'} to be taken in"
