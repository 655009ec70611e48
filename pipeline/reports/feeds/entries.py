"""Events as entries of a feed: what Atom and JSON Feed say alike, in words and safe HTML.

A feed carries the substance, every kind of event but `changed`; a correction of a spelling is no news to a subscriber.

An id is `urn:uuid:` with a UUID of version 5 (RFC 9562) made from the event's id alone, so an entry keeps it whatever
becomes of its names, its status or the address of the feed. A tag URI (RFC 4151) would need a domain that the project
owned on a day, and the feed's own address is its publisher's and may change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5
from xml.etree import ElementTree as ET

from db.records import Kind, Status
from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable, web_link
from pipeline.reports.record import LoggedEvent
from pipeline.reports.wording import KEY, agency, tell

ALL = "all"
"""The name of the feed of every state."""

MAKER = "watch287g"

SUBTITLE = (
    "Agencies that ICE newly lists, lists again or no longer lists under section 287(g), and those that applied. "
    "ICE never says why an agency is no longer listed."
)

_NAMESPACE = UUID("b0a38594-0126-45b4-ba2a-ac5bab3d7998")
_TITLE_LENGTH = 200
_SUMMARY_LENGTH = 600
_MEANINGS = dict(KEY)


@dataclass(frozen=True, slots=True)
class Category:
    """A word by which a reader can sort entries, and the word that is shown."""

    term: str
    label: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as a feed tells it. `title` and `summary` are plain texts on one line, `content` is HTML.

    `updated` is when it was told, or when it was confirmed or retracted, if that is later.
    """

    id: str
    title: str
    published: str
    updated: str
    summary: str
    content: str
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed of all states or of one. `home` is the web address of the folder in which it is, None where it has none.

    `updated` is when the latest of its entries was; of an empty feed, the start of the day on which the record begins.
    """

    name: str
    title: str
    updated: str
    entries: tuple[Entry, ...]
    home: str | None

    @property
    def id(self) -> str:
        """The same for ever, wherever the feed is published."""
        return _urn(f"feed {self.name}")

    def address(self, suffix: str) -> str | None:
        """Where the feed is in the format with this suffix."""
        return f"{self.home.rstrip('/')}/{self.name}{suffix}" if self.home else None


def feed_name(state: str | None) -> str:
    """`all`, or a postal code in lower case: what a feed's files are called."""
    return state.lower() if state else ALL


def feed(state: str | None, entries: Sequence[Entry], begins_on: str, url: str | None = None) -> Feed:
    """The feed of a state, or of all, with these entries. `url` is where its folder is published, if it is."""
    title = "287(g) agreements"
    return Feed(
        name=feed_name(state),
        title=printable(f"{title}: {state_name(state)}") if state else title,
        updated=max((entry.updated for entry in entries), default=f"{begins_on}T00:00:00Z"),
        entries=tuple(entries),
        home=web_link(url),
    )


def entry(event: LoggedEvent, moa_url: str | None = None, addendum_url: str | None = None) -> Entry:
    """An event with the documents of its agreement, those that were in force after it, or before it ended."""
    return Entry(
        id=_urn(event.event_id),
        title=_cut(_title(event), _TITLE_LENGTH),
        published=event.detected_at,
        updated=max(event.detected_at, event.status_changed_at or ""),
        summary=_cut(str(tell(event)), _SUMMARY_LENGTH),
        content=_content(event, moa_url, addendum_url),
        categories=_categories(event),
    )


def _urn(name: str) -> str:
    return uuid5(_NAMESPACE, name).urn


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}\u2026"


def _title(event: LoggedEvent) -> str:
    """What happened to whom; of an agency with another agreement also that, lest a switch be read as an end."""
    about = f"{agency(event.state, event.agency)}, {event.support_model or 'model unknown'}"
    if event.still_listed:
        about += f"; still listed: {', '.join(event.still_listed)}"
    what = "no longer listed" if event.kind is Kind.TERMINATED else event.kind.value  # titles are read alone
    if event.status is Status.RETRACTED:
        return printable(f"Retracted: {what}: {about}")
    doubt = f" ({event.status})" if event.status is Status.PROVISIONAL else ""
    return printable(f"{what.capitalize()}{doubt}: {about}")


def _categories(event: LoggedEvent) -> tuple[Category, ...]:
    """State, kind, list, support model and status."""
    words = [event.kind, f"{event.list} list", event.support_model, event.status]
    found = [Category(printable(word), printable(word)) for word in words if word]
    if event.state:
        found.insert(0, Category(printable(event.state), printable(state_name(event.state))))
    return tuple(found)


def _content(event: LoggedEvent, moa_url: str | None, addendum_url: str | None) -> str:
    root = ET.Element("div")
    sentence = tell(event)
    ET.SubElement(root, "p").text = sentence.subject
    _list(root, [*_place(event), *sentence.details, *_borne_out(event)])
    if meaning := _meaning(event):
        ET.SubElement(root, "p").text = meaning
    _documents(root, {"MOA": web_link(moa_url), "addendum": web_link(addendum_url)})
    _list(root, [*_evidence(event), f"event {event.event_id} of {event.agreement_id}, found {event.detected_at}"])
    return ET.tostring(root, encoding="unicode", method="html")


def _list(root: ET.Element, lines: Sequence[str]) -> None:
    if lines:
        items = ET.SubElement(root, "ul")
        for line in lines:
            ET.SubElement(items, "li").text = printable(line)


def _place(event: LoggedEvent) -> list[str]:
    return [f"{event.county}, {state_name(event.state)}"] if event.county else []


def _borne_out(event: LoggedEvent) -> list[str]:
    if event.status is not Status.CONFIRMED or not event.status_changed_at:
        return []
    return [": ".join(filter(None, (f"confirmed on {event.status_changed_at[:10]}", event.status_note)))]


def _meaning(event: LoggedEvent) -> str:
    """What a word that is easily misread means."""
    word = event.status if event.status is not Status.CONFIRMED else event.kind
    return f"{word.capitalize()}: {_MEANINGS[word]}" if word in _MEANINGS else ""


def _documents(root: ET.Element, links: dict[str, str | None]) -> None:
    given = [(label, url) for label, url in links.items() if url]
    if given:
        line = ET.SubElement(root, "p")
        line.text = "Documents: "
        for number, (label, url) in enumerate(given, start=1):
            link = ET.SubElement(line, "a", href=url)
            link.text = label
            link.tail = ", " if number < len(given) else None


def _evidence(event: LoggedEvent) -> list[str]:
    """The row that shows it, or the workbook that no longer has it, and the row before it."""
    where = f"row {event.row} of" if event.row else "absent from"
    lines = [f"{where} {event.workbook_name}, of {event.published_on}, SHA-256 {event.workbook_sha256}"]
    if event.previous_row:
        before = event.previous_workbook_name or "the list before"
        lines.append(f"was row {event.previous_row} of {before}, SHA-256 {event.previous_workbook_sha256}")
    return lines
