"""Checks of a publication before it may change the history.

Each gives a `CheckResult`; a failed required one holds the publication. They look at the reading alone, or at what the
reading would do to the agreements in force (after identification, so that a respelt list does not count as gone).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from db.records import CheckResult, ListName, Publication
from pipeline.reading.normalize import Reading
from pipeline.tracking.identity import exact_key
from pipeline.tracking.ledger import Ledger
from pipeline.tracking.policy import CheckLimits

_FEW_ROWS = 25
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Effect:
    """What accepting a publication would do to the agreements in force.

    `worst_state` is the state that would lose most: its code, how many would vanish, how many it has. `complete` is
    False if more rows are left over than can be compared. `moved_links` is how many would get another's MOA.
    """

    in_force: int
    vanish: int
    changed: int
    worst_state: tuple[str, int, int] = ("", 0, 0)
    complete: bool = True
    moved_links: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """The number of agreements that ICE's page printed beside the list, if it did."""

    agreements: int | None = None


def check(
    publication: Publication,
    reading: Reading,
    before: Publication | None,
    seen_before: bool,
    effect: Effect | None,
    limits: CheckLimits,
    totals: Totals | None = None,
) -> tuple[CheckResult, ...]:
    """Run every check that applies.

    Args:
        before: the publication in force, or None for the first of its list.
        seen_before: whether this workbook was accepted before the one in force.
        effect: what it would change, or None where there is nothing in force.
    """
    results = [
        _columns(reading),
        _unresolved("states", "state", reading, limits),
        _unresolved("models", "model", reading, limits),
        _agencies(reading),
        _not_empty(reading, effect),
        _duplicates(reading, limits),
        _not_older(publication, before, seen_before),
    ]
    if reading.list is ListName.PARTICIPATING:
        results.append(_dates(publication, reading, limits))
    if effect is not None:
        results += [_vanish(reading.list, effect, limits), _changed(effect, limits), _comparable(effect)]
        results.append(_moved_links(effect, limits))
    if totals is not None and totals.agreements is not None and reading.list is ListName.PARTICIPATING:
        results.append(_totals(totals.agreements, len(reading.listings), limits))
    return tuple(results)


def not_the_other(reading: Reading, ledger: Ledger) -> CheckResult:
    """A participating list whose SIGNED column is not known by its name reads as a pending list.

    Of ICE's pending lists never more than a few rows were agreements in force.
    """
    other = ledger.in_force.get(ListName.PARTICIPATING)
    rows = len(reading.listings)
    if other is None or rows <= _FEW_ROWS:
        return CheckResult("not_participating", True, True, f"{rows} rows")
    known = {exact_key(listing.values)[:3] for listings in other.listings.values() for listing in listings}
    count = sum(exact_key(listing.values)[:3] in known for listing in reading.listings)
    ok = _small(count, rows, _FEW_ROWS, _HALF)
    return CheckResult("not_participating", ok, True, f"{count} of {rows} rows are agreements in force")


def holds(results: Sequence[CheckResult]) -> bool:
    """Whether a publication with these results must be held."""
    return any(result.required and not result.ok for result in results)


def _columns(reading: Reading) -> CheckResult:
    missing = ", ".join(reading.missing_columns)
    return CheckResult("columns", not missing, True, f"missing: {missing}" if missing else "all there")


def _unresolved(name: str, column: str, reading: Reading, limits: CheckLimits) -> CheckResult:
    count = sum(1 for f in reading.findings if f.code == f"unknown_{column}")
    ok = _small(count, len(reading.listings), limits.unresolved_number, limits.unresolved_share)
    return CheckResult(
        name, ok, True, f"{count} of {len(reading.listings)} rows have a {column} that cannot be resolved"
    )


def _agencies(reading: Reading) -> CheckResult:
    """A row that names nobody cannot be told from another: one is too many."""
    count = sum(1 for f in reading.findings if f.code == "agency_missing")
    return CheckResult("agencies", not count, True, f"{count} of {len(reading.listings)} rows name no agency")


