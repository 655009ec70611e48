"""Reading the history: plain queries that give rows or records. Nothing here writes."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

from db.records import Agreement, Left, ListName, Publication, Values, Verdict

ANNOTATED = "annotated"
"""The setting that names the newest publication of which agencies and places are known."""


def moment(text: str) -> datetime:
    """The aware UTC datetime of a stored instant."""
    return datetime.fromisoformat(text).astimezone(UTC)


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None


@dataclass(frozen=True, slots=True)
class SightingRow:
    """A sighting as stored, with what is known of its workbook; `totals` is the page's number of agreements.

    `list` is None until the workbook has been read. `recorded_at` is when this history took the sighting in: the moment
    itself for a check, much later for a backfill.
    """

    id: int
    workbook: str
    list: ListName | None
    file_name: str
    seen_at: datetime
    modified: datetime | None
    last_modified: datetime | None
    totals: int | None
    publication_id: int | None
    recorded_at: datetime


def sightings(connection: sqlite3.Connection, unassigned_only: bool = False) -> list[SightingRow]:
    """The sightings of workbooks that can be read, or have not been read yet, in no order."""
    where = "and s.publication_id is null" if unassigned_only else ""
    rows = connection.execute(
        "select s.id, w.sha256, w.list, s.file_name, s.seen_at, w.modified_at, s.last_modified,"  # noqa: S608
        " s.totals, s.publication_id, coalesce(s.recorded_at, max(w.archived_at, s.seen_at))"
        f" from sighting s join workbook w on w.id = s.workbook_id where w.unreadable is null {where}"
    )
    return [
        SightingRow(
            id=r[0],
            workbook=r[1],
            list=ListName(r[2]) if r[2] else None,
            file_name=r[3],
            seen_at=moment(r[4]),
            modified=_moment(r[5]),
            last_modified=_moment(r[6]),
            totals=r[7],
            publication_id=r[8],
            recorded_at=moment(r[9]),
        )
        for r in rows
    ]


def undescribed(connection: sqlite3.Connection) -> list[str]:
    """The workbooks in the archive that have not been read yet."""
    rows = connection.execute("select sha256 from workbook where list is null and unreadable is null order by id")
    return [row[0] for row in rows]


def workbooks(connection: sqlite3.Connection) -> list[str]:
    """The SHA-256 of every raw file, in order of arrival."""
    return [row[0] for row in connection.execute("select sha256 from workbook order by id")]


@dataclass(frozen=True, slots=True)
class StoredPublication:
    """A publication with its internal id, verdict and columns."""

    id: int
    publication: Publication
    verdict: Verdict
    columns: frozenset[str]


_PUBLICATION = (
    "select p.id, p.list, w.sha256, p.file_name, p.first_seen_at, p.published_on, p.dated_by, p.modified_at, p.verdict,"
    " p.columns from publication p join workbook w on w.id = p.workbook_id "
)


def _publication(row: sqlite3.Row) -> StoredPublication:
    publication = Publication(
        ListName(row[1]), row[2], row[3], moment(row[4]), date.fromisoformat(row[5]), row[6], _moment(row[7])
    )
    return StoredPublication(row[0], publication, Verdict(row[8]), frozenset(json.loads(row[9])))


def publications(connection: sqlite3.Connection, list_name: ListName | None = None) -> list[StoredPublication]:
    """All publications in the order in which they were decided."""
    where = "where p.list = ? " if list_name else ""
    rows = connection.execute(f"{_PUBLICATION}{where}order by p.id", (list_name,) if list_name else ())
    return [_publication(row) for row in rows]


def latest_publication(
    connection: sqlite3.Connection, list_name: ListName, verdict: Verdict | None = None
) -> StoredPublication | None:
    """The last publication of a list, or the last with that verdict."""
    where, values = ("and p.verdict = ?", (list_name, verdict)) if verdict else ("", (list_name,))
    row = connection.execute(f"{_PUBLICATION}where p.list = ? {where} order by p.id desc limit 1", values).fetchone()
    return _publication(row) if row else None


def placements(connection: sqlite3.Connection, publication_id: int) -> dict[int, tuple[str, bool]]:
    """Worksheet row -> (agreement, whether it is a duplicate row) of a publication."""
    rows = connection.execute(
        "select l.row, a.public_id, l.duplicate from placement l join agreement a on a.id = l.agreement_id"
        " where l.publication_id = ? order by l.row",
        (publication_id,),
    )
    return {row: (agreement, bool(duplicate)) for row, agreement, duplicate in rows}


def agreements(connection: sqlite3.Connection) -> Iterator[Agreement]:
    """Every agreement and application as it last stood, in the order in which they began."""
    rows = connection.execute(
        "select a.public_id, a.list, a.first_row, a.since, a.last_row, a.left_event, a.left_provisional,"
        " s.public_id as signed_as, f.published_on as first_on, fw.sha256 as first_workbook,"
        " l.published_on as left_on, lw.sha256 as left_workbook, t.published_on as last_on, tw.sha256 as last_workbook,"
        " v.state, v.agency, v.agency_type, v.county, v.support_model, v.signed_on, v.moa_url, v.addendum_url"
        " from agreement a"
        " join version v on v.id = (select max(id) from version where agreement_id = a.id)"
        " join publication f on f.id = a.first_publication_id join workbook fw on fw.id = f.workbook_id"
        " left join agreement s on s.id = a.signed_as"
        " left join publication l on l.id = a.left_publication_id left join workbook lw on lw.id = l.workbook_id"
        " left join publication t on t.id = a.last_publication_id left join workbook tw on tw.id = t.workbook_id"
        " order by a.id"
    )
    for r in rows:
        left = None
        if r["left_on"] is not None:
            left = Left(
                date.fromisoformat(r["left_on"]),
                r["left_workbook"],
                date.fromisoformat(r["last_on"]),
                r["last_workbook"],
                r["last_row"],
                r["left_event"],
                bool(r["left_provisional"]),
            )
        yield Agreement(
            r["public_id"],
            ListName(r["list"]),
            values(r),
            date.fromisoformat(r["first_on"]),
            r["first_workbook"],
            r["first_row"],
            date.fromisoformat(r["since"]),
            left,
            r["signed_as"],
        )


def values(row: sqlite3.Row) -> Values:
    """The clean values in a row that has their columns."""
    signed = row["signed_on"]
    return Values(
        row["state"],
        row["agency"],
        row["agency_type"],
        row["county"],
        row["support_model"],
        date.fromisoformat(signed) if signed else None,
        row["moa_url"],
        row["addendum_url"],
    )


def first_listings(connection: sqlite3.Connection) -> dict[tuple[str, str, int], str]:
    """(list, workbook, row) of the first listing of each agreement -> its id: what a rebuild keeps."""
    rows = connection.execute(
        "select a.list, w.sha256, a.first_row, a.public_id from agreement a"
        " join publication p on p.id = a.first_publication_id join workbook w on w.id = p.workbook_id order by a.id"
    )
    return {(row[0], row[1], row[2]): row[3] for row in rows}


def holder(connection: sqlite3.Connection, list_name: str, workbook: str, row: int) -> str | None:
    """The agreement that a row of a workbook is placed with."""
    found = connection.execute(
        "select a.public_id from placement l join agreement a on a.id = l.agreement_id"
        " join publication p on p.id = l.publication_id join workbook w on w.id = p.workbook_id"
        " where w.sha256 = ? and p.list = ? and l.row = ? order by p.id limit 1",
        (workbook, list_name, row),
    ).fetchone()
    return found[0] if found else None


class OperatorVerdict(NamedTuple):
    """What an operator decided about a publication, why and when."""

    verdict: Verdict
    reason: str
    decided_at: datetime


def operator_verdicts(connection: sqlite3.Connection) -> dict[tuple[str, str, str], OperatorVerdict]:
    """(list, workbook, first seen at) of a publication -> what an operator decided about it."""
    rows = connection.execute(
        "select o.list, w.sha256, o.seen_at, o.verdict, o.reason, o.decided_at from operator_verdict o"
        " join workbook w on w.id = o.workbook_id"
    )
    return {(row[0], row[1], row[2]): OperatorVerdict(Verdict(row[3]), row[4], moment(row[5])) for row in rows}


@dataclass(frozen=True, slots=True)
class Decided:
    """An operator's verdict on a workbook as it was seen, with its internal id."""

    id: int
    list: ListName
    workbook: str
    file_name: str
    seen_at: str
    verdict: Verdict
    reason: str
    decided_at: str


