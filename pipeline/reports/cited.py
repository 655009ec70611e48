"""What a citation is made of: whether a list named an agreement, or an agency, on a day, and what shows it.

Dates and times are ISO 8601 texts, times in UTC. Cells are as ICE printed them, hostile ones included.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from db.records import ListName
from pipeline.reports.record import LoggedEvent, Terms


class Says(StrEnum):
    """What the lists say of what was asked about.

    The last known ones are for a day after any that a list was seen on: nobody knows what ICE listed then. `never` is
    of all lists, no day being asked about. `may be listed` is for a name: rows may be it, and a person must judge.
    """

    LISTED = "listed"
    NOT_LISTED = "not listed"
    LAST_LISTED = "last known listed"
    LAST_NOT_LISTED = "last known not listed"
    NEVER = "never listed"
    MAY_BE = "may be listed"

    @property
    def certain(self) -> bool:
        """Whether it is an answer for the day, and no guess from an older list."""
        return self not in _LAST_KNOWN.values()

    @property
    def headline(self) -> str:
        """`LISTED`, `LAST KNOWN: LISTED`."""
        return self.upper().replace("LAST KNOWN", "LAST KNOWN:")


_LAST_KNOWN = {Says.LISTED: Says.LAST_LISTED, Says.NOT_LISTED: Says.LAST_NOT_LISTED, Says.MAY_BE: Says.MAY_BE}


class Origin(StrEnum):
    """Who says that a workbook was seen: this program fetched it; a collection it came from says so; or nobody does,
    and the time is the file's own, of its last modification.
    """

    FETCHED = "fetched"
    COLLECTION = "collection"
    FILE = "file"


class Part(StrEnum):
    """What a publication is to a citation: the list in force that day, its neighbours, those that show a change."""

    OF_THE_DAY = "of_the_day"
    BEFORE = "before"
    AFTER = "after"
    LAST_WITH = "last_with"
    NEXT_WITH = "next_with"


@dataclass(frozen=True, slots=True)
class Row:
    """A worksheet row: `cells` maps ICE's column to the text printed, nothing trimmed.

    `state` is the postal code it was read as. `likeness` (percent) is how alike its agency is to the one asked about,
    where that was asked.
    """

    row: int
    agreement_id: str
    duplicate: bool
    state: str | None
    agency: str
    cells: Mapping[str, str]
    likeness: float | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A sighting of a workbook: `url` is None where this program did not fetch it; `recorded_at` is when it was taken
    in.
    """

    file_name: str
    url: str | None
    seen_at: str
    last_seen_at: str
    recorded_at: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of the workbook that was not taken for a listing, and why: a note, or a row hidden by hand."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A publication and its rows for what was asked about; none is absence.

    `dated_by` is the clock that gives `published_on`: file_name, last_modified, workbook (its own dcterms:modified) or
    seen. `known_at` is when this history learned of it. `rows_read` are all the rows of the list. `maybe` is where a
    name was asked about: the rows may be of the agency that is meant.
    """

    list: ListName
    published_on: str
    dated_by: str
    workbook_name: str
    workbook_sha256: str
    bytes: int
    modified_at: str | None
    first_seen_at: str
    last_seen_at: str
    known_at: str
    rows_read: int
    seen: tuple[Seen, ...]
    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...]
    maybe: bool = False

    @property
    def says(self) -> Says:
        """Whether it has a row for what was asked about."""
        if not self.rows:
            return Says.NOT_LISTED
        return Says.MAY_BE if self.maybe else Says.LISTED

    @property
    def fetched(self) -> bool:
        """Whether this program downloaded it from ICE, and so knows ICE's name for it."""
        return any(one.origin is Origin.FETCHED for one in self.seen)


@dataclass(frozen=True, slots=True)
class Copy:
    """A workbook as it lies in an evidence folder, and where in it to look.

    `letters` maps ICE's column to the letter that a spreadsheet program shows; `hidden` are the rows that a filter
    hides, `rows` the first and the last row of the list.
    """

    file_name: str
    sheet: str
    header_row: int
    letters: Mapping[str, str]
    rows: tuple[int, int]
    hidden: frozenset[int]


