"""What `cite` asks of the history: was an agreement, or an agency, listed on a day, and which workbooks show it?"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from rapidfuzz import fuzz

from db.records import ListName
from pipeline import bearers
from pipeline.queries import EVENT_COLUMNS, FIRST, NEWEST, logged_event, with_what_is_left
from pipeline.reading.places import fold
from pipeline.reports.cited import (
    Asked,
    Citation,
    Consulted,
    LeftOut,
    Near,
    Never,
    NotCounted,
    Origin,
    Part,
    Row,
    Says,
    Searched,
    Seen,
    Several,
    Shown,
)
from pipeline.reports.record import Terms
from pipeline.tracking import names

_NEAREST = 3

CANDIDATES = """
select a.public_id as agreement_id, a.list, v.state, v.agency, v.support_model, v.signed_on, g.public_id as agency_id,
       f.published_on as first_listed_on, t.published_on as left_on
from agreement a
join version v on v.id = (select max(id) from version where agreement_id = a.id)
join publication f on f.id = a.first_publication_id
left join publication t on t.id = a.left_publication_id
left join agency g on g.id = a.agency_id
where a.public_id in (select value from json_each(:ids))
order by a.list, f.published_on, a.id
"""

MEMBERS = """
select a.public_id from agency g join agreement a on a.agency_id = g.id where g.public_id = ?
"""

AGREEMENT = """
select a.id, a.public_id, a.list, a.agency_id, g.public_id as agency
from agreement a left join agency g on g.id = a.agency_id
where a.public_id = ?
"""

_PUBLICATION = """
select p.id, p.list, p.published_on, p.dated_by, p.file_name, w.sha256, w.bytes, p.modified_at, p.first_seen_at,
       p.last_seen_at, p.known_at, p.rows
from publication p join workbook w on w.id = p.workbook_id
"""

ON = f"""{_PUBLICATION}
where p.list = :list and p.verdict = 'accepted' and p.published_on <= :on
order by p.published_on desc, p.id desc limit 1
"""

BEFORE = f"""{_PUBLICATION}
where p.list = :list and p.verdict = 'accepted' and (p.published_on, p.id) < (:published_on, :id)
order by p.published_on desc, p.id desc limit 1
"""

AFTER = f"""{_PUBLICATION}
where p.list = :list and p.verdict = 'accepted' and (p.published_on, p.id) > (:published_on, :id)
order by p.published_on, p.id limit 1
"""

WITH = """
select distinct p.id, p.published_on
from version v
join publication p on p.id >= v.from_publication_id and (v.to_publication_id is null or p.id < v.to_publication_id)
where v.agreement_id = ? and p.list = ? and p.verdict = 'accepted'
order by p.published_on, p.id
"""

SIGHTINGS = """
select file_name, url, seen_at, last_seen_at, coalesce(recorded_at, seen_at) as recorded_at
from sighting where publication_id = ? order by seen_at, id
"""

LAST_SIGHTING = "select max(last_seen_at) from publication where list = ?"

LEFT_OUT = """
select row, message from finding
where publication_id = ? and code in ('hidden_row', 'no_listing') and row is not null order by row
"""

ROWS = """
select l.row, a.public_id as agreement_id, a.agency_id, l.duplicate, v.state, v.agency, v.county, c.cells
from placement l
join agreement a on a.id = l.agreement_id
join printed c on c.id = l.printed_id
left join version v on v.agreement_id = a.id and v.from_publication_id <= l.publication_id
                    and (v.to_publication_id is null or v.to_publication_id > l.publication_id)
where l.publication_id = ? order by l.row
"""

TERMS = """
select a.public_id as agreement_id, v.state, v.agency, v.agency_type, v.county, v.support_model, v.signed_on,
       v.moa_url, v.addendum_url
from version v join agreement a on a.id = v.agreement_id
where v.agreement_id = :agreement
order by v.from_publication_id > :publication, abs(v.from_publication_id - :publication) limit 1
"""
"""The terms in force in a publication; else the last before it, else the first after."""

EVENTS = f"""
select {EVENT_COLUMNS} from event_log
where sequence in (
    select e.id from event e where e.agreement_id = :agreement
    union
    select e.id from agreement a join event e on e.agreement_id = a.id
    where a.agency_id = :agency and e.related_agreement_id = :agreement)
