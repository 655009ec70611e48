"""How many agreements are in force, by year and month of signing, model, state and county."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from pipeline.reading.gazetteer import Basis
from pipeline.reading.places import fold, state_name, states
from pipeline.reports import data, tables
from pipeline.reports.data import Scalar
from pipeline.reports.escaping import markdown as escaped
from pipeline.reports.record import Listed, Standing
from pipeline.reports.standing import title
from pipeline.reports.text import Paint, plain
from pipeline.reports.wording import plural

UNKNOWN = "not stated"


class By(StrEnum):
    """What agreements are counted by."""

    MODEL = "model"
    YEAR = "year"
    MONTH = "month"
    STATE = "state"
    COUNTY = "county"


@dataclass(frozen=True, slots=True)
class Count:
    """How many agreements there are of one value; `ever` also counts those no longer listed, where that is known."""

    value: str
    agreements: int
    ever: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """The agreements of a list as it stood, counted; `placed` by how the county's FIPS code is known, or why not."""

    standing: Standing
    agencies: int
    states: int
    territories: int
    by: dict[By, tuple[Count, ...]]
    placed: dict[str, int]


def count(standing: Standing, by: Iterable[By], ever_signed: Sequence[str | None] = ()) -> Counts:
    """Count a list.

    Args:
        by: what to count by, in that order.
        ever_signed: the signing date of each agreement that was ever on the list, those no longer listed included;
            it gives `ever` of years and months.
    """
    terms = [item.terms for item in standing.listed]
    where = {one.state for one in terms if one.state}
    territories = {postal for postal in where if postal in states() and states()[postal].kind == "territory"}
    agencies = {(one.state, fold(one.agency)) for one in terms}
    counted = {one: tuple(_count(standing.listed, one, ever_signed)) for one in by}
    bases = Counter(item.county_basis or Basis.UNKNOWN for item in standing.listed)
    placed = {basis.value: bases[basis] for basis in Basis}
    return Counts(standing, len(agencies), len(where - territories), len(territories), counted, placed)


def _count(listed: Sequence[Listed], by: By, ever_signed: Sequence[str | None]) -> Iterator[Count]:
    found = Counter(_VALUES[by](one) for one in listed)
    if by in (By.YEAR, By.MONTH):
        ever = Counter(_signed(day, by) for day in ever_signed)
        for value in sorted(found.keys() | ever.keys()):
            yield Count(value, found[value], ever[value])
        return
    for value, number in sorted(found.items(), key=lambda item: (-item[1], item[0])):
        yield Count(value, number)


def _signed(day: str | None, by: By) -> str:
    return day[: 4 if by is By.YEAR else 7] if day else UNKNOWN


def _county(one: Listed) -> str:
    """The county where the agency is; else why there is no one county."""
    if one.county_fips is None:
        return f"no one county: {one.county_basis or Basis.UNKNOWN}"
    return f"{one.county_name}, {one.terms.state} ({one.county_fips})"


_VALUES: dict[By, Callable[[Listed], str]] = {
    By.MODEL: lambda one: one.terms.support_model or UNKNOWN,
    By.YEAR: lambda one: _signed(one.terms.signed_on, By.YEAR),
    By.MONTH: lambda one: _signed(one.terms.signed_on, By.MONTH),
    By.STATE: lambda one: state_name(one.terms.state) if one.terms.state else UNKNOWN,
    By.COUNTY: _county,
}


def text(counts: Counts, paint: Paint = plain) -> str:
    """The totals, then a table for each count."""
    parts = ["\n".join((paint(title(counts.standing), "heading"), _coverage(counts), _counties(counts)))]
    for by, found in counts.by.items():
        rows = [tuple(_cells(one, counts)) for one in found]
        parts.append("\n".join((paint(_heading(by), "heading"), *(tables.text(rows, "  ") if rows else ["  none"]))))
    return "\n\n".join(parts)


def _heading(by: By) -> str:
    return f"By {by} signed: in force, share of all in force, ever listed" if by in (By.YEAR, By.MONTH) else f"By {by}"


def _coverage(counts: Counts) -> str:
    where = plural(counts.states, "state")
    if counts.territories:
        where += f" and {plural(counts.territories, 'territory')}"
    return f"{plural(counts.agencies, 'agency')} in {where}"


def _counties(counts: Counts) -> str:
    """How many have a county code, and how it is known; how many have none, and why."""
    known, open_ = (
        {basis: counts.placed[basis] for basis in some if counts.placed[basis]}
        for some in ((Basis.LISTED, Basis.NAME, Basis.PLACE), (Basis.STATEWIDE, Basis.SEVERAL, Basis.UNKNOWN))
    )
    said = f"county code (FIPS) for {sum(known.values()):,}{_in_brackets(known)}"
    return f"{said}, none for {sum(open_.values()):,}{_in_brackets(open_)}" if open_ else said


def _in_brackets(numbers: dict[Basis, int]) -> str:
    return f" ({', '.join(f'{number:,} {basis}' for basis, number in numbers.items())})" if numbers else ""


def _cells(one: Count, counts: Counts) -> Iterator[str | int]:
    yield one.value
    yield one.agreements
    yield f"{_share(one, counts):>6}"
    if one.ever is not None:
        yield f"{one.ever:,} ever listed"


def _share(one: Count, counts: Counts) -> str:
    return f"{one.agreements / max(len(counts.standing.listed), 1):.1%}"


_FIGURES = ("Agreements", "Share", "Ever listed")


def markdown(counts: Counts) -> str:
    """The totals, then a table for each count."""
    parts = [f"{escaped(title(counts.standing))}\n{_coverage(counts)}\n{_counties(counts)}"]
    for by, found in counts.by.items():
        columns = [by.capitalize(), *_FIGURES[: 3 if by in (By.YEAR, By.MONTH) else 2]]
        rows = [(one.value, one.agreements, _share(one, counts), one.ever or 0)[: len(columns)] for one in found]
        parts.append(tables.markdown(columns, rows, _FIGURES))
    return "\n\n".join(parts)


def json(counts: Counts) -> str:
    """`{"schema": 1, "source": {...}, "agreements": n, "agencies": n, ..., "by": {"model": [...]}}`."""
    source = counts.standing.source
    return data.document(
        {
            "as_of": counts.standing.as_of,
            "as_known": counts.standing.as_known,
            "source": asdict(source),
            "agreements": len(counts.standing.listed),
            "whole": counts.standing.whole,
            "agencies": counts.agencies,
            "states": counts.states,
            "territories": counts.territories,
            "county_code": counts.placed,
            "by": {by: [asdict(one) for one in found] for by, found in counts.by.items()},
        }
    )


def csv(counts: Counts) -> str:
    """A row a value: by, value, agreements, ever; the first row counts all."""
    rows: list[list[Scalar]] = [["all", "", len(counts.standing.listed), None]]
    rows += [[by, one.value, one.agreements, one.ever] for by, found in counts.by.items() for one in found]
    return data.table_csv(("by", "value", "agreements", "ever"), rows)