def decided_by_operator(connection: sqlite3.Connection, workbook: str) -> list[Decided]:
    """The operator's verdicts on the workbooks whose SHA-256 begins so, in the order in which they were given."""
    rows = connection.execute(
        "select o.id, o.list, w.sha256, coalesce((select s.file_name from sighting s where s.workbook_id = w.id"
        " and s.seen_at = o.seen_at limit 1), w.sha256), o.seen_at, o.verdict, o.reason, o.decided_at"
        " from operator_verdict o join workbook w on w.id = o.workbook_id"
        " where substr(w.sha256, 1, length(?)) = ? order by o.decided_at, o.id",
        (workbook, workbook),
    )
    return [Decided(r[0], ListName(r[1]), r[2], r[3], r[4], Verdict(r[5]), r[6], r[7]) for r in rows]


def waiting(connection: sqlite3.Connection) -> int:
    """How many workbooks have been seen and are not in the history yet: an interrupted run has left them."""
    row = connection.execute(
        "select count(distinct s.workbook_id) from sighting s join workbook w on w.id = s.workbook_id"
        " where s.publication_id is null and w.unreadable is null"
    ).fetchone()
    return int(row[0])


def setting(connection: sqlite3.Connection, name: str) -> str | None:
    """A named value of the history as a whole, or None."""
    row = connection.execute("select value from setting where name = ?", (name,)).fetchone()
    return row[0] if row else None


