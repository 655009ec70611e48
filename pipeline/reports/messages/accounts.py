"""An entry in words: what a volunteer has to know to publish it, whatever the format."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable, web_link
from pipeline.reports.messages import statements
from pipeline.reports.messages.content import Evidence, Told
from pipeline.reports.messages.grouping import Entry, Group, Section, Sort
from pipeline.reports.messages.wording import HEADINGS, TEXT_LENGTH, document_link, nouns, short


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
    """An entry in words: whom it is about, where they are, what they agreed to, what is said, and what shows it.

    `left` says what else is listed for the agency, which entries of one agency may share; empty where nothing is known.
    """

    agency: str
    place: str
    terms: str
    statements: tuple[str, ...]
    left: str
    links: tuple[Link, ...]
    proofs: tuple[Proof, ...]
    events: tuple[str, ...]

    @property
    def said(self) -> tuple[str, ...]:
        """All that is said of it."""
        return (*self.statements, self.left) if self.left else self.statements


def account(entry: Entry) -> Account:
    """An entry in words."""
    told = _trimmed(entry.told)
    ended, returned, applied = (one and _trimmed(one) for one in (entry.ended, entry.returned, entry.applied))
    event, said = told.event, statements.statements(entry.sort, told, ended, returned)
    return Account(
        agency=event.agency or "agency not stated",
        place=", ".join(filter(None, (event.county, short(state_name(event.state))))),
        terms=short(statements.terms(entry.sort, told, ended), TEXT_LENGTH),
        statements=tuple(short(statement, TEXT_LENGTH) for statement in said),
        left=short(statements.left(entry.sort, told, ended), TEXT_LENGTH),
        links=_documents(entry.sort, returned or told, ended),
        proofs=tuple(proof for one in (returned, told, ended, applied) if one for proof in _proofs(one)),
        events=tuple(one.event.event_id for one in entry.events),
    )


def _documents(sort: Sort, told: Told, ended: Told | None) -> tuple[Link, ...]:
    if ended is None or sort is Sort.AFTER_A_GAP:
        return _links(told)
    return (*_links(told, " of the new agreement"), *_links(ended, " of the old agreement"))


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
class Block:
    """What is said of one agency: its entries of a sort, and in `left` what would stand in each of them."""

    agency: str
    place: str
    accounts: tuple[Account, ...]
    left: str = ""


@dataclass(frozen=True, slots=True)
class ToldGroup:
    """A group in words, with what stands above it: `No longer listed (2)`, `1 termination` where it is taken back."""

    sort: Sort
    title: str
    blocks: tuple[Block, ...]


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
    return ToldGroup(group.sort, title, tuple(_block(some) for _, some in groupby(group.entries, _agency)))


def _agency(entry: Entry) -> object:
    """Whom an entry is about, which entries can share only where ICE says it."""
    event = entry.told.event
    known = event.agency and event.state
    return (event.agency, event.county, event.state) if known else event.event_id


def _block(some: Iterable[Entry]) -> Block:
    own = tuple(map(account, some))
    first = own[0]
    if len(own) == 1 or any(one.left != first.left for one in own):
        return Block(first.agency, first.place, own)
    return Block(first.agency, first.place, tuple(replace(one, left="") for one in own), first.left)


def _section_title(section: Section) -> str:
    return short(f"Taken back: {section.state}" if section.taken_back else section.state)


def sources(told: Iterable[ToldSection]) -> list[Evidence]:
    """The workbooks that sections rest on, each once, in the order in which they are named."""
    return workbooks(accounts(told))


def accounts(told: Iterable[ToldSection]) -> Iterator[Account]:
    """The accounts of sections, in their order."""
    for section in told:
        for group in section.groups:
            for block in group.blocks:
                yield from block.accounts


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
        note=short(_dated(told), TEXT_LENGTH),
        status_note=short(event.status_note, TEXT_LENGTH),
        changes=changes,
        still_listed=None if event.still_listed is None else tuple(map(short, event.still_listed)),
    )
    previous = told.previous and replace(told.previous, workbook_name=short(told.previous.workbook_name))
    shown = replace(told.shown_in, workbook_name=short(told.shown_in.workbook_name))
    return replace(told, event=event, shown_in=shown, previous=previous)


def _dated(told: Told) -> str:
    """The note, in which nothing began on a day on which only the record did."""
    note = told.event.note
    begun = (told.listed_since, told.listed_from_start), (told.event.pending_since, told.pending_from_start)
    for day, from_start in begun:
        if day and from_start:
            note = re.sub(rf"\b(listed|pending) since {re.escape(day)}", rf"\1 at least since {day}", note)
    return note


def _short(text: str | None) -> str | None:
    return None if text is None else short(text)