order by published_on, detected_at, sequence
"""  # noqa: S608

NOT_COUNTED = """
select p.verdict, p.reason, p.published_on, p.file_name, w.sha256, p.first_seen_at, p.last_seen_at
from publication p join workbook w on w.id = p.workbook_id
where p.list = :list and p.verdict in ('held', 'rejected') and p.published_on between :since and :on
order by p.published_on, p.id
"""

EVER_NAMED = """
select v.id, v.state, v.agency, a.public_id as agreement_id, g.public_id as agency_id, f.published_on as since,
       case when t.id is null then :newest else (
           select max(published_on) from publication where list = :list and verdict = 'accepted' and id < t.id)
       end as until
from version v
join agreement a on a.id = v.agreement_id and a.list = :list
join publication f on f.id = v.from_publication_id
left join publication t on t.id = v.to_publication_id
left join agency g on g.id = a.agency_id
where v.id in (select value from json_each(:versions))
"""

SEARCHED = """
select count(*), min(published_on), max(published_on) from publication where list = ? and verdict = 'accepted'
"""

CONSULTED = """
select p.published_on, p.dated_by, p.file_name as workbook_name, w.sha256 as workbook_sha256, w.bytes, p.rows,
       p.first_seen_at, p.last_seen_at, p.known_at,
       exists (select 1 from sighting s where s.publication_id = p.id and s.url <> '') as fetched
from publication p join workbook w on w.id = p.workbook_id
where p.list = ? and p.verdict = 'accepted'
order by p.published_on, p.id
"""

AGENCIES_OF_LIST = """
select g.public_id, g.state, g.name, g.former_names, min(f.published_on) as since,
       max(case when t.id is null then :newest else (
           select max(published_on) from publication where list = :list and verdict = 'accepted' and id < t.id)
       end) as until
from agency g
join agreement a on a.agency_id = g.id and a.list = :list
join publication f on f.id = a.first_publication_id
left join publication t on t.id = a.left_publication_id
group by g.id order by g.public_id
"""

LISTED_AMONG = """
select distinct a.public_id
from placement l join agreement a on a.id = l.agreement_id
where l.publication_id = ? and a.public_id in (select value from json_each(?))
"""

SPELLINGS = """
select v.id, v.state, v.agency, v.county, a.public_id as agreement_id, a.agency_id
from version v join agreement a on a.id = v.agreement_id
"""
"""Every name that an agreement ever had."""

_CELLS = ("STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE", "SIGNED", "MOA", "ADDENDUM")
"""The printed cells that may be shown; the link targets behind them can name people."""


class NothingKnown(LookupError):  # noqa: N818 - a state of affairs
    """The history has no list for that day: `begins` is the date of its first one, None if it has none."""

    def __init__(self, begins: str | None) -> None:
        super().__init__(begins)
        self.begins = begins


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agreement or application that may be meant, as it last stood; `left_on` is None while it is listed."""

    agreement_id: str
    list: ListName
    state: str | None
    agency: str
    support_model: str | None
    signed_on: str | None
    agency_id: str | None
    first_listed_on: str
    left_on: str | None


def candidates(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Candidate]:
    """Agreements and applications by their ids, the participating list's first."""
    rows = connection.execute(CANDIDATES, {"ids": json.dumps(ids)})
    return [Candidate(**{**row, "list": ListName(row["list"])}) for row in map(dict, rows)]


def of_agency(connection: sqlite3.Connection, agency_id: str) -> list[str]:
    """The ids of the agreements and applications of an agency, by its own id; empty if there is no such agency."""
    return [row[0] for row in connection.execute(MEMBERS, (agency_id,))]


