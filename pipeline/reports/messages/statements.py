"""What is said of an entry, sentence by sentence: what happened, what is known, and nothing that ICE did not say."""

from collections.abc import Iterator

from db.records import Kind, ListName, Status
from pipeline.reports.escaping import printable
from pipeline.reports.messages.content import Told
from pipeline.reports.messages.grouping import Sort
from pipeline.reports.messages.wording import document_link
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

_ON = {ListName.PARTICIPATING: "listed", ListName.PENDING: "pending"}
_FIRST = (Kind.REINSTATED, Kind.PENDING)
_FROM_START = ", when this record begins"

_PROVISIONAL = (
    "So far only one list lacks {it}: this is provisional. If ICE lists it again, we write to take this back; if the "
    "next list lacks it too, this stands, and we do not write again."
)

_AGAIN = "listed again"
_NO_END = (Sort.TAKEN_BACK, Sort.LATE, Sort.AFTER_A_GAP)


def statements(sort: Sort, told: Told, ended: Told | None, returned: Told | None) -> Iterator[str]:
    """The sentences of an entry, but for what is left; its texts are printable and of a length that can be read."""
    match sort:
        case Sort.TAKEN_BACK:
            return _taken_back(told, returned)
        case Sort.LATE:
            return _late(told)
        case Sort.AFTER_A_GAP if ended is not None:
            return _after_a_gap(told, ended)
        case Sort.SWITCHED | Sort.SIGNED_ANEW if ended is not None:
            return _pair(sort, told, ended)
    return _single(told)


def _single(told: Told) -> Iterator[str]:
    event = told.event
    yield _filled(_OPENINGS[event.kind], event)
    yield from _provisional(event, "it")
    yield from _changes(event)
    if event.note:
        yield _sentence(event.note)
    yield from _since(told, event.note)
    yield from _unlinked(told)
    if event.status is Status.CONFIRMED and event.status_note:
        yield f"Borne out{_because(event.status_note)}"


def _taken_back(told: Told, returned: Told | None) -> Iterator[str]:
    """What was said, that it does not hold, and why; of the rest only what holds all the same."""
    event = told.event
    said = f"We wrote that {_told_before(event)}. That does not hold"
    if returned is None:
        yield f"{said}{_because(event.status_note)}"
        yield from _since(told)
        return
    again = returned.event
    yield f"{said}: ICE lists it again, on its list of {again.published_on}."
    if event.status_note and not event.status_note.startswith(_AGAIN):
        yield _sentence(event.status_note)
    yield from _changes(again)
    yield from _since(returned)
    yield from _unlinked(returned)


def _late(told: Told) -> Iterator[str]:
    """What was not told in time and is no longer to be told as a fact."""
    event = told.event
    yield f"It seemed that {_told_before(event)}."
    yield f"That was taken back before this message was made{_because(event.status_note)}"
    yield from _since(told)


def _after_a_gap(told: Told, ended: Told) -> Iterator[str]:
    """An end that was none, and the return that shows it."""
    gone, back = ended.event.published_on, told.event.published_on
    yield f"ICE did not list it from its list of {gone} on, and lists it again on its list of {back}."
    yield "ICE gives no reason."
    if ended.event.status_note and not ended.event.status_note.startswith(_AGAIN):
        yield _sentence(ended.event.status_note)
    yield from _changes(told.event)
    yield from _since(told)
    yield from _unlinked(told)


def _told_before(event: LoggedEvent) -> str:
    said = "".join(f"; {change(event, name)}" for name in event.changes)
    return f"{_filled(_TOLD_BEFORE[event.kind], event)}{said}"


def _filled(words: str, event: LoggedEvent) -> str:
    it = "the agreement" if event.list is ListName.PARTICIPATING else "the application"
    return words.format(list=event.list.value, on=event.published_on, it=it)


def _because(reason: str) -> str:
    return f": {reason.removesuffix('.')}." if reason else "."


def _since(told: Told, note: str = "") -> Iterator[str]:
    """Since when it was pending or listed, where neither the opening nor the note that was told says it."""
    event, since = told.event, told.listed_since
    if event.pending_since:
        yield f"It was pending {_on_or_before(event.pending_since, from_start=told.pending_from_start)}."
    if not since or since == event.published_on or f"since {since}" in note:
        return
    listed = _ON[event.list]
    if event.kind in _FIRST:
        yield f"First {listed} on {f'or before {since}{_FROM_START}' if told.listed_from_start else since}."
    else:
        yield f"{listed.capitalize()} {_on_or_before(since, from_start=told.listed_from_start)}."


def _on_or_before(since: str, *, from_start: bool) -> str:
    """`since 2025-05-12`, or what is known of what was there when the record began."""
    return f"at least since {since}{_FROM_START}" if from_start else f"since {since}"


def _until_then(what: str, since: str | None, *, from_start: bool) -> str:
    return f"{what} {_on_or_before(since, from_start=from_start)}, " if since else ""


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


def left(sort: Sort, told: Told, ended: Told | None) -> str:
    """What else is listed for the agency; empty where nothing is known, or what was known no longer holds."""
    if sort in _NO_END:
        return ""
    models = told.event.still_listed
    if ended is not None:
        models = tuple(model for model in ended.event.still_listed or () if model != told.event.support_model)
    if models:
        return f"Still listed for this agency: {', '.join(models)}."
    known = models is not None and told.event.kind is Kind.TERMINATED
    return "No other agreement of this agency is listed." if known else ""


def _provisional(event: LoggedEvent, it: str) -> Iterator[str]:
    if event.kind is Kind.TERMINATED and event.status is Status.PROVISIONAL:
        yield _PROVISIONAL.format(it=it)


def terms(sort: Sort, told: Told, ended: Told | None) -> str:
    """What was agreed to: `Jail Enforcement Model, signed 2025-05-06`; of an end and a beginning, both."""
    new = told.event
    if ended is None or sort is Sort.AFTER_A_GAP:
        return agreement(new)
    old = ended.event
    if sort is Sort.SWITCHED:
        return f"From {agreement(old)}, to {agreement(new)}"
    return f"{agreement(old)}, and anew on {printable(new.signed_on or 'a date that is not stated')}"


def _pair(sort: Sort, told: Told, ended: Told) -> Iterator[str]:
    """An end and a beginning of one agency as the one thing that they are."""
    new, old = told.event, ended.event
    what = "A switch of model" if sort is Sort.SWITCHED else "A new signing"
    yield f"{what}: the agency goes on taking part."
    pending = _until_then("pending", new.pending_since, from_start=told.pending_from_start)
    yield f"The new agreement: {pending}on ICE's {new.list} list from {new.published_on} on."
    listed = _until_then("listed", ended.listed_since, from_start=ended.listed_from_start)
    yield f"The old agreement: {listed}no longer listed from {old.published_on} on; ICE gives no reason."
    yield from _provisional(old, "the old agreement")
    if old.agency != new.agency:
        yield f"The old agreement was listed as {old.agency}."
    yield from _unlinked(told)
