"""Another tracker's list beside ours: what only one has, and where they differ; as text, Markdown, CSV, JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.reports import data, tables
from pipeline.reports.escaping import markdown as escaped
from pipeline.reports.escaping import printable
from pipeline.reports.record import Listed, Standing
from pipeline.reports.standing import title
from pipeline.reports.text import Paint, plain
from pipeline.reports.wording import agency, plural


@dataclass(frozen=True, slots=True)
class Entry:
    """An agreement of another tracker's list: `row` as its program shows it (1 is the first line), values read as ours
    are. A row that names several models is an entry for each.
    """

    row: int
    state: str | None
    agency: str
    support_model: str | None
    signed_on: str | None
    county: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """Another tracker's list: `columns` maps what we compare to the header it is under; `odd` names cells that
    could not be read, the first of `unread` in all. `hidden` are rows that somebody hid by hand, and that are left out.
    """

    name: str
    sha256: str
    columns: Mapping[str, str]
    entries: tuple[Entry, ...]
    odd: tuple[str, ...]
    unread: int = 0
    hidden: tuple[int, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return len({entry.row for entry in self.entries})


@dataclass(frozen=True, slots=True)
class Pair:
    """A row there and an agreement here that are the same; `differences` maps a field to (there, here)."""

    there: Entry
    here: Listed
    differences: Mapping[str, tuple[str | None, str | None]]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Rows there and agreements here that may be the same in more than one way: nothing is guessed between them."""

    there: tuple[Entry, ...]
    here: tuple[Listed, ...]


@dataclass(frozen=True, slots=True)
class Repeated:
    """A row there that says what another, `repeats`, says; in ICE's own words, where its list has both."""

    there: Entry
    repeats: int


@dataclass(frozen=True, slots=True)
class Nearest:
    """The agreement here whose agency has the likeliest name; `likeness` in percent."""

    here: Listed
    likeness: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The two lists side by side; `same` are the pairs without a difference.

    nearest: for what is only there, what is near it here. rows: their rows that were compared.
    states: those that were asked for; few: those that their file alone has, where none was asked for.
    """

    standing: Standing
    table: Table
    same: int
    differing: tuple[Pair, ...]
    only_there: tuple[Entry, ...]
    only_here: tuple[Listed, ...]
    unsettled: tuple[Unsettled, ...]
    repeated: tuple[Repeated, ...]
    nearest: Mapping[Entry, Nearest]
    rows: int
    states: tuple[str, ...]
    few: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether the lists say the same; a row said twice says nothing else."""
        return not (self.differing or self.only_there or self.only_here or self.unsettled)


_SHOWN = 20
_HEADINGS = ("Differing", "Only there", "Unsettled: more than one may be meant", "Only here", "Repeated there")


def summary(compared: Compared) -> list[str]:
    """The two lists, the columns that were taken, the counts, and what a reader must know of them, a line each."""
    columns = ", ".join(f"{field} = {header!r}" for field, header in compared.table.columns.items())
    counts = (
        f"{compared.same:,} the same, {len(compared.differing):,} differing, {len(compared.only_there):,} only there,"
        f" {len(compared.only_here):,} only here, {len(compared.unsettled):,} unsettled"
    )
    if compared.repeated:
        counts += f", {len(compared.repeated):,} repeated there"
    whole = plural(compared.table.rows, "row")
    rows = whole if compared.rows == compared.table.rows else f"{compared.rows:,} of {whole}"
    there = f"There: {rows} in {compared.table.name} ({columns})"
    return [printable(there), f"Here: {title(compared.standing)}", counts, *_notes(compared)]


def _notes(compared: Compared) -> Iterator[str]:
    if compared.table.unread:
        yield f"{plural(compared.table.unread, 'cell')} there could not be read"
    if hidden := compared.table.hidden:
        more = f" and {len(hidden) - _SHOWN:,} more" if len(hidden) > _SHOWN else ""
        numbers = ", ".join(map(str, hidden[:_SHOWN]))
        yield f"{plural(len(hidden), 'row')} there hidden by hand, and left out: {numbers}{more}"
    if compared.few:
        options = " ".join(f"--state {state}" for state in compared.few)
        yield f"the file has only {_and(compared.few)}; {options} leaves out the others"


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def text(compared: Compared, paint: Paint = plain) -> str:
    """The counts, then a section for each way in which the lists differ."""
    parts = [[*summary(compared)]]
    sections = zip(_HEADINGS, (_differing, _only_there, _unsettled, _only_here, _repeated), strict=True)
    parts += [[paint(heading, "heading"), *lines] for heading, make in sections if (lines := list(make(compared)))]
    if compared.table.odd:
        parts.append([paint("Not read", "heading"), *map(printable, compared.table.odd)])
    return "\n\n".join("\n".join(lines) for lines in parts)


def _only_there(compared: Compared) -> Iterator[str]:
    for entry in compared.only_there:
        yield _there(entry)
        if near := compared.nearest.get(entry):
            yield f"  nearest here: {_here(near.here)}, {near.likeness:g} % alike"


def _repeated(compared: Compared) -> Iterator[str]:
    for one in compared.repeated:
        yield f"{_there(one.there)} repeats row {one.repeats}"


def _only_here(compared: Compared) -> Iterator[str]:
    yield from map(_here, compared.only_here)


