"""How things stand: what `status` says, as plain values and as lines."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from db import read
from db.records import ListName, Verdict


def read_standing(connection: sqlite3.Connection) -> dict[str, Any]:
    """The last check, the list in force of each list, what is held and how many decisions wait for review."""
    last = connection.execute("select * from check_log order by started_at desc limit 1").fetchone()
    good = connection.execute(
        "select max(finished_at) from check_log where outcome not in ('failed', 'failed-again')"
    ).fetchone()[0]
    review = connection.execute("select count(*) from decision where review = 1").fetchone()[0]
    return {
        "last_check": {key: last[key] for key in ("finished_at", "outcome", "message")} if last else None,
        "last_good_check_at": good,
        "lists": {name.value: _list(connection, name) for name in ListName},
        "held": [_held(connection, name) for name in ListName if _is_held(connection, name)],
        "review": review,
        "corrections": read.setting(connection, "corrections"),
    }


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
    for name, entry in standing["lists"].items():
        if entry is None:
            yield f"{name:<14} no list yet"
        else:
            said = f"{entry['file_name']} of {entry['published_on']}, {entry['rows']} rows"
            yield f"{name:<14} {said}, seen until {entry['last_seen_at']}"
    for held in standing["held"]:
        yield f"HELD           {held['list']} list {held['file_name']}: {held['reason']}"
        yield f"               decide with `watch287g held release {held['workbook_sha256'][:12]}` or `held reject ...`"
    if standing["review"]:
        yield f"review         {standing['review']} decisions near the border; see `watch287g review`"
