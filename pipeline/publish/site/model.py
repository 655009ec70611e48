"""What the site tells: the whole history as values, read with a handful of queries."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from functools import cached_property

from db.records import Kind, ListName, Status
from pipeline import queries
from pipeline.reading.places import states
from pipeline.reports.counts import By, Counts, count
from pipeline.reports.record import LoggedEvent, Period, Standing, Terms, Timeline

AGENCIES = """
select g.public_id, g.state, g.name, g.former_names, g.agency_type, c.name as county, g.county_fips, g.county_basis
from agency g
left join county c on c.fips = g.county_fips
order by g.public_id
"""

AGREEMENTS = """
select a.public_id, g.public_id as agency_id, p.list, p.published_on, p.file_name, w.sha256, a.first_row,
       s.public_id as signed_as
from agreement a
join publication p on p.id = a.first_publication_id
join workbook w on w.id = p.workbook_id
left join agency g on g.id = a.agency_id
left join agreement s on s.id = a.signed_as
order by p.published_on, a.id
"""

PERIODS = """
select a.public_id as agreement_id, v.state, v.agency, v.agency_type, v.county, v.support_model, v.signed_on,
       v.moa_url, v.addendum_url, f.published_on as valid_from, t.published_on as valid_to
from version v
join agreement a on a.id = v.agreement_id
join publication f on f.id = v.from_publication_id
left join publication t on t.id = v.to_publication_id
order by a.id, v.from_publication_id, v.id
"""

_ORDER = "order by published_on, detected_at, sequence"
EVENTS = f"select {queries.EVENT_COLUMNS} from event_log {_ORDER}"  # noqa: S608 - the columns of a dataclass of ours
EVENTS_OF = f"select agency_id from event_log {_ORDER}"  # noqa: S608

SEEN = "select max(last_seen_at) from publication where list in ('participating', 'pending')"

_TERMS = tuple(column.name for column in fields(Terms))


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and the agency whose page has it; None where the history names none."""

    event: LoggedEvent
    agency_id: str | None


@dataclass(frozen=True)
class Agency:
    """An agency with its agreements and applications, those first listed first.

    `county` is the Census name of its county, `county_basis` says how the county is known or why it is not.
    """

    id: str
    state: str | None
    name: str
    former_names: tuple[str, ...]
    agency_type: str | None
    county: str | None
    county_fips: str | None
    county_basis: str | None
    timelines: tuple[Timeline, ...]

    @cached_property
    def agreements(self) -> tuple[Timeline, ...]:
        """What was ever on the participating list."""
        return tuple(one for one in self.timelines if one.first.list is ListName.PARTICIPATING)

    @cached_property
    def applications(self) -> tuple[Timeline, ...]:
        """What was ever on the pending list."""
        return tuple(one for one in self.timelines if one.first.list is ListName.PENDING)

    @cached_property
    def listed(self) -> tuple[Timeline, ...]:
        """The agreements listed now."""
        return tuple(one for one in self.agreements if is_open(one))

    @cached_property
    def last_left(self) -> Timeline | None:
        """The agreement that left the list last; None while one is listed, or where there never was one."""
        if self.listed or not self.agreements:
            return None
        return max(self.agreements, key=lambda one: one.periods[-1].valid_to or "")

    @cached_property
    def missing_on(self) -> str | None:
        """The date of the one list that shows that no agreement is left, while that is provisional."""
        last = self.last_left
        return last.periods[-1].valid_to if last is not None and is_provisional(last) else None

    @cached_property
    def waiting(self) -> tuple[Timeline, ...]:
        """The applications on the pending list now."""
        return tuple(one for one in self.applications if is_open(one))


@dataclass(frozen=True)
class History:
    """The whole history: `now` is the participating list as it stands, `first_on` the date of the first one.

    `days` are the dates of the participating lists. `seen_until` is the moment (UTC) until which ICE's lists were seen.
    """

    now: Standing | None
    ever_signed: tuple[str | None, ...]
    first_on: str | None
    seen_until: str | None
    days: tuple[str, ...]
    agencies: tuple[Agency, ...]
    told: tuple[Told, ...]

    @cached_property
    def counts(self) -> Counts | None:
        """What `watch287g stats` says."""
        return count(self.now, [By.MODEL, By.YEAR, By.STATE], self.ever_signed) if self.now else None

    @cached_property
    def states(self) -> dict[str, tuple[Agency, ...]]:
        """The agencies by the postal code of their state, in the order of the states' names; those with one only."""
        found: dict[str, list[Agency]] = {}
        for agency in self.agencies:
            if agency.state in states():
                found.setdefault(agency.state, []).append(agency)
        return {
            postal: tuple(sorted(found[postal], key=by_name))
            for postal in sorted(found, key=lambda code: states()[code].name)
        }

    @cached_property
    def homes(self) -> Mapping[str, tuple[Agency, Timeline]]:
        """Each agreement and application with its agency, by its id."""
        return {one.agreement_id: (agency, one) for agency in self.agencies for one in agency.timelines}

    @cached_property
    def number_of_state(self) -> Mapping[str, int]:
        """How many agreements each state has now, by postal code."""
        found: dict[str, int] = {}
        for item in self.now.listed if self.now else ():
            found[item.terms.state or ""] = found.get(item.terms.state or "", 0) + 1
        return found


