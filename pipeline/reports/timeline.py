"""An agency's whole record as text: each agreement with its terms over time and its events."""

from collections.abc import Iterator, Sequence

from pipeline.reports.escaping import printable, web_link
from pipeline.reports.record import Agency, LoggedEvent, Period, Source, Terms, Timeline
from pipeline.reports.text import Paint, plain
from pipeline.reports.wording import agency as named
from pipeline.reports.wording import agreement, plural, subject, tell


def render(agency: Agency, paint: Paint = plain) -> str:
    """The record of one agency. No newline at the end."""
    head = f"{named(agency.state, agency.name)}: {_holdings(agency.timelines)}"
    lines = [paint(head, "heading")]
    if agency.spellings:
        lines.append(f"also listed as {', '.join(map(printable, agency.spellings))}")
    return "\n\n".join(("\n".join(lines), *("\n".join(_lines(one, paint)) for one in agency.timelines)))


def _holdings(timelines: Sequence[Timeline]) -> str:
    signed = [one for one in timelines if one.first.list == "participating"]
    waiting = [one for one in timelines if one.first.list == "pending" and _open(one)]
    listed = plural(sum(map(_open, signed)), "agreement")
    pending = f", {plural(len(waiting), 'application')} pending" if waiting else ""
    return f"{listed} listed now, {len(signed)} ever{pending}"


def _open(one: Timeline) -> bool:
    return bool(one.periods) and one.periods[-1].valid_to is None


def _lines(one: Timeline, paint: Paint) -> Iterator[str]:
    last = one.periods[-1]
    what = agreement(last.terms)
    title = what if one.first.list == "participating" else f"{what}, application"
    state = "listed" if last.valid_to is None else f"not listed since {last.valid_to}"
    yield paint(f"{title}: {state}", "heading") + "  " + paint(f"[{one.agreement_id}]", "aside")
    if not any(event.kind in ("new", "renewed", "pending") for event in one.events):
        yield f"  {one.first.published_on}  first listed, {evidence(one.first, one.first_row)}"
    for event in one.events:
        yield from _event_lines(event, paint)
    for period, before in zip(one.periods, (None, *one.periods), strict=False):
        yield f"  {period.valid_from} to {period.valid_to or 'now'}: {_terms(period, before)}"
    if one.signed_as:
        yield f"  signed as {one.signed_as}"


def _event_lines(event: LoggedEvent, paint: Paint) -> Iterator[str]:
    details = "; ".join(tell(event).details)
    where = f"in {event.workbook_name}, row {event.row}" if event.row else f"absent from {event.workbook_name}"
    if event.row is None and where in details:
        where = f"last in {event.previous_workbook_name}, row {event.previous_row}"
    words = "; ".join(filter(None, (details, printable(where))))
    yield f"  {event.published_on}  {paint(f'{event.kind.upper():<10}', event.kind)}  {words}  " + paint(
        f"[{event.event_id}]", "aside"
    )


def evidence(source: Source, row: int | None) -> str:
    """Where something stands: `in participatingAgencies06272025am.xlsx, row 12`."""
    return printable(f"in {source.workbook_name}" + (f", row {row}" if row else ""))


def _terms(period: Period, before: Period | None) -> str:
    """All terms, or those that differ from the period before."""
    now = _facts(period.terms)
    if before is not None:
        then = _facts(before.terms)
        return "; ".join(text or f"no {name}" for name, text in now.items() if then[name] != text) or "as before"
    return "; ".join(text for text in now.values() if text)


def _facts(terms: Terms) -> dict[str, str]:
    return {
        "name": subject(terms),
        "type": printable(terms.agency_type or ""),
        "county": printable(terms.county or ""),
        "MOA": f"MOA {web_link(terms.moa_url)}" if web_link(terms.moa_url) else "",
        "addendum": f"addendum {web_link(terms.addendum_url)}" if web_link(terms.addendum_url) else "",
    }
