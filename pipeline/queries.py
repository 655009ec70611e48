"""What the reading commands ask of the history: rows of a read-only connection -> the values that reports render.

Every query behind `report`, `list` and `show` finds its rows by an index; a test asserts it by their plans.
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date

from rapidfuzz import fuzz

from db.records import Kind, ListName, Status
from pipeline.reading.places import fold
from pipeline.reports.record import (
    Agency,
    Listed,
    LoggedEvent,
    Period,
    Reach,
    Selection,
    Source,
    Standing,
    Terms,
    Timeline,
)
from pipeline.tracking import names

EVENT_COLUMNS = ", ".join(column.name for column in fields(LoggedEvent) if column.name != "still_listed")

EVENTS = f"""
select {EVENT_COLUMNS} from event_log
where sequence in (
    select id from event where published_on between :since and :until
    union
    select id from event where detected_at >= :since and detected_at < :until || 'U'
    union
    select id from event where status_changed_at >= :since and status_changed_at < :until || 'U')
  and (:list is null or list = :list)
  and (:states is null or state in (select value from json_each(:states)))
  and (:models is null or support_model in (select value from json_each(:models)))
  and (:kinds is null or kind in (select value from json_each(:kinds)))
  and (:statuses is null or status in (select value from json_each(:statuses)))
order by published_on, detected_at, sequence
"""  # noqa: S608 - the columns are those of a dataclass of ours
"""The events published or told in a period: a time of day begins with T, the letter before U."""

PLACES_OF_EVENTS = """
select e.id, e.public_id, e.publication_id, e.state, e.agency
from event e where e.public_id in (select value from json_each(?))
"""

STILL_LISTED = """
select e.public_id, coalesce(v.support_model, 'model unknown') as model
from json_each(:candidates) as j
join event e on e.id = json_extract(j.value, '$[0]')
join version v on v.id = json_extract(j.value, '$[1]')
join agreement a on a.id = v.agreement_id
where a.list = 'participating' and v.state is e.state and a.id <> e.agreement_id
  and v.from_publication_id <= e.publication_id
  and (v.to_publication_id is null or v.to_publication_id > e.publication_id)
union
select e.public_id, coalesce(v.support_model, 'model unknown')
from json_each(:events) as j
join event e on e.id = j.value
join agreement a on a.id = e.related_agreement_id
join version v on v.agreement_id = a.id
where a.list = 'participating'
  and v.from_publication_id <= e.publication_id
  and (v.to_publication_id is null or v.to_publication_id > e.publication_id)
order by 1, 2
"""
"""The models listed in the publication of an event, of versions that bear its agency's name and of what it names."""

NEWEST = "select max(published_on) from publication where list = ? and verdict = 'accepted'"
FIRST = "select min(published_on) from publication where list = ? and verdict = 'accepted'"
FIRST_KNOWN_ON = "select min(known_at) from publication where list = ? and verdict = 'accepted'"
PUBLICATIONS = """
select count(*) from publication where list = ? and verdict = 'accepted' and published_on between ? and ?
"""

EVENTS_BY_ID = f"""
select {EVENT_COLUMNS} from event_log where event_id in (select value from json_each(?)) order by sequence
"""  # noqa: S608

EVENTS_OF_AGREEMENT = f"""
select {EVENT_COLUMNS} from event_log where agreement_id = ? order by published_on, detected_at, sequence
"""  # noqa: S608

PUBLICATION_ON = """
select p.id, p.list, p.published_on, p.file_name, w.sha256
from publication p
join workbook w on w.id = p.workbook_id
where p.list = :list and p.verdict = 'accepted' and p.published_on <= :on
  and (:known is null or p.known_at < :known || 'U')
order by p.published_on desc, p.id desc limit 1
"""
"""The two clocks: what ICE listed at the end of a day, of what this history knew at the end of a day (UTC)."""

_FIRST_KNOWN = """
    select q.published_on
    from version s
    join publication q on q.id >= s.from_publication_id and q.id < coalesce(s.to_publication_id, :publication + 1)
    where s.agreement_id = a.id and q.list = a.list and q.verdict = 'accepted' and q.id <= :publication
      and q.known_at < :known || 'U'
    order by q.id limit 1
"""

LISTED = f"""
select a.public_id as agreement_id, v.state, v.agency, v.agency_type, v.county, v.support_model, v.signed_on,
       v.moa_url, v.addendum_url,
       case when :known is null then f.published_on else ({_FIRST_KNOWN}) end as first_listed_on, l.row,
       v.county_fips, v.county_basis, y.name as county_name
from placement l
join agreement a on a.id = l.agreement_id
join publication f on f.id = a.first_publication_id
join version v on v.agreement_id = a.id and v.from_publication_id <= :publication
              and (v.to_publication_id is null or v.to_publication_id > :publication)
left join county y on y.fips = v.county_fips
where l.publication_id = :publication and l.duplicate = 0
order by v.state, v.agency collate nocase, v.support_model, v.signed_on, l.row
"""  # noqa: S608

