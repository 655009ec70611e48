"""Readings and histories made in code, for tests of the core: rows as short tuples, days as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from db.records import Event, ListName, Publication, Status, Step
from pipeline.reading.normalize import Reading, interpret
from pipeline.reading.workbook import Hidden, RawRow, Sheet, Value
from pipeline.tracking.corrections import Corrections
from pipeline.tracking.history import advance
from pipeline.tracking.ledger import Ledger
from pipeline.tracking.policy import Policy

Row = tuple[str, ...]
"""state, agency, model (JEM, WSO, TFM), signed (ISO; participating only), MOA file or empty, county."""

_MODELS = {"JEM": "Jail Enforcement Model", "WSO": "Warrant Service Officer", "TFM": "Task Force Model"}
_FIRST = date(2025, 3, 3)


def participating(rows: Sequence[Row], day: int = 0, columns: Sequence[str] = ()) -> Reading:
    """A participating list; rows are padded with blanks."""
    return _reading(ListName.PARTICIPATING, rows, day, columns)


def pending(rows: Sequence[Row], day: int = 0) -> Reading:
    """A pending list: state, agency, model, county."""
    return _reading(ListName.PENDING, [(r[0], r[1], r[2], "", "", *r[3:]) for r in rows], day, ())


def _reading(name: ListName, rows: Sequence[Row], day: int, columns: Sequence[str]) -> Reading:
    raw = []
    for number, row in enumerate(rows, 2):
        state, agency, model, signed, moa, county = (*row, *[""] * (6 - len(row)))
        values: dict[str, Value] = {
            "state": state,
            "agency": agency,
            "type": "County",
            "county": county,
            "model": _MODELS.get(model, model),
        }
        if name is ListName.PARTICIPATING:
            values |= {"signed": _date(signed), "moa": "link" if moa else "link pending"}
        links = {"moa": f"https://www.ice.gov/doclib/287gMOA/{moa}.pdf"} if moa else {}
        raw.append(RawRow.of(number, values, links, Hidden.NO))
    fields = list(raw[0].values) if raw else ["state", "agency", "type", "county", "model", "signed", "moa"]
    named = {f: f for f in fields if not columns or f in columns}
    modified = datetime.combine(_FIRST, datetime.min.time(), UTC) + timedelta(days=day)
    return interpret(Sheet("Sheet1", name, 1, named, (), (), tuple(raw), modified, None, ()))


def _date(text: str) -> Value:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


@dataclass
class Story:
    """A history told list by list; `ledger` is where it stands."""

    policy: Policy = field(default_factory=Policy)
    corrections: Corrections = field(default_factory=Corrections)
    ledger: Ledger = field(default_factory=Ledger)
    statuses: dict[str, Status] = field(default_factory=dict)
    told: list[Event] = field(default_factory=list)

    def post(self, reading: Reading, day: int, workbook: str = "") -> list[Step]:
        """Post a list on a day (counted from 3 March 2025); returns what was decided."""
        on = _FIRST + timedelta(days=day)
        seen = datetime.combine(on, datetime.min.time(), UTC) + timedelta(hours=12)
        workbook = workbook or f"{reading.list}-{day}"
        modified = reading.modified
        publication = Publication(reading.list, workbook, f"{workbook}.xlsx", seen, on, "file_name", modified)
        self.ledger, steps = advance(self.ledger, publication, reading, self.policy, self.corrections)
        for step in steps:
            self.told += step.events
            self.statuses |= {event.id: event.status for event in step.events}
            self.statuses |= {change.event: change.status for change in step.status_changes}
        return steps

    def lists(self, *lists: Sequence[Row]) -> list[str]:
        """Post participating lists on consecutive days; returns the events in short words."""
        for day, rows in enumerate(lists):
            self.post(participating(rows, day), day)
        return [words(event) for event in self.told]


def words(event: Event) -> str:
    """An event in short: its kind and agency, and what changed."""
    classes = ", ".join(sorted(event.classes.values()))
    return f"{event.kind} {event.values.agency}" + (f": {classes}" if classes else "")
