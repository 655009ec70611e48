"""A message's events -> the entries in which people read them: a section a state, a group a kind, an entry a change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from db.records import Kind, Status
from pipeline.reading.places import fold, state_name
from pipeline.reports.messages.content import Message, Occasion, Told


class Sort(StrEnum):
    """What an entry is told as; the members stand in the order in which a reader wants to hear of them.

    A switch of model and a new signing are an end and a beginning that belong together; what is listed again after a
    gap was missing and came back in one message. `late` is what had been taken back before it was told.
    """

    TAKEN_BACK = "taken back"
    NEW = "new"
    PROVISIONAL = "provisional"
    TERMINATED = "terminated"
    SWITCHED = "switched model"
    SIGNED_ANEW = "signed anew"
    REINSTATED = "reinstated"
    AFTER_A_GAP = "listed again after a gap"
    RENEWED = "renewed"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    CORRECTED = "corrected"
    LATE = "taken back since"


_ORDER = {sort: place for place, sort in enumerate(Sort)}
_OF_KIND = {kind: Sort.CORRECTED if kind is Kind.CHANGED else Sort(kind.value) for kind in Kind}


@dataclass(frozen=True, slots=True)
class Entry:
    """A change as it is told: one event, and those of the same message that belong to it.

    `ended` is the end that belongs to a beginning or a return, `applied` the application that a new agreement came of,
    `returned` the return that shows why an end is taken back.
    """

    sort: Sort
    told: Told
    ended: Told | None = None
    applied: Told | None = None
    returned: Told | None = None

    @property
    def events(self) -> tuple[Told, ...]:
        """Its events, the one that it is about first."""
        return tuple(one for one in (self.told, self.returned, self.ended, self.applied) if one is not None)


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
    ends, applications, found = _ends(message.told), _applications(message.told), _gaps(message.told)
    beside = [*ends.values(), *applications.values(), *(one for entry in found for one in entry.events)]
    told_with_others = set(map(id, beside))
    for told in message.told:
        if id(told) not in told_with_others:
            end = ends.get(id(told))
            found.append(Entry(_sort(told, end), told, end, applications.get(id(told))))
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


def _sort(told: Told, ended: Told | None) -> Sort:
    """What an entry is told as; half a switch, whose other half nobody asked for, is a switch all the same."""
    if ended is not None:
        return Sort.SIGNED_ANEW if told.event.support_model == ended.event.support_model else Sort.SWITCHED
    if told.occasion is Occasion.RETRACTED:
        return Sort.TAKEN_BACK
    if told.event.status is Status.RETRACTED:
        return Sort.LATE
    if told.event.related_agreement_id is not None and told.event.kind is Kind.TERMINATED:
        return Sort.SIGNED_ANEW if "signed anew" in told.event.note else Sort.SWITCHED
    if told.event.kind is Kind.TERMINATED and told.event.status is Status.PROVISIONAL:
        return Sort.PROVISIONAL
    return _OF_KIND[told.event.kind]


def _gaps(told: Sequence[Told]) -> list[Entry]:
    """The ends that are taken back and whose return is in the same message, each with that return.

    An end that was told before is taken back; one that was not is no end at all.
    """
    found = []
    missing = [one for one in _in_order(told) if one.event.kind is Kind.TERMINATED and _is_retracted(one)]
    for returned in _in_order(told):
        if not _stands(returned, Kind.REINSTATED):
            continue
        event = returned.event
        own = [one for one in missing if one.event.agreement_id == event.agreement_id]
        before = [one for one in own if one.event.published_on <= event.published_on]
        if before:
            end = before[-1]
            missing = [one for one in missing if one is not end]
            told_before = end.occasion is Occasion.RETRACTED
            found.append(
                Entry(Sort.TAKEN_BACK, end, returned=returned)
                if told_before
                else Entry(Sort.AFTER_A_GAP, returned, ended=end)
            )
    return found


def _applications(told: Sequence[Told]) -> dict[int, Told]:
    """For each new agreement, by its `id()`: the application that it came of, where the same message tells that."""
    waiting = [one for one in _in_order(told) if _stands(one, Kind.PENDING)]
    pairs = {}
    for one in _in_order(told):
        since = one.event.pending_since
        if since is None or not _stands(one, Kind.NEW):
            continue
        own = [it for it in waiting if it.event.published_on <= since and _applicant(it) == _applicant(one)]
        if own:
            pairs[id(one)] = own[-1]
            waiting = [it for it in waiting if it is not own[-1]]
    return pairs


def _applicant(told: Told) -> tuple[str | None, str, str | None]:
    return told.event.state, fold(told.event.agency), told.event.support_model


def _ends(told: Sequence[Told]) -> dict[int, Told]:
    """For each beginning that names an end in the same message, by its `id()`: that end, which no other gets.

    An end that was told days before its beginning names nothing; one that names something must name the beginning.
    """
    in_order = _in_order(told)
    open_ends = {one.event.agreement_id: one for one in in_order if _stands(one, Kind.TERMINATED)}
    pairs = {}
    for one in in_order:
        end = open_ends.get(one.event.related_agreement_id or "") if _stands(one, Kind.NEW) else None
        if end is not None and end.event.related_agreement_id in (None, one.event.agreement_id):
            pairs[id(one)] = open_ends.pop(end.event.agreement_id)
    return pairs


def _in_order(told: Iterable[Told]) -> list[Told]:
    return sorted(told, key=lambda one: (one.event.published_on, one.event.event_id))


def _stands(told: Told, kind: Kind) -> bool:
    return told.event.kind is kind and not _is_retracted(told)


def _is_retracted(told: Told) -> bool:
    return told.occasion is Occasion.RETRACTED or told.event.status is Status.RETRACTED


def _gravity(entry: Entry) -> tuple[int, bool, str, str, str, str, str]:
    event = entry.told.event
    names = event.agency, event.county or "", event.support_model or "", event.event_id
    return _ORDER[entry.sort], *_place(entry), *names


def _place(entry: Entry) -> tuple[bool, str]:
    """A state's place among the others: by name, the unknown last."""
    return entry.told.event.state is None, state_of(entry)