_LISTED = tuple(column.name for column in fields(Listed) if column.name != "terms")

SPELLINGS = "select id, agency from version"

HEADS = """
select h.id, s.state, s.agency, v.agency as spelling
from json_each(:versions) as j
join version v on v.id = j.value
join agreement a on a.id = v.agreement_id
join agreement h on h.id = coalesce(a.signed_as, a.id)
join version s on s.id = (select max(id) from version where agreement_id = h.id)
order by s.id, v.id
"""
"""The agreements that versions belong to, with their latest state and agency, and the spelling of the version; an
application that was signed counts as the agreement that came of it."""

MEMBERS = """
select public_id from agreement where id in (select value from json_each(:heads))
union
select public_id from agreement where signed_as in (select value from json_each(:heads))
"""

PERIODS = """
select a.public_id as agreement_id, v.state, v.agency, v.agency_type, v.county, v.support_model, v.signed_on,
       v.moa_url, v.addendum_url, f.published_on as valid_from, t.published_on as valid_to
from agreement a
join version v on v.agreement_id = a.id
join publication f on f.id = v.from_publication_id
left join publication t on t.id = v.to_publication_id
where a.public_id = ?
order by v.from_publication_id, v.id
"""

FIRST_LISTING = """
select p.list, p.published_on, p.file_name, w.sha256, a.first_row, s.public_id as signed_as
from agreement a
join publication p on p.id = a.first_publication_id
join workbook w on w.id = p.workbook_id
left join agreement s on s.id = a.signed_as
where a.public_id = ?
"""

EVER_LISTED = f"""
select v.signed_on
from agreement a
join version v on v.id = (
    select max(id) from version where agreement_id = a.id and from_publication_id <= :publication)
where a.list = :list
  and (:states is null or v.state in (select value from json_each(:states)))
  and (:models is null or v.support_model in (select value from json_each(:models)))
  and (:known is null or exists ({_FIRST_KNOWN}))
"""  # noqa: S608


def events(connection: sqlite3.Connection, selection: Selection) -> list[LoggedEvent]:
    """The events of a selection in the order in which ICE posted them; the same for the same history."""
    since, until = _bounds(selection)
    rows = connection.execute(
        EVENTS,
        {
            "since": since,
            "until": until,
            "list": selection.list,
            "states": _any_of(selection.states),
            "models": _any_of(selection.models),
            "kinds": _any_of(selection.kinds),
            "statuses": _any_of(selection.statuses),
        },
    )
    return with_what_is_left(connection, [logged_event(row) for row in rows])


def events_by_id(connection: sqlite3.Connection, ids: Sequence[str]) -> list[LoggedEvent]:
    """The events with these ids, in the order in which they were told."""
    rows = connection.execute(EVENTS_BY_ID, (json.dumps(ids),))
    return with_what_is_left(connection, [logged_event(row) for row in rows])


def reach(connection: sqlite3.Connection, selection: Selection) -> Reach:
    """How far the history reaches for a selection: the dates of its lists, and how many of each are in the period."""
    lists = [selection.list] if selection.list else list(ListName)
    first = [row[0] for name in lists for row in connection.execute(FIRST, (name,)) if row[0]]
    newest = [row[0] for name in lists for row in connection.execute(NEWEST, (name,)) if row[0]]
    numbers = {name: connection.execute(PUBLICATIONS, (name, *_bounds(selection))).fetchone()[0] for name in lists}
    return Reach(min(first, default=None), max(newest, default=None), numbers)


def _bounds(selection: Selection) -> tuple[str, str]:
    return (selection.since or date.min).isoformat(), (selection.until or date.max).isoformat()


def with_what_is_left(connection: sqlite3.Connection, events: list[LoggedEvent]) -> list[LoggedEvent]:
    """The events, terminations with the models that the agency still had on the list that no longer has them."""
    ended = json.dumps([event.event_id for event in events if event.kind is Kind.TERMINATED])
    places = connection.execute(PLACES_OF_EVENTS, (ended,)).fetchall()
    if not places:
        return events
    named: dict[str, list[int]] = {}
    for name, versions in _spellings(connection).items():
        named.setdefault(_key(name, None), []).extend(versions)
    candidates = [(place["id"], version) for place in places for version in named.get(_key(place["agency"], None), ())]
    left: dict[str, list[str]] = {place["public_id"]: [] for place in places}
    asked = {"candidates": json.dumps(candidates), "events": json.dumps([place["id"] for place in places])}
    for row in connection.execute(STILL_LISTED, asked):
        left[row["public_id"]].append(row["model"])
    return [
        replace(event, still_listed=tuple(left[event.event_id])) if event.event_id in left else event
        for event in events
    ]


