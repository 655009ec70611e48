"""What was odd in the lists in force and needs a person: columns and values that are not known.

Most of what is odd does not: ICE misspells states and types dates as text every month, and both are read.
"""

import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from db.records import ListName, Verdict
from pipeline.notify.affairs.lines import detail, title
from pipeline.reports.messages.content import Affair

_NAMED = 5
"""So many rows are named; and values beyond so many at once are one affair, a column that slipped."""

_HABIT = 20
"""A value that is kept as printed matters when it is on so many rows: a new habit of ICE's, not a typing error."""


@dataclass(frozen=True, slots=True)
class _Sort:
    """How findings of one code are told.

    `what` and `means` say what was found and what follows from it. `check` names the check of a publication that tells
    of it where it fails, `least` the rows below which nothing is told. `fixable`: a correction can give the value.
    `apart`: each message is an affair by itself; else the code is. `counted`: its numbers may change from day to day.
    """

    what: str
    means: str
    check: str = ""
    least: int = 1
    fixable: bool = False
    apart: bool = True
    counted: bool = False


_UNREAD = "The value is kept as it is printed; in the history it is blank."
_AS_PRINTED = "The value is taken as it is printed."
_LEFT_OUT = "It is not part of the history."

_SORTS = {
    "unknown_column": _Sort("a column that is not known", "It is not read. ICE may have added or renamed one."),
    "missing_column": _Sort("a column is missing", "Its values are not known.", check="columns"),
    "sheet": _Sort("an odd worksheet", "It was read all the same; look whether rightly.", counted=True),
    "unknown_state": _Sort("a state that is not known", _UNREAD, check="states", fixable=True),
    "unknown_model": _Sort("a support model that is not known", _UNREAD, check="models", fixable=True),
    "unknown_type": _Sort("a type of agency that is not known", _AS_PRINTED, fixable=True),
    "agency_missing": _Sort("a row that names no agency", _UNREAD, check="agencies", fixable=True),
    "date_impossible": _Sort("a signing date that cannot be", _UNREAD, check="signing_dates", fixable=True),
    "date_unreadable": _Sort("a signing date that cannot be read", _UNREAD, check="signing_dates", fixable=True),
    "date_missing": _Sort("an agreement without a signing date", "In the history it is blank.", fixable=True),
    "unreadable_link": _Sort("a link that leads nowhere", "It is not kept."),
    "foreign_link": _Sort(
        "a link to a host that is not ICE's",
        "It is not kept. If the host is ICE's, add it to `source.link_hosts` in config.yaml.",
    ),
    "hidden_row": _Sort("rows hidden by hand", f"{_LEFT_OUT} So far such rows were stale.", apart=False),
    "no_listing": _Sort("rows that are notes or headers", _LEFT_OUT, apart=False),
    "unknown_county": _Sort("a county that is not known", _AS_PRINTED, check="states", least=_HABIT, fixable=True),
    "unknown_link_text": _Sort("a link's text that is not known", "The link itself is kept.", least=_HABIT),
}

CODES = frozenset(_SORTS)
"""The codes that may need a person."""

READ_ALL_THE_SAME = frozenset({"date_as_text", "date_as_number", "misspelt_state", "misspelt_model"})
"""The codes that need nobody: the value is known."""


class _Found(NamedTuple):
    """A finding of a publication, and the agency that its row names, as printed."""

    code: str
    row: int | None
    message: str
    agency: str | None
    file_name: str
    first_seen_at: str


def odd(connection: sqlite3.Connection) -> Iterator[Affair]:
    """What was odd in each list in force and in each that is held, one affair for each value or sort."""
    for name in ListName:
        by_code: dict[str, dict[str, list[_Found]]] = defaultdict(lambda: defaultdict(list))
        for found in _findings(connection, name):
            rows = by_code[found.code][_value(found)]
            if not rows or rows[0].first_seen_at == found.first_seen_at:  # what is in force is told from there
                rows.append(found)
        for code, sort in _SORTS.items():
            for value, rows in _affairs(sort, by_code[code]):
                yield _affair(connection, name, code, value, rows)


def _value(found: _Found) -> str:
    """What tells a finding from others of its code: its message, with the numbers folded where they are counts."""
    sort = _SORTS[found.code]
    if not sort.apart:
        return ""
    return re.sub(r"\d+", "#", found.message) if sort.counted else found.message


def _affairs(sort: _Sort, by_value: dict[str, list[_Found]]) -> Iterator[tuple[str, list[_Found]]]:
    """The values that are told, or all of them together (as the empty value) where they are many."""
    together = [found for rows in by_value.values() for found in rows]
    enough = {value: rows for value, rows in by_value.items() if len(rows) >= sort.least}
    if together and (len(enough) > _NAMED or (not enough and len(together) >= sort.least)):
        yield "", together
    else:
        yield from enough.items()


def _affair(connection: sqlite3.Connection, name: ListName, code: str, value: str, rows: list[_Found]) -> Affair:
    sort = _SORTS[code]
    more = len(rows) - _NAMED
    return Affair(
        f"finding:{name}:{code}" + (f":{sha256(value.encode()).hexdigest()[:8]}" if value else ""),
        title(f"the {name} list has {sort.what}" + (f": {rows[0].message}" if value else "")),
        (
            sort.means,
            *(detail(_place(found)) for found in rows[:_NAMED]),
            *([f"and {more:,} more"] if more > 0 else []),
            *(["If you know the value, a `fix` in corrections.yaml gives it until ICE does."] if sort.fixable else []),
        ),
        ("watch287g rebuild",) if sort.fixable else (),
        _since(connection, name, code, value and rows[0].message) or rows[0].first_seen_at,
    )


def _place(found: _Found) -> str:
    where = f"{found.file_name}, row {found.row}" if found.row is not None else found.file_name
    return f"{where}{f' ({found.agency})' if found.agency else ''}: {found.message}"


def _findings(connection: sqlite3.Connection, name: ListName) -> Iterator[_Found]:
    """The findings that may be told of the list in force, then of the one that is held."""
    for verdict in (Verdict.ACCEPTED, Verdict.HELD):
        newest = connection.execute(
            "select id, file_name, first_seen_at, checks from publication where list = ? and verdict = ?"
            " order by id desc limit 1",
            (name, verdict),
        ).fetchone()
        if newest is None:
            continue
        ident, file_name, first_seen_at, checks = newest
        failed = {check["name"] for check in json.loads(checks) if not check["ok"]}
        rows = connection.execute(
            "select f.code, f.row, f.message, c.cells ->> 1 from finding f"
            " left join placement l on l.publication_id = f.publication_id and l.row = f.row"
            " left join printed c on c.id = l.printed_id where f.publication_id = ? order by f.rowid",
            (ident,),
        )
        for code, row, message, agency in rows:
            if code in _SORTS and _SORTS[code].check not in failed:
                yield _Found(code, row, message, agency, file_name, first_seen_at)


def _since(connection: sqlite3.Connection, name: ListName, code: str, message: str) -> str | None:
    """When the first of the accepted lists that all have it up to now was first seen; None if the last has it not."""
    row = connection.execute(
        "select first_seen_at from publication where list = :list and verdict = 'accepted' and id > coalesce(("
        " select p.id from publication p where p.list = :list and p.verdict = 'accepted' and not exists ("
        "  select 1 from finding f where f.publication_id = p.id and f.code = :code"
        "  and :message in ('', f.message)) order by p.id desc limit 1), 0) order by id limit 1",
        {"list": name, "code": code, "message": message},
    ).fetchone()
    return row[0] if row else None
