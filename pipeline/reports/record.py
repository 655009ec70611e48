"""What the renderers take: rows of the record as values, with no ids that a rebuild could change.

Dates and times are ISO 8601 texts as the history stores them: dates as ICE prints them, times in UTC. Texts are as
ICE gave them, hostile ones included; each renderer makes them harmless for its format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from db.records import Kind, ListName, Status


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """A row of the public view `event_log`, with its columns' names.

    `changes` maps a field to (before, after), `change_classes` the same fields to the kind of change. `still_listed` is
    no column: the support models that a terminated event's agency still had in that publication, None for other kinds.
    """

    event_id: str
    kind: Kind
    status: Status
    status_note: str
    status_changed_at: str | None
    list: ListName
    published_on: str
    detected_at: str
    agreement_id: str
    related_agreement_id: str | None
    state: str | None
    agency: str
    county: str | None
    support_model: str | None
    signed_on: str | None
    pending_since: str | None
    changes: Mapping[str, tuple[str | None, str | None]]
    change_classes: Mapping[str, str]
    workbook_name: str
    workbook_sha256: str
    row: int | None
    previous_workbook_name: str | None
    previous_workbook_sha256: str | None
    previous_row: int | None
    note: str
    still_listed: tuple[str, ...] | None = None

    @property
    def told_on(self) -> tuple[str, ...]:
        """The dates (UTC) on which it was told, and confirmed or retracted; a withdrawal is told weeks late."""
        return tuple(moment[:10] for moment in (self.detected_at, self.status_changed_at) if moment)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a report is about. Empty means everything.

    `since` and `until` are inclusive; an event is between them if the date of its publication is, or the date on which
    it was told, confirmed or retracted.
    """

    since: date | None = None
    until: date | None = None
    states: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    list: ListName | None = None
    statuses: tuple[Status, ...] = ()

    def spans(self, day: str) -> bool:
        """Whether a date, an ISO text, lies in the period."""
        since, until = self.since or date.min, self.until or date.max
        return since.isoformat() <= day <= until.isoformat()


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the history reaches for a report: its lists' first and newest dates, and the lists in the period.

    `lists` maps a list to the number of its accepted publications in the period; the dates are those of the whole
    history, None where it is empty.
    """

    first: str | None
    newest: str | None
    lists: Mapping[ListName, int]


@dataclass(frozen=True, slots=True)
class Terms:
    """The values of an agreement that are in force at a time. `state` is a postal code."""

    agreement_id: str
    state: str | None
    agency: str
    agency_type: str | None
    county: str | None
    support_model: str | None
    signed_on: str | None
    moa_url: str | None
    addendum_url: str | None


@dataclass(frozen=True, slots=True)
class Listed:
    """An agreement on a list: its terms at the time, since when ICE has listed it, and its row in the workbook.

    `county_fips` and `county_name` are the Census's code and name of the county, `county_basis` how it is known or why
    it is not, as `reading.gazetteer.Basis` has it; all None in a history that an older program made.
    """

    terms: Terms
    first_listed_on: str
    row: int
    county_fips: str | None = None
    county_basis: str | None = None
    county_name: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A publication as evidence: its list, date, workbook and the workbook's SHA-256."""

    list: ListName
    published_on: str
    workbook_name: str
    workbook_sha256: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What a list said at a time. `whole` is the number of agreements before any filter.

    `as_of` is the day that was asked about, `as_known` the day whose knowledge was asked for; None is today.
    """

    source: Source
    listed: tuple[Listed, ...]
    whole: int
    as_of: str | None = None
    as_known: str | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """Terms and the publication dates between which they held; `valid_to` is None while they do."""

    terms: Terms
    valid_from: str
    valid_to: str | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything about one agreement or application: where it was first listed, its terms over time, its events."""

    agreement_id: str
    first: Source
    first_row: int
    periods: tuple[Period, ...]
    events: tuple[LoggedEvent, ...]
    signed_as: str | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency under its latest name, with what the record has of it on both lists."""

    state: str | None
    name: str
    spellings: tuple[str, ...]
    timelines: tuple[Timeline, ...]


@dataclass(frozen=True, slots=True)
class PrintedRow:
    """A worksheet row as ICE printed it: column -> text, nothing trimmed."""

    source: Source
    row: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """A decision as stored: the rule, and each piece of evidence in words.

    `score` is the distance from the border in points; below zero, rows were taken for two agreements. `review` says
    that a person was asked to look.
    """

    rule: str
    score: float
    evidence: Mapping[str, str]
    review: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two rows that were weighed against each other in a publication, and what was decided.

    Without a judgement nothing had to be decided: the rows matched exactly, or nothing came near.
    """

    source: Source
    before: PrintedRow | None
    after: PrintedRow | None
    judgement: Judgement | None


@dataclass(frozen=True, slots=True)
class ExplainedEvent:
    """An event and the comparison that it rests on."""

    event: LoggedEvent
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class ExplainedAgreement:
    """An agreement, the number of publications that listed it, and every comparison that was no exact match."""

    timeline: Timeline
    publications: int
    comparisons: tuple[Comparison, ...]