def _any_of(wanted: Sequence[str]) -> str | None:
    return json.dumps(wanted) if wanted else None


def logged_event(row: sqlite3.Row) -> LoggedEvent:
    values = dict(row)
    changes = json.loads(values["changes"] or "{}")
    return LoggedEvent(
        **values
        | {
            "kind": Kind(values["kind"]),
            "status": Status(values["status"]),
            "list": ListName(values["list"]),
            "changes": {name: (before, after) for name, (before, after) in changes.items()},
            "change_classes": json.loads(values["change_classes"] or "{}"),
        }
    )


def standing(
    connection: sqlite3.Connection, list_name: ListName, on: date | None = None, known: date | None = None
) -> Standing | None:
    """What a list said at the end of a day, or says now; None if the history begins later.

    With `known`, only lists that this history knew at the end of that day (UTC) count, and `on` is that day too unless
    it is given. Rows and evidence are those of that list; identities and clean values are today's reading of it.
    """
    on = on or known
    found = _publication_on(connection, list_name, on, known)
    if found is None:
        return None
    rows = connection.execute(LISTED, {"publication": found["id"], "known": _iso(known)}).fetchall()
    listed = tuple(Listed(_terms(row), **{name: row[name] for name in _LISTED}) for row in rows)
    return Standing(source_of(found), listed, len(listed), _iso(on), _iso(known))


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def begins(connection: sqlite3.Connection, list_name: ListName) -> str | None:
    """The date of the first accepted publication of a list, or None before it."""
    row = connection.execute(FIRST, (list_name,)).fetchone()
    return row[0] if row else None


def first_known_at(connection: sqlite3.Connection, list_name: ListName) -> str | None:
    """When this history first knew a list (UTC), or None before it."""
    row = connection.execute(FIRST_KNOWN_ON, (list_name,)).fetchone()
    return row[0] if row else None


def _publication_on(
    connection: sqlite3.Connection, list_name: ListName, on: date | None, known: date | None
) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        PUBLICATION_ON, {"list": list_name, "on": (on or date.max).isoformat(), "known": _iso(known)}
    ).fetchone()
    return row


def ever_signed(
    connection: sqlite3.Connection,
    list_name: ListName,
    on: date | None = None,
    states: Sequence[str] = (),
    models: Sequence[str] = (),
    known: date | None = None,
) -> list[str | None]:
    """The signing date of every agreement that was ever on a list up to a day, as last known then.

    The days mean what they do for `standing`.
    """
    found = _publication_on(connection, list_name, on or known, known)
    if found is None:
        return []
    wanted = {"states": _any_of(states), "models": _any_of(models), "known": _iso(known)}
    rows = connection.execute(EVER_LISTED, {"publication": found["id"], "list": list_name, **wanted})
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class AgencyMatch:
    """An agency that a search found: its state, its latest name, and the key that its other spellings share.

    `once` is the older spelling that was found, where the latest name is not what was asked for.
    """

    state: str | None
    name: str
    key: str
    once: str | None = None


def find_agencies(connection: sqlite3.Connection, wanted: str, state: str | None = None) -> list[AgencyMatch]:
    """The agencies whose names, past ones included, have a word that begins with each word of `wanted`.

    Case, accents, punctuation and usual abbreviations do not count. If `wanted` is the latest name of any in full, only
    those count, or else those of which it was the full name once.
    """
    for words in (fold(wanted).split(), _key(wanted, None).split()):
        found = _agencies(connection, [name for name in _spellings(connection) if _has_words(name, words)], state)
        now = [match for match in found if _key(wanted, match.state) == match.key]
        once = [
            replace(match, once=spelling)
            for match, spellings in found.items()
            if (spelling := next((s for s in spellings if _key(wanted, match.state) == _key(s, match.state)), None))
        ]
        partly = [
            match if _has_words(match.name, words) else replace(match, once=spellings[-1])
            for match, spellings in found.items()
        ]
        if chosen := now or once or partly:
            return sorted(chosen, key=_by_name)
    return []


def agency_by_id(connection: sqlite3.Connection, ident: str) -> AgencyMatch | None:
    """The agency of an id such as `fl-alachua-police-department`; None if there is none."""
    row = connection.execute("select state, name from agency where public_id = ?", (ident,)).fetchone()
    return AgencyMatch(row["state"], row["name"], _key(row["name"], row["state"])) if row else None