def cite_agreement(connection: sqlite3.Connection, agreement_id: str, on: date) -> Citation:
    """Whether an agreement (or application) was listed at the end of a day, with what shows it.

    Raises:
        LookupError: there is no such agreement.
        NothingKnown: the history has no list of its kind for that day.
    """
    found = connection.execute(AGREEMENT, (agreement_id,)).fetchone()
    if found is None:
        raise LookupError(agreement_id)
    asked = Asked(on.isoformat(), ListName(found["list"]), found["public_id"], found["agency"])
    question = _Question(connection, asked, lambda row: row["agreement_id"] == agreement_id)
    terms = connection.execute(TERMS, {"agreement": found["id"], "publication": question.day["id"]}).fetchone()
    told = Terms(**{column.name: terms[column.name] for column in fields(Terms)})
    question.asked = replace(asked, terms=told, name=told.agency, state=told.state)
    times = connection.execute(WITH, (found["id"], found["list"])).fetchall()
    events = connection.execute(EVENTS, {"agreement": found["id"], "agency": found["agency_id"]}).fetchall()
    citation = question.answer([row["id"] for row in times])
    sought = _Sought(told.agency, told.state)

    def names_it_too(row: sqlite3.Row) -> bool:
        if row["agreement_id"] == agreement_id:
            return False
        own = found["agency_id"] is not None and row["agency_id"] == found["agency_id"]
        return own or any(sought.is_name(one, row["state"]) for one in _spellings_of(row))

    namesakes = question.rows_of(names_it_too)
    logged = tuple(with_what_is_left(connection, [logged_event(event) for event in events]))
    return replace(citation, events=logged, namesakes=namesakes)


def cite_several(
    connection: sqlite3.Connection, agreement_ids: Sequence[str], on: date, name: str | None = None
) -> Several:
    """The citations of the agreements of one agency on one list, or of several agencies that share a `name`.

    Raises:
        LookupError: there is no such agreement.
        NothingKnown: the history has no list of their kind for that day.
    """
    every = [cite_agreement(connection, ident, on) for ident in agreement_ids]
    shared = name if len({one.asked.agency_id for one in every}) > 1 else None
    return Several(tuple(sorted(every, key=lambda one: not one.shown.rows)), shared)


def listed_among(
    connection: sqlite3.Connection, list_name: ListName, agreement_ids: Sequence[str], on: date
) -> set[str]:
    """Which of these agreements the list in force on a day has.

    Raises:
        NothingKnown: the history has no such list for that day.
    """
    day = _of_the_day(connection, list_name, on.isoformat())
    return {row[0] for row in connection.execute(LISTED_AMONG, (day["id"], json.dumps(agreement_ids)))}


def bearing(connection: sqlite3.Connection, name: str, state: str | None, list_name: ListName, on: date) -> list[str]:
    """The ids of the agreements on the list of a day that bear a name in full there, or bore it on another day.

    Empty if the history has no such list for that day.
    """
    try:
        day = _of_the_day(connection, list_name, on.isoformat())
    except NothingKnown:
        return []
    sought = _Sought(name, state)
    bore = {row["agreement_id"] for row in connection.execute(SPELLINGS) if sought.is_name(row["agency"], row["state"])}
    found = [
        row["agreement_id"]
        for row in connection.execute(ROWS, (day["id"],))
        if row["agreement_id"] in bore or any(sought.is_name(one, row["state"]) for one in _spellings_of(row))
    ]
    return list(dict.fromkeys(found))


def cite_absence(
    connection: sqlite3.Connection, name: str, state: str | None, list_name: ListName, on: date
) -> Citation:
    """Whether any row of the list of a day may be an agency; absent is only one that none may be.

    A row may be it if, in that state, it has every word of the name, or its name comes near enough (`bearers.may_be`);
    a row whose state cannot be read may be of any. A row of an agency that ever had such a name counts too.

    Raises:
        NothingKnown: the history has no such list for that day.
    """
    sought = _Sought(name, state)
    named = {row["agency_id"] for row in connection.execute(SPELLINGS) if sought.may_be(row)} - {None}

    def may_be_it(row: sqlite3.Row) -> bool:
        return row["agency_id"] in named or sought.may_be(row)

    asked = Asked(on.isoformat(), list_name, name=name, state=state)
    question = _Question(connection, asked, may_be_it, maybe=True)
    citation = question.answer([])
    searched = Searched(*connection.execute(SEARCHED, (list_name,)).fetchone())
    return replace(
        citation,
        elsewhere=_span(_ever_named(connection, list_name, sought.names)),
        alike=_alike(_ever_named(connection, list_name, sought.may_be), sought),
        searched=searched,
    )


