"""An entry in words: what a volunteer has to know to publish it, whatever the format."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from db.records import Kind, ListName, Status
from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable, web_link
from pipeline.reports.messages.content import Evidence, Told
from pipeline.reports.messages.grouping import Entry, Group, Section, Sort
from pipeline.reports.messages.wording import HEADINGS, TEXT_LENGTH, document_link, nouns, short
from pipeline.reports.record import LoggedEvent
from pipeline.reports.wording import agreement, change

_OPENINGS = {
    Kind.NEW: "New on ICE's {list} list of {on}.",
    Kind.TERMINATED: "ICE no longer lists it; ICE gives no reason.",
    Kind.REINSTATED: "ICE lists it again, on its {list} list of {on}.",
    Kind.RENEWED: "A renewal, on ICE's {list} list of {on}: the agency goes on taking part.",
    Kind.PENDING: "On ICE's {list} list of {on}: the agency has applied, and no agreement is listed yet.",
    Kind.WITHDRAWN: "No longer on ICE's {list} list, and not listed as signed since; ICE gives no reason.",
    Kind.CHANGED: "ICE changed this entry in its {list} list of {on}; {it} goes on.",
}

_TOLD_BEFORE = {
    Kind.NEW: "this agreement is new on ICE's {list} list of {on}",
    Kind.TERMINATED: "ICE no longer lists this agreement, from its list of {on} on",
    Kind.REINSTATED: "ICE lists this agreement again, from its list of {on} on",
    Kind.RENEWED: "this agreement was signed anew, by ICE's list of {on}",
    Kind.PENDING: "this agency has applied, by ICE's {list} list of {on}",
    Kind.WITHDRAWN: "this application left ICE's {list} list on {on} and was not signed",
    Kind.CHANGED: "ICE changed this entry in its {list} list of {on}",
}

_SINCE = {Kind.REINSTATED: "First listed on", Kind.PENDING: "First pending on"}
_SINCE_ON = {ListName.PARTICIPATING: "Listed since", ListName.PENDING: "Pending since"}

_PROVISIONAL = "{it} is missing from one list only so far: if ICE lists it again, we write again."


@dataclass(frozen=True, slots=True)
class Link:
    """A document: what it is, and its address, percent-encoded."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a workbook shows, as words that stand before its name: `row 12 of`, `not in`."""

    words: str
    workbook: Evidence


@dataclass(frozen=True, slots=True)
class Account:
    """An entry in words: whom it is about, where they are, what they agreed to, what is said, and what shows it."""

    agency: str
    place: str
    terms: str
    statements: tuple[str, ...]
    links: tuple[Link, ...]
    proofs: tuple[Proof, ...]
    events: tuple[str, ...]


def account(entry: Entry) -> Account:
    """An entry in words."""
    told = _trimmed(entry.told)
    if entry.ended is None:
        return _account(told, agreement(told.event), _statements(entry.sort, told))
    ended = _trimmed(entry.ended)
    whole = _account(told, _pair_terms(entry.sort, told.event, ended.event), _pair(entry.sort, told, ended))
    return replace(
        whole,
        links=(*_links(told, " of the new agreement"), *_links(ended, " of the old agreement")),
        proofs=(*whole.proofs, *_proofs(ended)),
        events=(*whole.events, ended.event.event_id),
    )


def _account(told: Told, terms: str, statements: Iterable[str]) -> Account:
    event = told.event
    return Account(
        agency=event.agency or "agency not stated",
        place=", ".join(filter(None, (event.county, short(state_name(event.state))))),
        terms=short(terms, TEXT_LENGTH),
        statements=tuple(short(statement, TEXT_LENGTH) for statement in statements),
        links=_links(told),
        proofs=_proofs(told),
        events=(event.event_id,),
    )


def _statements(sort: Sort, told: Told) -> Iterator[str]:
    if sort is Sort.TAKEN_BACK:
        yield from _taken_back(told)
        return
    event = told.event
    yield _filled(_OPENINGS[event.kind], event)
    yield from _changes(event)
    if event.note:
        yield _sentence(event.note)
    yield from _since(told, event.note)
    yield from _still_listed(event, event.still_listed)
    yield from _unlinked(told)
    yield from _trust(event)