@dataclass(frozen=True, slots=True)
class Validators:
    """What a conditional request needs: an address's ETag and Last-Modified, and what was last seen there."""

    url: str
    etag: str | None
    last_modified: str | None
    workbook: str | None = None
    file_name: str | None = None


def page(connection: sqlite3.Connection, url: str) -> Mapping[str, str | None] | None:
    """The stored state of the page: etag, last_modified, links (JSON), totals (JSON), fetched_at; or None."""
    row = connection.execute(
        "select etag, last_modified, links, totals, fetched_at from page where url = ?", (url,)
    ).fetchone()
    return dict(row) if row else None


def links(connection: sqlite3.Connection) -> dict[str, Validators]:
    """The workbooks' addresses whose bytes are in the archive, with their validators."""
    rows = connection.execute(
        "select l.url, l.etag, l.last_modified, w.sha256, l.file_name from link l"
        " join workbook w on w.id = l.workbook_id"
    )
    return {row[0]: Validators(row[0], row[1], row[2], row[3], row[4]) for row in rows}


def is_annotated(connection: sqlite3.Connection) -> bool:
    """Whether every publication was there when agencies and places were last worked out."""
    newest = connection.execute("select coalesce(max(id), 0) from publication").fetchone()[0]
    return newest == 0 or setting(connection, ANNOTATED) == str(newest)


def last_outcome(connection: sqlite3.Connection) -> str | None:
    """The outcome of the last check, or None before the first."""
    row = connection.execute('select outcome from "check" order by id desc limit 1').fetchone()
    return row[0] if row else None


def last_seen(connection: sqlite3.Connection) -> dict[ListName, tuple[str, int]]:
    """Each list -> the workbook last seen for it and the id of that sighting."""
    rows = connection.execute(
        "select list, sha256, id from (select w.list, w.sha256, s.id, row_number() over"
        " (partition by w.list order by s.seen_at desc, s.id desc) as n from sighting s"
        " join workbook w on w.id = s.workbook_id where w.list is not null) where n = 1"
    )
    return {ListName(row[0]): (row[1], row[2]) for row in rows}


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of a raw file without reading it again."""

    list: ListName | None
    modified: datetime | None
    unreadable: str | None


def described(connection: sqlite3.Connection, sha256: str) -> Described | None:
    """The list and date of a raw file, or why it cannot be read; None if it is not in the history."""
    row = connection.execute("select list, modified_at, message from workbook where sha256 = ?", (sha256,)).fetchone()
    if row is None:
        return None
    return Described(ListName(row[0]) if row[0] else None, _moment(row[1]), row[2])


def last_sighting(connection: sqlite3.Connection) -> datetime | None:
    """When the last sighting of any list began, or None before the first."""
    return _moment(connection.execute("select max(seen_at) from sighting").fetchone()[0])


def sighted_as(connection: sqlite3.Connection, sighting_id: int) -> str | None:
    """The file name of a sighting."""
    row = connection.execute("select file_name from sighting where id = ?", (sighting_id,)).fetchone()
    return row[0] if row else None


def is_sighted(connection: sqlite3.Connection, sha256: str, file_name: str) -> bool:
    """Whether a workbook has been seen under this name, whenever."""
    found = connection.execute(
        "select 1 from sighting s join workbook w on w.id = s.workbook_id where w.sha256 = ? and s.file_name = ?",
        (sha256, file_name),
    )
    return found.fetchone() is not None


def holders_of_remembered(connection: sqlite3.Connection, public_id: str) -> list[str]:
    """The agreements that now have the listings that `remember_listings` noted for an id, earliest first."""
    rows = connection.execute(
        "select a.public_id from temp.known_listing k join publication p on p.workbook_id = k.workbook_id"
        " and p.list = k.list join placement l on l.publication_id = p.id and l.row = k.row"
        " join agreement a on a.id = l.agreement_id where k.public_id = ? order by k.publication_id, p.id",
        (public_id,),
    )
    return list(dict.fromkeys(row[0] for row in rows))


def decided_since(connection: sqlite3.Connection, publication: Publication) -> bool:
    """Whether another publication, of either list, has been decided about since this one was."""
    row = connection.execute(
        "select max(p.id) > (select q.id from publication q join workbook w on w.id = q.workbook_id where q.list = ?"
        " and w.sha256 = ? and q.first_seen_at = ?) from publication p",
        (publication.list, publication.workbook, publication.seen_at.strftime("%Y-%m-%dT%H:%M:%SZ")),
    ).fetchone()
    return bool(row[0])
