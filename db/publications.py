"""Writing what was decided about a publication: its agreements, values, rows, events and decisions.

Each function is called inside a transaction of its caller.
"""

import hashlib
import sqlite3
from collections.abc import Iterable
from datetime import datetime

from db.records import Agreement, Decision, Event, ListName, Printed, Publication, Role, Step, Values, Verdict
from db.write import instant, packed

_DERIVED = (
    "decision",
    "event",
    "placement",
    "version",
    "agreement",
    "agency",
    "agency_search",
    "finding",
    "printed",
    "publication",
)
_PRINTED = Printed.__slots__


class Ids(dict[str, int]):
    """Internal ids, looked up once: agreements by public id, and printed rows, which are stored once and remembered by
    identity, since reading gives one object for the rows that repeat from list to list.

    To be made anew after a rollback, and after `clear_derived`.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection
        self._known: dict[int, tuple[Printed, int]] = {}

    def __missing__(self, public_id: str) -> int:
        row = self._connection.execute("select id from agreement where public_id = ?", (public_id,)).fetchone()
        self[public_id] = int(row[0])
        return self[public_id]

    def printed(self, printed: Printed) -> int:
        """The id of a printed row, which is written if it is new."""
        known = self._known.get(id(printed))
        if known is None:
            known = self._known[id(printed)] = (printed, self._find(printed))
        return known[1]

    def _find(self, printed: Printed) -> int:
        cells = packed([getattr(printed, name) for name in _PRINTED])
        digest = int.from_bytes(hashlib.blake2b(cells.encode(), digest_size=8).digest(), signed=True)
        row = self._connection.execute("select id from printed where digest = ?", (digest,)).fetchone()
        if row is not None:
            return int(row[0])
        cursor = self._connection.execute("insert into printed (digest, cells) values (?, ?)", (digest, cells))
        return int(cursor.lastrowid or 0)


def write_step(connection: sqlite3.Connection, step: Step, ids: Ids, known_at: datetime) -> int:
    """Write what was decided about one publication, with all that follows from it; returns the publication's id.

    `known_at` is when this history could know what was decided.
    """
    publication_id = _write_publication(connection, step, instant(known_at))
    if step.verdict is not Verdict.ACCEPTED:
        return publication_id
    workbooks = _Publications(connection, step.publication, publication_id)
    _write_agreements(connection, step.agreements, workbooks, ids)
    _write_placements(connection, step, publication_id, ids)
    _write_events(connection, step.events, workbooks, ids)
    seen = instant(step.publication.seen_at)
    connection.executemany(
        "update event set status = ?, status_note = ?, status_changed_at = ? where public_id = ?",
        [(change.status, change.note, seen, change.event) for change in step.status_changes],
    )
    return publication_id


def find_publication(connection: sqlite3.Connection, publication: Publication) -> int | None:
    """The id under which a publication was written, or None."""
    row = connection.execute(
        "select p.id from publication p join workbook w on w.id = p.workbook_id"
        " where p.list = ? and w.sha256 = ? and p.first_seen_at = ?",
        (publication.list, publication.workbook, instant(publication.seen_at)),
    ).fetchone()
    return int(row[0]) if row else None


def _write_publication(connection: sqlite3.Connection, step: Step, known_at: str) -> int:
    publication = step.publication
    known = find_publication(connection, publication)
    checks = packed([{"name": r.name, "ok": r.ok, "required": r.required, "note": r.note} for r in step.results])
    if known is not None:
        connection.execute(
            "update publication set verdict = ?, reason = ?, known_at = ? where id = ?",
            (step.verdict, step.reason, known_at, known),
        )
        if step.results:
            connection.execute("update publication set checks = ? where id = ?", (checks, known))
        return known
    workbook = connection.execute("select id from workbook where sha256 = ?", (publication.workbook,)).fetchone()[0]
    seen = instant(publication.seen_at)
    cursor = connection.execute(
        "insert into publication (list, workbook_id, file_name, first_seen_at, last_seen_at, published_on, dated_by,"
        " modified_at, rows, columns, verdict, reason, checks, known_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            publication.list,
            workbook,
            publication.file_name,
            seen,
            seen,
            publication.published_on.isoformat(),
            publication.dated_by,
            instant(publication.modified) if publication.modified else None,
            step.rows,
            packed(sorted(step.columns)),
            step.verdict,
            step.reason,
            checks,
            known_at,
        ),
    )
    publication_id = int(cursor.lastrowid or 0)
    connection.executemany(
        "insert into finding (publication_id, code, row, field, message) values (?, ?, ?, ?, ?)",
        [(publication_id, f.code, f.row, f.column, f.message) for f in step.findings],
    )
    return publication_id


class _Publications:
    """Looks up the publication in which something stood: the latest accepted one of a workbook and list."""

    def __init__(self, connection: sqlite3.Connection, publication: Publication, publication_id: int) -> None:
        self._connection = connection
        self.current = publication_id
        self._known: dict[tuple[ListName, str], int] = {(publication.list, publication.workbook): publication_id}

    def find(self, list_name: ListName, workbook: str) -> int:
        key = (list_name, workbook)
        if key not in self._known:
            row = self._connection.execute(
                "select max(p.id) from publication p join workbook w on w.id = p.workbook_id"
                " where w.sha256 = ? and p.list = ? and p.verdict = 'accepted'",
                (workbook, list_name),
            ).fetchone()
            if row[0] is None:
                row = self._connection.execute(
                    "select max(id) from publication where list = ?", (list_name,)
                ).fetchone()
            self._known[key] = int(row[0])
        return self._known[key]


def _write_agreements(
    connection: sqlite3.Connection, agreements: Iterable[Agreement], workbooks: _Publications, ids: Ids
) -> None:
    changed = list(agreements)
    for a in changed:
        connection.execute(
            "insert into agreement (public_id, list, first_publication_id, first_row, since) values (?, ?, ?, ?, ?)"
            " on conflict (public_id) do update set since = excluded.since",
            (a.id, a.list, workbooks.find(a.list, a.first_workbook), a.first_row, a.since.isoformat()),
        )
    for a in changed:
        left = a.left
        connection.execute(
            "update agreement set signed_as = ?, left_publication_id = ?, last_publication_id = ?, last_row = ?,"
            " left_event = ?, left_provisional = ? where public_id = ?",
            (
                ids[a.signed_as] if a.signed_as else None,
                workbooks.find(a.list, left.workbook) if left else None,
                workbooks.find(a.list, left.last_workbook) if left else None,
                left.last_row if left else None,
                left.event if left else None,
                left.provisional if left else False,
                a.id,
            ),
        )
        _write_version(connection, a, ids[a.id], workbooks)


def _write_version(connection: sqlite3.Connection, a: Agreement, agreement_id: int, workbooks: _Publications) -> None:
    """Close the values that were in force and open the new ones, where they differ."""
    open_version = connection.execute(
        "select * from version where agreement_id = ? and to_publication_id is null", (agreement_id,)
    ).fetchone()
    values = _columns(a.values)
    if a.left is not None:
        if open_version is not None:
            to = workbooks.find(a.list, a.left.workbook)
            connection.execute("update version set to_publication_id = ? where id = ?", (to, open_version["id"]))
        return
    if open_version is not None and tuple(open_version)[4:12] == values:
        return
    publication_id = workbooks.current
    if open_version is not None:
        connection.execute(
            "update version set to_publication_id = ? where id = ?", (publication_id, open_version["id"])
        )
    connection.execute(
        "insert into version (agreement_id, from_publication_id, state, agency, agency_type, county, support_model,"
        " signed_on, moa_url, addendum_url) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (agreement_id, publication_id, *values),
    )


def _columns(v: Values) -> tuple[str | None, ...]:
    signed = v.signed_on.isoformat() if v.signed_on else None
    return v.state, v.agency, v.agency_type, v.county, v.support_model, signed, v.moa_url, v.addendum_url


def _write_placements(connection: sqlite3.Connection, step: Step, publication_id: int, ids: Ids) -> None:
    connection.executemany(
        "insert into placement (publication_id, row, agreement_id, printed_id, duplicate) values (?, ?, ?, ?, ?)",
        [
            (publication_id, p.listing.row, ids[p.agreement], ids.printed(p.listing.printed), p.role is Role.DUPLICATE)
            for p in step.placements
        ],
    )
    for p in step.placements:
        if p.decision is not None:
            _write_decision(connection, publication_id, ids[p.agreement], p.listing.row, p.decision)
    for event in step.events:
        if event.row is None and event.decision is not None:
            _write_decision(connection, publication_id, ids[event.agreement], None, event.decision)


def _write_decision(
    connection: sqlite3.Connection, publication_id: int, agreement_id: int, row: int | None, decision: Decision
) -> None:
    connection.execute(
        "insert into decision (publication_id, agreement_id, row, rule, score, evidence, review)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        (
            publication_id,
            agreement_id,
            row,
            decision.rule,
            decision.score,
            packed(dict(decision.evidence)),
            decision.review,
        ),
    )


def _write_events(connection: sqlite3.Connection, events: Iterable[Event], workbooks: _Publications, ids: Ids) -> None:
    for e in events:
        connection.execute(
            "insert into event (public_id, kind, status, list, detected_at, published_on, agreement_id,"
            " related_agreement_id, state, agency, county, support_model, signed_on, pending_since, changes, classes,"
            " publication_id, row, previous_publication_id, previous_row, note)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                e.id,
                e.kind,
                e.status,
                e.list,
                instant(e.detected_at),
                e.published_on.isoformat(),
                ids[e.agreement],
                ids[e.related] if e.related else None,
                e.values.state,
                e.values.agency,
                e.values.county,
                e.values.support_model,
                e.values.signed_on.isoformat() if e.values.signed_on else None,
                e.pending_since.isoformat() if e.pending_since else None,
                packed({name: list(pair) for name, pair in e.changes.items()}) if e.changes else None,
                packed(dict(e.classes)) if e.classes else None,
                workbooks.find(e.list, e.workbook),
                e.row,
                workbooks.find(e.list, e.previous_workbook) if e.previous_workbook else None,
                e.previous_row,
                e.note,
            ),
        )


def remember_listings(connection: sqlite3.Connection) -> None:
    """Note which listings each agreement has, before `clear_derived`; for as long as the connection lasts."""
    connection.execute("drop table if exists temp.known_listing")
    connection.execute(
        "create temp table known_listing as select a.public_id, p.list, p.workbook_id, l.row, l.publication_id"
        " from placement l join agreement a on a.id = l.agreement_id join publication p on p.id = l.publication_id"
    )
    connection.execute("create index temp.known_listing_id on known_listing (public_id)")


def clear_derived(connection: sqlite3.Connection) -> None:
    """Remove everything that is derived from the archive, the sightings and the operator's verdicts."""
    connection.execute("pragma defer_foreign_keys = on")
    connection.execute("update sighting set publication_id = null")
    connection.execute("update workbook set unreadable = null, message = null where unreadable is not null")
    for table in _DERIVED:
        connection.execute(f"delete from {table}")  # noqa: S608 - the names are constants above


def rename_agreement(connection: sqlite3.Connection, old: str, new: str) -> None:
    """Give an agreement the id under which it was known before."""
    connection.execute("update agreement set public_id = ? where public_id = ?", (new, old))