def _taken_back(told: Told) -> Iterator[str]:
    """What was said, that it does not hold, and why; of the rest only what holds all the same."""
    event = told.event
    before = _filled(_TOLD_BEFORE[event.kind], event)
    said = "".join(f"; {change(event, name)}" for name in event.changes)
    yield f"We wrote that {before}{said}. That does not hold{_because(event.status_note)}"
    yield from _since(told)


def _filled(words: str, event: LoggedEvent) -> str:
    it = "the agreement" if event.list is ListName.PARTICIPATING else "the application"
    return words.format(list=event.list.value, on=event.published_on, it=it)


def _because(reason: str) -> str:
    return f": {reason.removesuffix('.')}." if reason else "."


def _since(told: Told, note: str = "") -> Iterator[str]:
    """Since when it was pending or listed, where neither the opening nor the note that was told says it."""
    event, since = told.event, told.listed_since
    if event.pending_since:
        yield f"It was pending since {event.pending_since}."
    if since and since != event.published_on and f"since {since}" not in note:
        yield f"{_SINCE.get(event.kind) or _SINCE_ON[event.list]} {since}."


def _unlinked(told: Told) -> Iterator[str]:
    """What is to be said of an MOA that no link leads to."""
    event = told.event
    if told.moa_url and document_link(told.moa_url) is None:
        yield "ICE links an MOA under an address that cannot be shown."
    elif not told.moa_url and event.list is ListName.PARTICIPATING and event.kind is not Kind.TERMINATED:
        yield "ICE links no MOA yet."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _changes(event: LoggedEvent) -> Iterator[str]:
    for name in event.changes:
        words = change(event, name)
        if event.change_classes.get(name) == "new signing":
            words = words.replace("signed anew:", "signing date:", 1)
        yield _sentence(words)


def _still_listed(event: LoggedEvent, models: Sequence[str] | None) -> Iterator[str]:
    if models:
        yield f"Still listed for this agency: {', '.join(models)}."
    elif models is not None and event.kind is Kind.TERMINATED:
        yield "No other agreement of this agency is listed."


def _trust(event: LoggedEvent) -> Iterator[str]:
    if event.status is Status.PROVISIONAL:
        yield _PROVISIONAL.format(it="It")
    elif event.status is Status.RETRACTED:
        yield f"Since then taken back{_because(event.status_note)}"
    elif event.status_note:
        yield f"Borne out{_because(event.status_note)}"


def _pair_terms(sort: Sort, new: LoggedEvent, old: LoggedEvent) -> str:
    if sort is Sort.SWITCHED:
        return f"From {agreement(old)}, to {agreement(new)}"
    return f"{agreement(old)}, and anew on {printable(new.signed_on or 'a date that is not stated')}"


def _pair(sort: Sort, told: Told, ended: Told) -> Iterator[str]:
    """An end and a beginning of one agency as the one thing that they are."""
    new, old = told.event, ended.event
    what = "A switch of model" if sort is Sort.SWITCHED else "A new signing"
    yield f"{what}: the agency goes on taking part."
    pending = f"pending since {new.pending_since}, " if new.pending_since else ""
    yield f"The new agreement: {pending}on ICE's {new.list} list from {new.published_on} on."
    listed = f"listed since {ended.listed_since}, " if ended.listed_since else ""
    yield f"The old agreement: {listed}no longer listed from {old.published_on} on; ICE gives no reason."
    if old.agency != new.agency:
        yield f"The old agreement was listed as {old.agency}."
    yield from _still_listed(new, [model for model in old.still_listed or () if model != new.support_model])
    yield from _unlinked(told)
    if old.status is Status.PROVISIONAL:
        yield _PROVISIONAL.format(it="The old agreement")
    elif old.status is Status.RETRACTED:
        yield from _trust(old)