def ever_named(connection: sqlite3.Connection, name: str, state: str | None, list_name: ListName) -> list[str]:
    """The ids of all agreements (or applications) that a list has ever had under a name, as `cite_absence` finds it."""
    sought = _Sought(name, state)
    found = {row["agreement_id"]: None for row in _ever_named(connection, list_name, sought.may_be)}
    return list(found)


def cite_never(connection: sqlite3.Connection, name: str, state: str | None, list_name: ListName) -> Never:
    """That no list of the history has ever named an agency; ask `ever_named` first whether that is so.

    Raises:
        NothingKnown: the history has no such list.
    """
    sought = _Sought(name, state)
    consulted = [
        Consulted(**{**row, "fetched": bool(row["fetched"])}) for row in map(dict, _all(connection, list_name))
    ]
    last = consulted[-1].published_on if consulted else date.max.isoformat()
    asked = Asked(last, list_name, name=name, state=state)
    question = _Question(connection, asked, lambda _: False)
    period = {"list": list_name, "since": date.min.isoformat(), "on": date.max.isoformat()}
    other = next(kind for kind in ListName if kind is not list_name)
    return Never(
        list_name,
        name,
        state,
        tuple(consulted),
        question.answer([]).shown,
        tuple(NotCounted(*row) for row in connection.execute(NOT_COUNTED, period)),
        _nearest_agencies(connection, asked, last),
        _span(_ever_named(connection, other, sought.names)),
        connection.execute(LAST_SIGHTING, (list_name,)).fetchone()[0],
    )


def _all(connection: sqlite3.Connection, list_name: ListName) -> sqlite3.Cursor:
    return connection.execute(CONSULTED, (list_name,))


def _nearest_agencies(connection: sqlite3.Connection, asked: Asked, newest: str) -> tuple[Near, ...]:
    """The agencies with the likeliest names in the state, and those elsewhere that have it: states are misprinted."""
    sought = _Sought(asked.name or "", asked.state)
    scored: list[tuple[Near, bool]] = []
    for row in connection.execute(AGENCIES_OF_LIST, {"list": asked.list, "newest": newest}):
        spellings = (row["name"], *json.loads(row["former_names"]))
        likeness = max(sought.likeness(one, row["state"]) for one in spellings)
        near = Near(row["public_id"], row["state"], row["name"], likeness, row["since"], row["until"])
        scored.append((near, any(sought.has_words(one, row["state"]) for one in spellings)))
    scored.sort(key=lambda one: (-one[0].likeness, one[0].agency_id))
    here = [near for near, _ in scored if asked.state in (None, near.state)][:_NEAREST]
    there = [near for near, has_it in scored if asked.state not in (None, near.state) and has_it][:_NEAREST]
    return (*here, *there)


def _of_the_day(connection: sqlite3.Connection, list_name: ListName, on: str) -> sqlite3.Row:
    """The list in force at the end of a day.

    Raises:
        NothingKnown: there is none.
    """
    day: sqlite3.Row | None = connection.execute(ON, {"list": list_name, "on": on}).fetchone()
    if day is None:
        raise NothingKnown(connection.execute(FIRST, (list_name,)).fetchone()[0])
    return day


