"""The record in words: an event as a sentence, a change as what kind of change it is.

Every text that comes out is printable and on one line.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import unquote, urlsplit

from db.records import Kind, ListName, Status
from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable
from pipeline.reports.record import LoggedEvent, Reach, Selection, Terms

GRAVITY = (
    Kind.TERMINATED,
    Kind.NEW,
    Kind.RENEWED,
    Kind.REINSTATED,
    Kind.WITHDRAWN,
    Kind.PENDING,
    Kind.CHANGED,
)
"""The kinds, the most serious first: the order in which a reader wants to hear of them."""

KEY = (
    ("terminated", "no longer listed; ICE never says why."),
    ("provisional", "missing from one list so far; the next list bears it out, or it is taken back."),
    ("retracted", "taken back: ICE listed it again soon, or it turned out to be a mistake."),
)
"""The words of a report that are easily misread."""

_VERBS = {
    "spelling": "spelling corrected",
    "rename": "renamed",
    "date correction": "date corrected",
    "state correction": "state corrected",
    "county correction": "county corrected",
    "type correction": "type corrected",
    "model correction": "model corrected",
    "date added": "signing date added",
    "date removed": "signing date removed",
    "new signing": "signed anew",
    "link posted": "MOA posted",
    "link replaced": "MOA replaced",
    "link withdrawn": "MOA withdrawn",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """An event in words: whom it is about, and what is said of them, the most telling first."""

    subject: str
    details: tuple[str, ...]

    def __str__(self) -> str:
        return "; ".join((self.subject, *self.details))


def tell(event: LoggedEvent) -> Sentence:
    """Say what an event says, with how far it can be trusted."""
    details = [event.note] if event.note else []
    details += [_after(event.note, change(event, name)) for name in event.changes]
    if event.pending_since:
        details.append(f"pending since {event.pending_since}")
    if event.still_listed is not None:
        details.append(
            f"still listed: {', '.join(event.still_listed)}"
            if event.still_listed
            else "no other agreement of this agency is listed"
        )
    if event.related_agreement_id:
        details.append(f"see {event.related_agreement_id}")
    details += _trust(event)
    return Sentence(subject(event), tuple(map(printable, details)))


def _after(note: str, told: str) -> str:
    """A change in words, without the verb that the note before it has said already."""
    verb = _VERBS["new signing"]
    return told.replace(f"{verb}:", "signing date:", 1) if note.startswith(verb) else told


def _trust(event: LoggedEvent) -> list[str]:
    if event.status is Status.PROVISIONAL:
        return ["provisional: no second list bears it out yet"]
    if event.status is Status.RETRACTED:
        return [f"RETRACTED: {event.status_note}" if event.status_note else "RETRACTED"]
    return []


def subject(of: LoggedEvent | Terms) -> str:
    """Whom a record is about: `Kerr County Sheriff's Office (TX), Jail Enforcement Model, signed 2025-05-06`."""
    return f"{agency(of.state, of.agency)}, {agreement(of)}"


def agency(state: str | None, name: str) -> str:
    """An agency and where it is: `Kerr County Sheriff's Office (TX)`."""
    return printable(f"{name or 'agency not stated'} ({state or 'state unknown'})")


def agreement(of: LoggedEvent | Terms) -> str:
    """An agreement without its agency: `Jail Enforcement Model, signed 2025-05-06`."""
    model = printable(of.support_model or "model unknown")
    return f"{model}, signed {printable(of.signed_on)}" if of.signed_on else model


def change(event: LoggedEvent, name: str) -> str:
    """One change of an event: `date corrected: 2025-06-12 -> 2025-06-11`, `MOA posted`."""
    before, after = event.changes[name]
    kind = event.change_classes.get(name) or f"{name} changed"
    verb = _VERBS.get(kind, kind)
    if name.endswith("_url"):
        before, after = _file(before), _file(after)
        if before is None or after is None:
            return printable(verb)
    if before is None:
        return printable(f"{verb}: {after}")
    return printable(f"{verb}: {before} -> {after or 'none'}")


def evidence(event: LoggedEvent) -> str:
    """The row that shows it: `row 12`, or `was row 700 of participatingAgencies06262025pm.xlsx`; empty if unknown."""
    if event.row:
        return f"row {event.row}"
    if event.previous_row:
        return printable(f"was row {event.previous_row} of {event.previous_workbook_name or 'the list before'}")
    return ""


def _file(url: str | None) -> str | None:
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1] or url if url else None


def counts(events: Iterable[LoggedEvent]) -> str:
    """How many events there are of each kind, the most serious first: `6 terminated (3 of them retracted), 12 new`."""
    events = list(events)
    found = Counter(event.kind for event in events)
    back = Counter(event.kind for event in events if event.status is Status.RETRACTED)
    return ", ".join(f"{found[kind]:,} {kind}{_retracted(back[kind], found[kind])}" for kind in GRAVITY if found[kind])


def _retracted(number: int, of: int) -> str:
    if not number:
        return ""
    return f" ({number:,} of them retracted)" if number < of else " (retracted)" if of == 1 else " (all retracted)"


def plural(number: int, noun: str) -> str:
    """`1 event`, `1,274 events`, `2 agencies`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun[:-1]}ies" if noun.endswith(("cy", "ry")) else f"{number:,} {noun}s"


def scope(selection: Selection) -> str:
    """What a report is about: `participating list, Texas, from 2025-06-01 to 2025-06-30`; empty for everything."""
    words = [f"{selection.list} list"] if selection.list else []
    words += [" or ".join(selection.statuses)]
    words += [" or ".join(some) for some in (map(state_name, selection.states), selection.models) if some]
    words.append(_period(selection.since, selection.until))
    return ", ".join(filter(None, words))


def _period(since: date | str | None, until: date | str | None) -> str:
    if since and since == until:
        return f"on {since}"
    return " ".join(f"{word} {day}" for word, day in (("from", since), ("to", until)) if day)


def title(selection: Selection, reach: Reach | None) -> str:
    """The title of a report: `287(g) report from 2025-06-01 to 2025-06-30`, the whole history if no period is given."""
    since = selection.since or (reach.first if reach else None)
    until = selection.until or (reach.newest if reach else None)
    return " ".join(filter(None, ("287(g) report", _period(since and str(since), until and str(until)))))


def coverage(reach: Reach | None) -> str:
    """The lists that a report covers: `Covers 9 participating lists and 1 pending list; the newest is of ...`."""
    if reach is None or reach.newest is None:
        return ""
    lists = [plural(number, f"{name} list") for name, number in reach.lists.items() if number]
    covered = f"Covers {' and '.join(lists)}" if lists else "Covers no list"
    return f"{covered}; the newest in the history is of {reach.newest}."


def list_title(name: ListName) -> str:
    """`Participating list`, `Pending list`."""
    return f"{name.capitalize()} list"