def agencies_like(connection: sqlite3.Connection, wanted: str, state: str | None = None) -> list[AgencyMatch]:
    """At most three agencies that have, or had, nearly such a name, the likeliest first."""
    words = fold(wanted).split()
    likeness = {name: _likeness(words, fold(name).split()) for name in _spellings(connection)} if words else {}
    found = _agencies(connection, [name for name, score in likeness.items() if score >= _LIKELY], state)
    scores = {match: max(likeness[spelling] for spelling in spellings) for match, spellings in found.items()}
    near = [match for match, score in scores.items() if score > max(scores.values()) - _MARGIN]
    return sorted(near, key=lambda match: (-scores[match], *_by_name(match)))[:3]


def _agencies(
    connection: sqlite3.Connection, spellings: Sequence[str], state: str | None
) -> dict[AgencyMatch, list[str]]:
    """The agencies that ever had one of these names, under their latest, each with those that it had."""
    every = _spellings(connection)
    latest: dict[tuple[str | None, str], AgencyMatch] = {}
    had: dict[tuple[str | None, str], list[str]] = {}
    for head in _heads(connection, [version for name in spellings for version in every[name]]):
        if state in (None, head["state"]):
            match = AgencyMatch(head["state"], head["agency"], _key(head["agency"], head["state"]))
            latest[match.state, match.key] = match
            had.setdefault((match.state, match.key), []).append(head["spelling"])
    return {match: had[ident] for ident, match in latest.items()}


def _by_name(match: AgencyMatch) -> tuple[str, str]:
    return match.name.casefold(), match.state or ""


def _key(name: str, state: str | None) -> str:
    return names.parse(name, state).key if fold(name) else ""


_LIKELY = 75.0
"""How alike, of 100, the least alike word must be: Hilsborough and Hillsborough are 96, Kerr and Kern 75."""
_MARGIN = 10.0
"""How much less alike than the likeliest name another may be, to be worth a mention."""


def _likeness(wanted: Sequence[str], words: Sequence[str]) -> float:
    """The likeness of the wanted word that is least like any of the words, in percent."""
    return min(max((_alike(one, word) for word in words), default=0.0) for one in wanted)


def _alike(wanted: str, word: str) -> float:
    return 100.0 if word.startswith(wanted) else float(fuzz.ratio(wanted, word))


def _has_words(name: str, beginnings: Sequence[str]) -> bool:
    words = {*fold(name).split(), *_key(name, None).split()}
    return bool(beginnings) and all(any(word.startswith(beginning) for word in words) for beginning in beginnings)


def _spellings(connection: sqlite3.Connection) -> dict[str, list[int]]:
    """Every agency name ever listed, with the ids of the versions that have it."""
    found: dict[str, list[int]] = {}
    for version, name in connection.execute(SPELLINGS):
        found.setdefault(name, []).append(version)
    return found


def _heads(connection: sqlite3.Connection, versions: Sequence[int]) -> list[sqlite3.Row]:
    return connection.execute(HEADS, {"versions": json.dumps(versions)}).fetchall()


def agency(connection: sqlite3.Connection, match: AgencyMatch) -> Agency:
    """Everything that the record has of an agency, under all its spellings, on both lists."""

    def is_it(name: str) -> bool:
        return _key(name, match.state) == match.key

    versions = [version for name, some in _spellings(connection).items() if is_it(name) for version in some]
    heads = [head for head in _heads(connection, versions) if head["state"] == match.state and is_it(head["agency"])]
    members = connection.execute(MEMBERS, {"heads": json.dumps([head["id"] for head in heads])}).fetchall()
    timelines = sorted((timeline(connection, row[0]) for row in members), key=_beginning)
    spellings = {period.terms.agency for one in timelines for period in one.periods} - {match.name}
    return Agency(match.state, match.name, tuple(sorted(spellings)), tuple(timelines))


def _beginning(one: Timeline) -> tuple[str, str, str]:
    return one.first.published_on, one.first.list, one.agreement_id


def timeline(connection: sqlite3.Connection, agreement_id: str) -> Timeline:
    """An agreement's first listing, terms over time and events.

    Raises:
        LookupError: there is no such agreement.
    """
    first = connection.execute(FIRST_LISTING, (agreement_id,)).fetchone()
    if first is None:
        raise LookupError(agreement_id)
    periods = [
        Period(_terms(row), row["valid_from"], row["valid_to"]) for row in connection.execute(PERIODS, (agreement_id,))
    ]
    told = [logged_event(row) for row in connection.execute(EVENTS_OF_AGREEMENT, (agreement_id,))]
    return Timeline(agreement_id, source_of(first), first["first_row"], tuple(periods), tuple(told), first["signed_as"])


def source_of(row: sqlite3.Row) -> Source:
    return Source(ListName(row["list"]), row["published_on"], row["file_name"], row["sha256"])


def _terms(row: sqlite3.Row) -> Terms:
    return Terms(**{column.name: row[column.name] for column in fields(Terms)})