class _Question:
    """What was asked, and the lists about that day."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        asked: Asked,
        is_it: Callable[[sqlite3.Row], bool],
        *,
        maybe: bool = False,
    ) -> None:
        self._connection = connection
        self._maybe = maybe
        self._is_it = is_it
        self.asked = asked
        self.day = _of_the_day(connection, asked.list, asked.on)
        self._rows: dict[int, list[sqlite3.Row]] = {}

    def answer(self, having: Sequence[int]) -> Citation:
        """The citation; `having` are the ids of all the publications that list what was asked about, in their order."""
        here = dict(self.day) | {"list": self.asked.list}
        parts = {
            Part.OF_THE_DAY: self.day,
            Part.BEFORE: self._connection.execute(BEFORE, here).fetchone(),
            Part.AFTER: self._connection.execute(AFTER, here).fetchone(),
        }
        if self.day["id"] not in having and having:
            order = self._order()
            place = order[self.day["id"]]
            before = [ident for ident in having if order[ident] < place]
            after = [ident for ident in having if order[ident] > place]
            parts[Part.LAST_WITH] = self._publication(before[-1]) if before else None
            parts[Part.NEXT_WITH] = self._publication(after[0]) if after else None
        shown = {part: self._shown(row) for part, row in parts.items() if row is not None}
        wanted = {"list": self.asked.list, "since": self.day["published_on"], "on": self.asked.on}
        not_counted = [NotCounted(*row) for row in self._connection.execute(NOT_COUNTED, wanted)]
        absent = shown[Part.OF_THE_DAY].says is Says.NOT_LISTED
        last = self._connection.execute(LAST_SIGHTING, (self.asked.list,)).fetchone()[0]
        return Citation(self.asked, shown, (), tuple(not_counted), (), self._nearest() if absent else (), None, last)

    def rows_of(self, is_it: Callable[[sqlite3.Row], bool]) -> tuple[Row, ...]:
        """The rows of that day's list for which a condition holds."""
        return tuple(_row(row) for row in self._all_rows(self.day["id"]) if is_it(row))

    def _order(self) -> dict[int, int]:
        query = "select id from publication where list = ? and verdict = 'accepted' order by published_on, id"
        return {row[0]: place for place, row in enumerate(self._connection.execute(query, (self.asked.list,)))}

    def _publication(self, ident: int) -> sqlite3.Row:
        row: sqlite3.Row = self._connection.execute(f"{_PUBLICATION} where p.id = ?", (ident,)).fetchone()
        return row

    def _all_rows(self, publication: int) -> list[sqlite3.Row]:
        if publication not in self._rows:
            self._rows[publication] = self._connection.execute(ROWS, (publication,)).fetchall()
        return self._rows[publication]

    def _shown(self, row: sqlite3.Row) -> Shown:
        sightings = self._connection.execute(SIGHTINGS, (row["id"],))
        left_out = self._connection.execute(LEFT_OUT, (row["id"],))
        return Shown(
            self.asked.list,
            row["published_on"],
            row["dated_by"],
            row["file_name"],
            row["sha256"],
            row["bytes"],
            row["modified_at"],
            row["first_seen_at"],
            row["last_seen_at"],
            row["known_at"],
            row["rows"],
            tuple(_seen(one, row["modified_at"]) for one in sightings),
            tuple(_row(one) for one in self._all_rows(row["id"]) if self._is_it(one)),
            tuple(LeftOut(*one) for one in left_out),
            self._maybe,
        )

    def _nearest(self) -> tuple[Row, ...]:
        """The rows with the likeliest names in the state, and those elsewhere that have it: states are misprinted."""
        state, sought = self.asked.state, _Sought(self.asked.name or "", self.asked.state)
        scored = [(sought.likeness(row["agency"] or "", row["state"]), row) for row in self._all_rows(self.day["id"])]
        scored.sort(key=lambda one: (-one[0], one[1]["row"]))
        here = [one for one in scored if state in (None, one[1]["state"])][:_NEAREST]
        there = [
            one
            for one in scored
            if state not in (None, one[1]["state"])
            and any(sought.has_words(spelling, one[1]["state"]) for spelling in _spellings_of(one[1]))
        ]
        return tuple(replace(_row(row), likeness=score) for score, row in (*here, *there[:_NEAREST]))


def _seen(row: sqlite3.Row, modified_at: str | None) -> Seen:
    """A sighting; one without an address was taken in, and one at the file's own time is nobody's."""
    kept = Origin.FILE if row["seen_at"] == modified_at else Origin.COLLECTION
    origin = Origin.FETCHED if row["url"] else kept
    return Seen(row["file_name"], row["url"] or None, row["seen_at"], row["last_seen_at"], row["recorded_at"], origin)


