"""A message's events -> the entries in which people read them: a section a state, a group a kind, an entry a change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from db.records import Kind
from pipeline.reading.places import state_name
from pipeline.reports.messages.content import Message, Occasion, Told


class Sort(StrEnum):
    """What an entry is told as; the members stand in the order in which a reader wants to hear of them.

    A switch of model and a new signing are an end and a beginning that belong together.
    """

    TAKEN_BACK = "taken back"
    NEW = "new"
    TERMINATED = "terminated"
    SWITCHED = "switched model"
    SIGNED_ANEW = "signed anew"
    REINSTATED = "reinstated"
    RENEWED = "renewed"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"


_ORDER = {sort: place for place, sort in enumerate(Sort)}
_OF_KIND = {kind: Sort.CORRECTED if kind is Kind.CHANGED else Sort(kind.value) for kind in Kind}


@dataclass(frozen=True, slots=True)
class Entry:
    """A change as it is told: one event, or a beginning and, in `ended`, the end that belongs to it."""

    sort: Sort
    told: Told
    ended: Told | None = None

    @property
    def events(self) -> tuple[Told, ...]:
        """Its one event, or the beginning and the end."""
        return (self.told,) if self.ended is None else (self.told, self.ended)


@dataclass(frozen=True, slots=True)
class Group:
    """The entries of a state that are told as the same, by agency."""

    sort: Sort
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A state's groups, the most serious first. What is taken back has sections of its own, before all others."""

    state: str
    taken_back: bool
    groups: tuple[Group, ...]


def entries(message: Message) -> list[Entry]:
    """The events of a message as entries: the most serious first, then by state and agency."""
    ends = _ends(message.told)
    paired = {id(end) for end in ends.values()}
    found = [_entry(told, ends.get(id(told))) for told in message.told if id(told) not in paired]
    return sorted(found, key=_gravity)


def sections(shown: Iterable[Entry]) -> list[Section]:
    """Entries by state and kind: what is taken back before all else, states by their names."""
    ordered = sorted(shown, key=lambda entry: (entry.sort is not Sort.TAKEN_BACK, *_place(entry), *_gravity(entry)))
    return [
        Section(state, taken_back, tuple(Group(sort, tuple(some)) for sort, some in groupby(of, lambda e: e.sort)))
        for (taken_back, state), of in groupby(ordered, lambda e: (e.sort is Sort.TAKEN_BACK, state_of(e)))
    ]


def state_of(entry: Entry) -> str:
    """The full name of the state that an entry is about, or `state unknown`."""
    return state_name(entry.told.event.state)


def _entry(told: Told, ended: Told | None) -> Entry:
    if ended is None:
        return Entry(Sort.TAKEN_BACK if told.occasion is Occasion.RETRACTED else _OF_KIND[told.event.kind], told)
    same = told.event.support_model == ended.event.support_model
    return Entry(Sort.SIGNED_ANEW if same else Sort.SWITCHED, told, ended)


def _ends(told: Sequence[Told]) -> dict[int, Told]:
    """For each beginning that names an end in the same message, by its `id()`: that end, which no other gets.

    An end that was told days before its beginning names nothing; one that names something must name the beginning.
    """
    in_order = sorted(told, key=lambda one: (one.event.published_on, one.event.event_id))
    open_ends = {one.event.agreement_id: one for one in in_order if _is(one, Kind.TERMINATED)}
    pairs = {}
    for one in in_order:
        end = open_ends.get(one.event.related_agreement_id or "") if _is(one, Kind.NEW) else None
        if end is not None and end.event.related_agreement_id in (None, one.event.agreement_id):
            pairs[id(one)] = open_ends.pop(end.event.agreement_id)
    return pairs


def _is(told: Told, kind: Kind) -> bool:
    return told.event.kind is kind and told.occasion is Occasion.TOLD


def _gravity(entry: Entry) -> tuple[int, bool, str, str, str, str]:
    event = entry.told.event
    return _ORDER[entry.sort], *_place(entry), event.agency, event.support_model or "", event.event_id


def _place(entry: Entry) -> tuple[bool, str]:
    """A state's place among the others: by name, the unknown last."""
    return entry.told.event.state is None, state_of(entry)
