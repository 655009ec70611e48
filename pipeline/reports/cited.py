"""What a citation is made of: whether a list named an agreement, or an agency, on a day, and what shows it.

Dates and times are ISO 8601 texts, times in UTC. Cells are as ICE printed them, hostile ones included.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from db.records import ListName
from pipeline.reports.record import LoggedEvent, Terms


class Says(StrEnum):
    """What a list says of what was asked about."""

    LISTED = "listed"
    NOT_LISTED = "not listed"


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
    """A sighting of a workbook: `url` is None where whoever saw it did not note the address (an older archive)."""

    file_name: str
    url: str | None
    seen_at: str
    last_seen_at: str


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row of the workbook that was not taken for a listing, and why: a note, or a row hidden by hand."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A publication and its rows for what was asked about; none is absence.

    `dated_by` is the clock that gives `published_on`: file_name, last_modified, workbook (its own dcterms:modified) or
    seen. `known_at` is when this history learned of it. `rows_read` are all the rows of the list.
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

    @property
    def says(self) -> Says:
        """Whether it has a row for what was asked about."""
        return Says.LISTED if self.rows else Says.NOT_LISTED


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
class Citation:
    """The answer and its evidence.

    parts: the publications by what they are to it; of the neighbours, those that exist.
    namesakes: other rows of that day's list that name the agency, under other ids.
    nearest: rows of that day's list whose names are nearest, for a person to judge; only where it is not listed.
    elsewhere: dates of the first and the last list of the history that names the agency, where a name was asked about.
    last_sighting: when any workbook of the list was last seen.
    """

    asked: Asked
    parts: Mapping[Part, Shown]
    events: tuple[LoggedEvent, ...]
    not_counted: tuple[NotCounted, ...]
    namesakes: tuple[Row, ...]
    nearest: tuple[Row, ...]
    elsewhere: tuple[str, str] | None
    last_sighting: str

    @property
    def shown(self) -> Shown:
        """The list in force on the day."""
        return self.parts[Part.OF_THE_DAY]

    @property
    def says(self) -> Says:
        """Whether it was listed on the day."""
        return self.shown.says

    def workbooks(self) -> Iterator[tuple[Shown, tuple[Part, ...]]]:
        """Each workbook once, from the oldest to the newest, with all that it is to the citation."""
        found: dict[str, tuple[Shown, tuple[Part, ...]]] = {}
        for part, shown in self.parts.items():
            known = found.get(shown.workbook_sha256)
            found[shown.workbook_sha256] = (known[0], (*known[1], part)) if known else (shown, (part,))
        yield from sorted(found.values(), key=lambda item: (item[0].published_on, item[0].first_seen_at))