def _row(row: sqlite3.Row) -> Row:
    cells = dict(zip(_CELLS, json.loads(row["cells"]), strict=False))
    agency = row["agency"] or cells["LAW ENFORCEMENT AGENCY"]
    return Row(row["row"], row["agreement_id"], bool(row["duplicate"]), row["state"], agency, cells)


class _Sought:
    """An agency's name, or a part of it, and the state in which it is looked for; None is any."""

    def __init__(self, name: str, state: str | None) -> None:
        self.name = name
        self.state = state
        self._words = frozenset(fold(name).split()), frozenset(_folded(name, state).split())

    def is_name(self, spelling: str, state: str | None) -> bool:
        """Whether a spelling is the name in full."""
        return self._may_lie_in(state) and bearers.same_name(self.name, spelling, state)

    def has_words(self, spelling: str, state: str | None) -> bool:
        """Whether a spelling has all words of the name, as written or with abbreviations spelt out."""
        words = {*fold(spelling).split(), *_folded(spelling, state).split()}
        return any(some and some <= words for some in self._words)

    def names(self, row: sqlite3.Row) -> bool:
        """Whether a row or a version, in its state, has the words of the name."""
        return self._may_lie_in(row["state"]) and any(self.has_words(one, row["state"]) for one in _spellings_of(row))

    def may_be(self, row: sqlite3.Row) -> bool:
        """Whether a row or a version has the words of the name, or a name that may mean it."""
        if not self._may_lie_in(row["state"]):
            return False
        return any(
            self.has_words(one, row["state"]) or bearers.may_be(self.name, self.state, one, row["state"], row["county"])
            for one in _spellings_of(row)
        )

    def likeness(self, spelling: str, state: str | None) -> float:
        """How alike a spelling is, in percent, whatever the order of the words or the spaces between them."""
        wanted, other = _folded(self.name, self.state), _folded(spelling, state)
        together = fuzz.ratio(wanted.replace(" ", ""), other.replace(" ", ""))
        return round(max(fuzz.token_sort_ratio(wanted, other), together), 1)

    def _may_lie_in(self, state: str | None) -> bool:
        return self.state is None or state in (None, self.state)


def _folded(name: str, state: str | None) -> str:
    return names.parse(name, state).key if fold(name) else ""


def _spellings_of(row: sqlite3.Row) -> set[str]:
    """The name of a row as read and, where it is a row of a workbook, as printed."""
    printed = {json.loads(row["cells"])[1]} if "cells" in row.keys() else set()  # noqa: SIM118 - a Row is no mapping
    return {row["agency"] or "", *printed}


def _ever_named(
    connection: sqlite3.Connection, list_name: ListName, is_it: Callable[[sqlite3.Row], bool]
) -> list[sqlite3.Row]:
    """The terms under which a list has ever named an agency, each with its dates."""
    versions = [row["id"] for row in connection.execute(SPELLINGS) if is_it(row)]
    newest = connection.execute(NEWEST, (list_name,)).fetchone()[0]
    found = {"list": list_name, "versions": json.dumps(versions), "newest": newest}
    return connection.execute(EVER_NAMED, found).fetchall()


def _span(named: Sequence[sqlite3.Row]) -> tuple[str, str] | None:
    """The dates of the first list and of the last that some terms stand on, or None: no list has them."""
    return (min(row["since"] for row in named), max(row["until"] for row in named)) if named else None


def _alike(named: Sequence[sqlite3.Row], sought: _Sought) -> tuple[Near, ...]:
    """The names that may mean the agency and lack a word of the name, the likeliest first, each with its dates."""
    found: dict[tuple[str | None, str], list[sqlite3.Row]] = {}
    for row in named:
        if not sought.names(row):
            found.setdefault((row["state"], row["agency"]), []).append(row)
    near = [
        Near(some[0]["agency_id"] or "", state, name, sought.likeness(name, state), *(_span(some) or ("", "")))
        for (state, name), some in found.items()
    ]
    return tuple(sorted(near, key=lambda one: (-one.likeness, one.since, one.agency))[:_NEAREST])