def _differing(compared: Compared) -> Iterator[str]:
    for pair in compared.differing:
        told = "; ".join(f"{field}: {there!r} there, {here!r} here" for field, (there, here) in _told(pair))
        yield printable(f"{_here(pair.here)}, row {pair.there.row} there: {told}")


def _told(pair: Pair) -> Iterator[tuple[str, tuple[str, str]]]:
    for field, (there, here) in pair.differences.items():
        yield field, (there or "", here or "")


def _unsettled(compared: Compared) -> Iterator[str]:
    for group in compared.unsettled:
        yield " | ".join(map(_there, group.there))
        yield from (f"  may be {_here(item)}" for item in group.here)


def _there(entry: Entry) -> str:
    told = [agency(entry.state, entry.agency), entry.support_model or "model unknown"]
    signed = [f"signed {entry.signed_on}"] if entry.signed_on else []
    return printable(f"{', '.join([*told, *signed])}  [row {entry.row} there]")


def _here(item: Listed) -> str:
    told = [agency(item.terms.state, item.terms.agency), item.terms.support_model or "model unknown"]
    signed = [f"signed {item.terms.signed_on}"] if item.terms.signed_on else []
    return printable(f"{', '.join([*told, *signed])}  [{item.terms.agreement_id}, row {item.row}]")


_COLUMNS = (
    *("found", "group", "field", "there", "here", "row_there", "state", "agency", "support_model", "signed_on"),
    *("county", "agreement_id", "row_here", "repeats_row", "nearest", "nearest_agreement_id"),
)
_Line = tuple[str | int | None, ...]


def _rows(compared: Compared) -> Iterator[_Line]:
    """A line for each difference and repetition; `group` numbers the unsettled ones that belong together."""
    no_more = (None, None, None)
    for pair in compared.differing:
        for field, (there, here) in pair.differences.items():
            yield "differing", None, field, there, here, pair.there.row, *_listed(pair.here), *no_more
    for entry in compared.only_there:
        near = compared.nearest.get(entry)
        nearest = (near.here.terms.agency, near.here.terms.agreement_id) if near else (None, None)
        yield "only there", None, None, None, None, *_entry(entry), None, None, None, *nearest
    for number, group in enumerate(compared.unsettled, 1):
        for entry in group.there:
            yield "unsettled", number, None, None, None, *_entry(entry), None, None, *no_more
        for item in group.here:
            yield "unsettled", number, None, None, None, None, *_listed(item), *no_more
    for item in compared.only_here:
        yield "only here", None, None, None, None, None, *_listed(item), *no_more
    for one in compared.repeated:
        yield "repeated", None, None, None, None, *_entry(one.there), None, None, one.repeats, None, None


def _entry(entry: Entry) -> _Line:
    return entry.row, entry.state, entry.agency, entry.support_model, entry.signed_on, entry.county


def _listed(item: Listed) -> _Line:
    terms = item.terms
    named = (terms.state, terms.agency, terms.support_model, terms.signed_on, terms.county)
    return *named, terms.agreement_id, item.row


def csv(compared: Compared) -> str:
    """A row a difference; rows that are the same are left out."""
    return data.table_csv(_COLUMNS, _rows(compared))


def markdown(compared: Compared) -> str:
    """The counts and a table of the differences."""
    rows = [["" if value is None else value for value in row] for row in _rows(compared)]
    said = "\n".join(f"- {escaped(one)}" for one in summary(compared))
    return "\n\n".join([said, tables.markdown(_COLUMNS, rows)] if rows else [said])


def json(compared: Compared) -> str:
    """`{"schema": 1, "source": {...}, "file": {...}, "same": n, "differing": [...], "only_there": [...], ...}`.

    `differing` has `there`, `here` and `differences` ({field: [there, here]}); `unsettled` has lists of both.
    """
    table, standing = compared.table, compared.standing
    file: dict[str, Any] = {"name": table.name, "sha256": table.sha256, "rows": table.rows}
    file |= {
        "columns": dict(table.columns),
        "odd": list(table.odd),
        "unread": table.unread,
        "hidden": list(table.hidden),
    }
    return data.document(
        {
            "source": asdict(standing.source),
            "as_of": standing.as_of,
            "file": file,
            "states": list(compared.states),
            "same": compared.same,
            "differing": [
                {
                    "there": asdict(pair.there),
                    "here": _listed_json(pair.here),
                    "differences": {field: list(values) for field, values in pair.differences.items()},
                }
                for pair in compared.differing
            ],
            "only_there": [
                {**asdict(entry), "nearest": _nearest_json(compared.nearest.get(entry))}
                for entry in compared.only_there
            ],
            "unsettled": [
                {
                    "there": [asdict(entry) for entry in group.there],
                    "here": [_listed_json(item) for item in group.here],
                }
                for group in compared.unsettled
            ],
            "only_here": [_listed_json(item) for item in compared.only_here],
            "repeated": [{**asdict(one.there), "repeats_row": one.repeats} for one in compared.repeated],
        }
    )


def _nearest_json(near: Nearest | None) -> dict[str, Any] | None:
    return {**_listed_json(near.here), "likeness": near.likeness} if near else None


def _listed_json(item: Listed) -> dict[str, Any]:
    return {**asdict(item.terms), "first_listed_on": item.first_listed_on, "row": item.row}
