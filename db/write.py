"""Writing files, sightings, checks and the page's state; `db.publications` writes what is decided about publications.

Each function is called inside a transaction of its caller.
"""

import json
import sqlite3
from datetime import UTC, datetime

from db.records import ListName, Outcome, Publication, Sighting, Trigger, Verdict


def instant(moment: datetime) -> str:
    """A moment as the database stores it: ISO 8601, UTC, to the second."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def packed(value: object) -> str:
    """A value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def add_workbook(connection: sqlite3.Connection, sha256: str, size: int, now: datetime) -> int:
    """Note a raw file that is in the archive; returns its id, the same for the same hash."""
    connection.execute(
        "insert into workbook (sha256, bytes, archived_at) values (?, ?, ?) on conflict (sha256) do nothing",
        (sha256, size, instant(now)),
    )
    return int(connection.execute("select id from workbook where sha256 = ?", (sha256,)).fetchone()[0])


def describe_workbook(
    connection: sqlite3.Connection,
    sha256: str,
    list_name: ListName | None,
    modified: datetime | None,
    unreadable: tuple[str, str] | None = None,
) -> None:
    """Note what reading a raw file gave: its list and dcterms:modified, or why it cannot be read (reason, message)."""
    reason, message = unreadable or (None, None)
    connection.execute(
        "update workbook set list = ?, modified_at = ?, unreadable = ?, message = ? where sha256 = ?",
        (list_name, instant(modified) if modified else None, reason, message, sha256),
    )


def add_sighting(
    connection: sqlite3.Connection,
    sighting: Sighting,
    totals: int | None = None,
    recorded_at: datetime | None = None,
) -> bool:
    """Note that a workbook was seen. Seen again under the same name and address with nothing in between, the earlier
    sighting only lasts longer. Returns whether it is a sighting of its own that has yet to be looked at.
    `recorded_at` is when this history learns of it, where that is not the moment itself.
    """
    workbook = connection.execute("select id from workbook where sha256 = ?", (sighting.workbook,)).fetchone()[0]
    seen = instant(sighting.seen_at)
    cursor = connection.execute(
        "insert into sighting (workbook_id, file_name, url, seen_at, last_seen_at, last_modified, headers, totals,"
        " recorded_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " on conflict (seen_at, workbook_id, file_name, url) do nothing",
        (
            workbook,
            sighting.file_name,
            sighting.url or "",
            seen,
            seen,
            instant(sighting.last_modified) if sighting.last_modified else None,
            packed(dict(sighting.headers)) if sighting.headers else None,
            totals,
            instant(recorded_at or sighting.seen_at),
        ),
    )
    return cursor.rowcount > 0


def extend_sighting(connection: sqlite3.Connection, sighting_id: int, seen_at: datetime) -> None:
    """The workbook of a sighting still stands at its address: evidence that the list stood."""
    seen = instant(seen_at)
    connection.execute("update sighting set last_seen_at = max(last_seen_at, ?) where id = ?", (seen, sighting_id))
    connection.execute(
        "update publication set last_seen_at = max(last_seen_at, ?)"
        " where id = (select publication_id from sighting where id = ?)",
        (seen, sighting_id),
    )


def assign_sighting(connection: sqlite3.Connection, sighting_id: int, publication_id: int) -> None:
    """A sighting belongs to a publication, which was seen at least until then."""
    connection.execute("update sighting set publication_id = ? where id = ?", (publication_id, sighting_id))
    connection.execute(
        "update publication set last_seen_at = max(last_seen_at, (select last_seen_at from sighting where id = ?))"
        " where id = ?",
        (sighting_id, publication_id),
    )


def add_operator_verdict(
    connection: sqlite3.Connection, publication: Publication, verdict: Verdict, reason: str, now: datetime
) -> None:
    """Note that an operator releases (`accepted`) or rejects a publication."""
    workbook = connection.execute("select id from workbook where sha256 = ?", (publication.workbook,)).fetchone()[0]
    connection.execute(
        "insert into operator_verdict (list, workbook_id, seen_at, verdict, reason, decided_at)"
        " values (?, ?, ?, ?, ?, ?)"
        " on conflict (list, workbook_id, seen_at) do update set verdict = excluded.verdict, reason = excluded.reason,"
        " decided_at = excluded.decided_at",
        (publication.list, workbook, instant(publication.seen_at), verdict, reason, instant(now)),
    )


def remove_operator_verdict(connection: sqlite3.Connection, ident: int) -> None:
    """Forget what an operator decided; `ident` as `read.decided_by_operator` gives it."""
    connection.execute("delete from operator_verdict where id = ?", (ident,))


def add_check(
    connection: sqlite3.Connection,
    started_at: datetime,
    finished_at: datetime,
    trigger: Trigger,
    outcome: Outcome,
    fetched: object,
    message: str,
) -> None:
    """Note one check of the page: when, how it ended, what was fetched, in one line for people."""
    connection.execute(
        'insert into "check" (started_at, finished_at, trigger, outcome, fetched, message) values (?, ?, ?, ?, ?, ?)',
        (instant(started_at), instant(finished_at), trigger, outcome, packed(fetched), message),
    )


def set_page(
    connection: sqlite3.Connection,
    url: str,
    etag: str | None,
    last_modified: str | None,
    links: object,
    totals: object,
    fetched_at: datetime,
) -> None:
    """Keep the page's validators and what it linked, for the next conditional request."""
    connection.execute(
        "insert into page (url, etag, last_modified, links, totals, fetched_at) values (?, ?, ?, ?, ?, ?)"
        " on conflict (url) do update set etag = excluded.etag, last_modified = excluded.last_modified,"
        " links = excluded.links, totals = excluded.totals, fetched_at = excluded.fetched_at",
        (url, etag, last_modified, packed(links), packed(totals) if totals else None, instant(fetched_at)),
    )


def set_link(
    connection: sqlite3.Connection, url: str, sha256: str, file_name: str, etag: str | None, last_modified: str | None
) -> None:
    """Keep the validators of a workbook's address, once its bytes are in the archive."""
    connection.execute(
        "insert into link (url, workbook_id, file_name, etag, last_modified)"
        " values (?, (select id from workbook where sha256 = ?), ?, ?, ?)"
        " on conflict (url) do update set workbook_id = excluded.workbook_id, file_name = excluded.file_name,"
        " etag = excluded.etag, last_modified = excluded.last_modified",
        (url, sha256, file_name, etag, last_modified),
    )


def set_setting(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Keep a named value of the history as a whole."""
    connection.execute(
        "insert into setting (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
        (name, value),
    )