def by_name(agency: Agency) -> tuple[str, str]:
    """The key by which agencies are sorted."""
    return agency.name.casefold(), agency.id


def is_open(timeline: Timeline) -> bool:
    """Whether it is on its list now."""
    return timeline.periods[-1].valid_to is None


def ended(timeline: Timeline) -> LoggedEvent | None:
    """The event that told of its end, if it has left the list."""
    if is_open(timeline):
        return None
    gone = [event for event in timeline.events if event.kind in (Kind.TERMINATED, Kind.WITHDRAWN)]
    return next((event for event in reversed(gone) if event.status is not Status.RETRACTED), None)


def is_provisional(timeline: Timeline) -> bool:
    """Whether it has left the list and only one list shows it."""
    event = ended(timeline)
    return event is not None and event.status is Status.PROVISIONAL


@contextmanager
def one_state_of(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything that is read in the block is of one moment, whoever writes meanwhile."""
    connection.execute("savepoint site")
    try:
        yield
    finally:
        connection.execute("release site")


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether the history has no list of agreements yet."""
    query = "select exists (select 1 from publication where list = ? and verdict = 'accepted')"
    return not connection.execute(query, (ListName.PARTICIPATING,)).fetchone()[0]


def read(connection: sqlite3.Connection) -> History:
    """The history as the site tells it."""
    told = _told(connection)
    timelines = _timelines(connection, told)
    days = connection.execute(
        "select distinct published_on from publication where list = ? and verdict = 'accepted' order by 1",
        (ListName.PARTICIPATING,),
    )
    return History(
        now=queries.standing(connection, ListName.PARTICIPATING),
        ever_signed=tuple(queries.ever_signed(connection, ListName.PARTICIPATING)),
        first_on=queries.begins(connection, ListName.PARTICIPATING),
        seen_until=connection.execute(SEEN).fetchone()[0],
        days=tuple(row[0] for row in days),
        agencies=tuple(_agencies(connection, timelines)),
        told=told,
    )


def _told(connection: sqlite3.Connection) -> tuple[Told, ...]:
    """Every event; terminations with the models that the agency still had."""
    events = [queries.logged_event(row) for row in connection.execute(EVENTS)]
    agencies = [row[0] for row in connection.execute(EVENTS_OF)]
    return tuple(map(Told, queries.with_what_is_left(connection, events), agencies))


def _timelines(connection: sqlite3.Connection, told: Sequence[Told]) -> dict[str, list[Timeline]]:
    """The agreements and applications of each agency."""
    periods: dict[str, list[Period]] = {}
    for row in connection.execute(PERIODS):
        terms = Terms(*(row[name] for name in _TERMS))
        periods.setdefault(terms.agreement_id, []).append(Period(terms, row["valid_from"], row["valid_to"]))
    events: dict[str, list[LoggedEvent]] = {}
    for one in told:
        events.setdefault(one.event.agreement_id, []).append(one.event)
    found: dict[str, list[Timeline]] = {}
    for row in connection.execute(AGREEMENTS):
        ident = row["public_id"]
        timeline = Timeline(
            ident,
            queries.source_of(row),
            row["first_row"],
            tuple(periods[ident]),
            tuple(events.get(ident, ())),
            row["signed_as"],
        )
        found.setdefault(row["agency_id"], []).append(timeline)
    return found


def _agencies(connection: sqlite3.Connection, timelines: Mapping[str, list[Timeline]]) -> Iterator[Agency]:
    for row in connection.execute(AGENCIES):
        yield Agency(
            row["public_id"],
            row["state"],
            row["name"],
            tuple(json.loads(row["former_names"])),
            row["agency_type"],
            row["county"],
            row["county_fips"],
            row["county_basis"],
            tuple(timelines.get(row["public_id"], ())),
        )