def _links(told: Told, of: str = "") -> tuple[Link, ...]:
    found = ((f"MOA{of}", told.moa_url), (f"Addendum{of}", told.addendum_url))
    return tuple(Link(label, link) for label, url in found if (link := document_link(url)))


def _proofs(told: Told) -> tuple[Proof, ...]:
    shown, previous = told.shown_in, told.previous
    found = [Proof(f"row {shown.row} of" if shown.row else "not in", shown)]
    if previous is not None and previous.row:
        found.append(Proof(f"row {previous.row} of the list before,", previous))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class ToldGroup:
    """A group in words, with what stands above it: `No longer listed (2)`, `1 termination` where it is taken back."""

    sort: Sort
    title: str
    accounts: tuple[Account, ...]


@dataclass(frozen=True, slots=True)
class ToldSection:
    """A section in words, with what stands above it: `Texas`, `Taken back: Texas`."""

    title: str
    groups: tuple[ToldGroup, ...]


def tell(found: Iterable[Section]) -> list[ToldSection]:
    """Sections in words."""
    return [ToldSection(_section_title(section), tuple(map(_told_group, section.groups))) for section in found]


def _told_group(group: Group) -> ToldGroup:
    taken_back = group.sort is Sort.TAKEN_BACK
    title = nouns(group.entries) if taken_back else f"{HEADINGS[group.sort]} ({len(group.entries)})"
    return ToldGroup(group.sort, title, tuple(map(account, group.entries)))


def _section_title(section: Section) -> str:
    return short(f"Taken back: {section.state}" if section.taken_back else section.state)


def sources(told: Iterable[ToldSection]) -> list[Evidence]:
    """The workbooks that sections rest on, each once, in the order in which they are named."""
    return workbooks(account for section in told for group in section.groups for account in group.accounts)


def workbooks(accounts: Iterable[Account]) -> list[Evidence]:
    """The workbooks that accounts rest on, each once, in the order in which they are named."""
    found = {proof.workbook.workbook_sha256: proof.workbook for one in accounts for proof in one.proofs}
    return list(found.values())


def proof(shown: Proof, sources: Sequence[Evidence]) -> str:
    """A proof with its workbook's name and its number among the sources: `row 12 of participating….xlsx [1]`."""
    hashes = [source.workbook_sha256 for source in sources]
    return f"{shown.words} {shown.workbook.workbook_name} [{hashes.index(shown.workbook.workbook_sha256) + 1}]"


def evidence(account: Account, sources: Sequence[Evidence]) -> str:
    """What shows it, and the ids by which it can be looked up: `row 12 of … [1]; event e-0a54fcaf542b`."""
    proofs = [proof(one, sources) for one in account.proofs]
    return "; ".join([*proofs, events(account)])


def events(account: Account) -> str:
    """The ids of its events: `event e-0a54fcaf542b`, `events e-…, e-…`."""
    return f"event{'s' * (len(account.events) > 1)} {', '.join(account.events)}"


def archived_at(workbook: Evidence) -> str:
    """Where a workbook is archived: a web address, percent-encoded, or a path below the archive's folder."""
    return web_link(workbook.archived_at) or printable(workbook.archived_at)


def _trimmed(told: Told) -> Told:
    """An event whose texts are printable and no longer than a name may be; addresses are left as they are."""
    event = told.event
    changes = {
        name: pair if name.endswith("_url") else (_short(pair[0]), _short(pair[1]))
        for name, pair in event.changes.items()
    }
    event = replace(
        event,
        agency=short(event.agency),
        county=_short(event.county),
        support_model=_short(event.support_model),
        note=short(event.note, TEXT_LENGTH),
        status_note=short(event.status_note, TEXT_LENGTH),
        changes=changes,
        still_listed=None if event.still_listed is None else tuple(map(short, event.still_listed)),
    )
    previous = told.previous and replace(told.previous, workbook_name=short(told.previous.workbook_name))
    shown = replace(told.shown_in, workbook_name=short(told.shown_in.workbook_name))
    return replace(told, event=event, shown_in=shown, previous=previous)


def _short(text: str | None) -> str | None:
    return None if text is None else short(text)
