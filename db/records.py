"""The vocabulary of the history: every value that the database stores or gives back.

All times are aware datetimes in UTC. All dates are calendar dates as ICE prints them. A `row` is a worksheet row
number as a spreadsheet program shows it: 1 is the header.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple


class ListName(StrEnum):
    """ICE's two lists."""

    PARTICIPATING = "participating"
    PENDING = "pending"


class Kind(StrEnum):
    """What an event says. The first five belong to the participating list, the rest (and `changed`) to pending."""

    NEW = "new"
    TERMINATED = "terminated"
    REINSTATED = "reinstated"
    RENEWED = "renewed"
    CHANGED = "changed"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"


class Status(StrEnum):
    """How far an event can be trusted: `provisional` is a termination seen once, `retracted` was taken back."""

    CONFIRMED = "confirmed"
    PROVISIONAL = "provisional"
    RETRACTED = "retracted"


class Outcome(StrEnum):
    """How a check of ICE's page ended."""

    FIRST = "first"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    HELD = "held"
    FAILED = "failed"
    FAILED_AGAIN = "failed-again"
    RECOVERED = "recovered"


class Verdict(StrEnum):
    """What became of a publication. `held` waits for the next publication or an operator."""

    ACCEPTED = "accepted"
    HELD = "held"
    REJECTED = "rejected"


class Trigger(StrEnum):
    """Who started a check."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    BACKFILL = "backfill"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd in a workbook: named, located, never dropped. `row` is None for the sheet as a whole."""

    code: str
    message: str
    row: int | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """The clean values of one row; None where ICE gives none or the text says nothing.

    `state` is a postal code, `support_model` a full name, the URLs are unwrapped, `moa` is the printed word
    (`link`, `link pending`) folded.
    """

    state: str | None
    agency: str
    agency_type: str | None
    county: str | None
    support_model: str | None
    signed_on: date | None
    moa_url: str | None
    addendum_url: str | None


@dataclass(frozen=True, slots=True)
class Printed:
    """The cells of one row as ICE printed them, and the link targets before unwrapping."""

    state: str
    agency: str
    agency_type: str
    county: str
    support_model: str
    signed: str
    moa: str
    addendum: str
    moa_target: str
    addendum_target: str


class Listing(NamedTuple):
    """A row of a publication, printed and clean."""

    row: int
    values: Values
    printed: Printed


@dataclass(frozen=True, slots=True)
class Sighting:
    """A workbook seen at a URL under a name at a time; `last_modified` is the server's header."""

    workbook: str
    file_name: str
    seen_at: datetime
    url: str | None = None
    last_modified: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One named check of a publication: whether it holds, whether it must, and the figures in one line."""

    name: str
    ok: bool
    required: bool
    note: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a listing is taken for an agreement: the rule, the evidence, and how near the border it was.

    `score` is in log-odds-like points (0 is the border); `review` asks a person to look.
    """

    rule: str
    score: float
    evidence: Mapping[str, str]
    review: bool = False


class Role(StrEnum):
    """What a listing is to its agreement: the row whose values are in force, or another row for the same one."""

    PRIMARY = "primary"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Publication:
    """A distinct content of a list, in the order of first sighting.

    `published_on` is the date that ICE gave it, `dated_by` the clock that says so: `file_name`, `last_modified`,
    `workbook` (dcterms:modified), `seen`, or `list_before` where it lies before the list in force. The same workbook
    posted again after another list makes a second publication, told apart by `seen_at` (first sighting, UTC).
    """

    list: ListName
    workbook: str
    file_name: str
    seen_at: datetime
    published_on: date
    dated_by: str
    modified: datetime | None = None


class Placement(NamedTuple):
    """Which agreement a listing of a publication was taken for, and why (None: an exact match)."""

    listing: Listing
    agreement: str
    role: Role
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What changed between two accepted publications of a list.

    `values` are the clean values after the event (before it, for terminated and withdrawn); `changes` maps a field to
    (before, after) and `classes` the same fields to what kind of change it is. `workbook` is the publication in which
    the change shows and `row` the listing's row in it (None for terminated and withdrawn); `previous_*` the last
    accepted publication before it. `related` names another agreement that the note speaks of.
    """

    id: str
    kind: Kind
    status: Status
    list: ListName
    detected_at: datetime
    published_on: date
    agreement: str
    values: Values
    workbook: str
    row: int | None
    previous_workbook: str | None
    previous_row: int | None
    changes: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    pending_since: date | None = None
    related: str | None = None
    note: str = ""
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """How an agreement left its list.

    `on` and `workbook` are those of the first publication without it; `last_on`, `last_workbook` and `last_row` say
    where it stood before. `event` is the id of the event that told of it, `provisional` until a second list bears it
    out.
    """

    on: date
    workbook: str
    last_on: date
    last_workbook: str
    last_row: int
    event: str | None = None
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement, or an application on the pending list, as it last stood.

    `values` are in force (or were, when it left). `first_on`, `first_workbook` and `first_row` name its first listing.
    For an application, `since` is the start of the present waiting and `signed_as` the agreement that came of it.
    """

    id: str
    list: ListName
    values: Values
    first_on: date
    first_workbook: str
    first_row: int
    since: date
    left: Left | None = None
    signed_as: str | None = None


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A later publication bears an event out (`confirmed`) or takes it back (`retracted`)."""

    event: str
    status: Status
    note: str


@dataclass(frozen=True, slots=True)
class Step:
    """What was decided about one publication, to be written in one transaction.

    `columns` are the fields that it has columns for. The rest is empty unless it was accepted; `agreements` are those
    that began, changed or left with it.
    """

    publication: Publication
    verdict: Verdict
    reason: str
    results: tuple[CheckResult, ...]
    findings: tuple[Finding, ...]
    columns: frozenset[str]
    rows: int
    placements: tuple[Placement, ...] = ()
    events: tuple[Event, ...] = ()
    status_changes: tuple[StatusChange, ...] = ()
    agreements: tuple[Agreement, ...] = ()