@dataclass(frozen=True, slots=True)
class NotCounted:
    """A publication that was posted by that day and did not become the list in force: `verdict` is held or rejected."""

    verdict: str
    reason: str
    published_on: str
    workbook_name: str
    workbook_sha256: str
    first_seen_at: str
    last_seen_at: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: an agreement (or application) by its id and terms then, or an agency's name; on which day."""

    on: str
    list: ListName
    agreement_id: str | None = None
    agency_id: str | None = None
    terms: Terms | None = None
    name: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """All accepted lists of a kind: how many, and the dates of the first and the last."""

    lists: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Near:
    """An agency with a name like the one asked about, `likeness` in percent, and the first and last dates it is on."""

    agency_id: str
    state: str | None
    agency: str
    likeness: float
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Citation:
    """The answer and its evidence.

    parts: the publications by what they are to it; of the neighbours, those that exist.
    namesakes: other rows of that day's list that are of the agency, or bear its name, under other ids.
    nearest: rows of that day's list whose names are nearest, for a person to judge; only where it is not listed.
    elsewhere: dates of the first and the last list of the history that names the agency, where a name was asked about.
    last_sighting: when any workbook of the list was last seen.
    alike: names on lists of the history that may mean the agency and lack a word of its name, the likeliest first.
    searched: the lists of which `elsewhere` speaks, where a name was asked about.
    """

    asked: Asked
    parts: Mapping[Part, Shown]
    events: tuple[LoggedEvent, ...]
    not_counted: tuple[NotCounted, ...]
    namesakes: tuple[Row, ...]
    nearest: tuple[Row, ...]
    elsewhere: tuple[str, str] | None
    last_sighting: str
    searched: Searched | None = None
    alike: tuple[Near, ...] = ()

    @property
    def shown(self) -> Shown:
        """The list in force on the day."""
        return self.parts[Part.OF_THE_DAY]

    @property
    def says(self) -> Says:
        """Whether it was listed on the day; last known where no list was seen on the day or later (dates in UTC)."""
        return self.shown.says if self.asked.on <= self.last_sighting[:10] else _LAST_KNOWN[self.shown.says]

    def workbooks(self) -> Iterator[tuple[Shown, tuple[Part, ...]]]:
        """Each workbook once, from the oldest to the newest, with all that it is to the citation."""
        found: dict[str, tuple[Shown, tuple[Part, ...]]] = {}
        for part, shown in self.parts.items():
            known = found.get(shown.workbook_sha256)
            found[shown.workbook_sha256] = (known[0], (*known[1], part)) if known else (shown, (part,))
        yield from sorted(found.values(), key=lambda item: (item[0].published_on, item[0].first_seen_at))


@dataclass(frozen=True, slots=True)
class Several:
    """The citations of all agreements of one agency for one day and list, those that are listed first.

    `name` is the name that they share, where they are of several agencies.
    """

    citations: tuple[Citation, ...]
    name: str | None = None

    @property
    def says(self) -> Says:
        """Whether any was listed on the day."""
        return self.citations[0].says

    @property
    def listed(self) -> int:
        """How many of them the list of the day has."""
        return sum(bool(one.shown.rows) for one in self.citations)


@dataclass(frozen=True, slots=True)
class Consulted:
    """An accepted list that was searched. `fetched` is whether this program downloaded it from ICE."""

    published_on: str
    dated_by: str
    workbook_name: str
    workbook_sha256: str
    bytes: int
    rows: int
    first_seen_at: str
    last_seen_at: str
    known_at: str
    fetched: bool


@dataclass(frozen=True, slots=True)
class Never:
    """No list of the history names an agency.

    consulted: every accepted list, from the oldest to the newest; newest: the last of them in full.
    not_counted: lists that were held or rejected, whose rows were not searched.
    other: dates of the first and the last list of the other kind that names it, or None.
    """

    list: ListName
    name: str
    state: str | None
    consulted: tuple[Consulted, ...]
    newest: Shown
    not_counted: tuple[NotCounted, ...]
    nearest: tuple[Near, ...]
    other: tuple[str, str] | None
    last_sighting: str

    @property
    def says(self) -> Says:
        return Says.NEVER

    @property
    def searched(self) -> Searched:
        """How many lists that are, from when to when."""
        return Searched(len(self.consulted), self.consulted[0].published_on, self.consulted[-1].published_on)


Answer = Citation | Several | Never