def _not_empty(reading: Reading, effect: Effect | None) -> CheckResult:
    required = reading.list is ListName.PARTICIPATING
    in_force = effect.in_force if effect else 0
    return CheckResult(
        "not_empty",
        bool(reading.listings) or not required,
        required,
        f"{len(reading.listings)} rows, {in_force} in force",
    )


def _duplicates(reading: Reading, limits: CheckLimits) -> CheckResult:
    counts = Counter(exact_key(listing.values) for listing in reading.listings)
    extra = sum(count - 1 for count in counts.values())
    ok = _small(extra, len(reading.listings), limits.duplicate_number, limits.duplicate_share)
    return CheckResult("duplicates", ok, True, f"{extra} rows repeat another")


def _dates(publication: Publication, reading: Reading, limits: CheckLimits) -> CheckResult:
    latest = publication.published_on + timedelta(days=limits.future_days)
    odd = sum(1 for f in reading.findings if f.code in ("date_impossible", "date_unreadable"))
    odd += sum(1 for listing in reading.listings if (day := listing.values.signed_on) is not None and day > latest)
    ok = _small(odd, len(reading.listings), limits.odd_dates_number, limits.odd_dates_share)
    return CheckResult("signing_dates", ok, True, f"{odd} rows are signed in the future, before 2002 or unreadably")


def _not_older(publication: Publication, before: Publication | None, seen_before: bool) -> CheckResult:
    """dcterms:modified has never run backwards in publication order; a list that is older is a stale re-post."""
    if before is None:
        return CheckResult("not_older", True, True, "nothing in force")
    if seen_before:
        return CheckResult("not_older", False, True, f"posted before {before.file_name}, which replaced it")
    if publication.modified is None or before.modified is None:
        return CheckResult("not_older", True, True, "the workbooks do not say when they were modified")
    ok = publication.modified >= before.modified
    note = f"modified {publication.modified:%Y-%m-%d %H:%M}, the list in force {before.modified:%Y-%m-%d %H:%M} UTC"
    return CheckResult("not_older", ok, True, note)


def _vanish(name: ListName, effect: Effect, limits: CheckLimits) -> CheckResult:
    """Of the whole list, or of one state: a filter that was saved into the file takes out just one.

    Applications leave the pending list by the dozen when they are signed: there the figure is only noted.
    """
    state, gone, had = effect.worst_state
    whole = _small(effect.vanish, effect.in_force, limits.vanish_number, limits.vanish_share)
    ok = whole and _small(gone, had, limits.vanish_number, _HALF)
    required = name is ListName.PARTICIPATING
    note = f"{effect.vanish} of {effect.in_force} would vanish"
    if whole and not ok:
        note += f", {gone} of the {had} of {state}"
    return CheckResult("vanishing", ok or not required, required, note)


def _changed(effect: Effect, limits: CheckLimits) -> CheckResult:
    ok = _small(effect.changed, effect.in_force, limits.changed_number, limits.changed_share)
    return CheckResult(
        "changed", ok, True, f"{effect.changed} of {effect.in_force} would change in state, agency, model or date"
    )


def _moved_links(effect: Effect, limits: CheckLimits) -> CheckResult:
    """Links that slip against their rows give each agreement its neighbour's document; of 2025 no list has two."""
    ok = _small(effect.moved_links, effect.in_force, limits.moved_links_number, limits.moved_links_share)
    note = f"{effect.moved_links} of {effect.in_force} would get the MOA that was another's"
    return CheckResult("moved_links", ok, True, note)


def _comparable(effect: Effect) -> CheckResult:
    note = "all rows compared" if effect.complete else "more rows are left over than can be compared"
    return CheckResult("comparable", effect.complete, True, note)


def _totals(stated: int, rows: int, limits: CheckLimits) -> CheckResult:
    """The page has been off by one against the workbook of the same day: a warning only."""
    ok = abs(stated - rows) <= limits.totals_difference
    return CheckResult("page_totals", ok, False, f"the page says {stated} agreements, the workbook has {rows} rows")


def _small(count: int, of: int, number: int, share: float) -> bool:
    return count <= number or count <= share * of
