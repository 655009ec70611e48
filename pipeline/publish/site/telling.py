"""Events in the words of a language: what happened, what else is known of it, and the rows that show it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from markupsafe import Markup, escape

from db.records import Kind, Status
from pipeline.publish.site.words import Words
from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable, web_link
from pipeline.reports.record import LoggedEvent

_NOTES = {
    "note.listed_since": "listed since {day}, absent from {file}",
    "note.in_place_of": "signed anew in place of the agreement of {signed}, listed since {day}",
    "note.switch_from": "switch of model: the {model} signed {signed} is not listed from {day} on",
    "note.anew_from": "signed anew: the {model} signed {signed} is not listed from {day} on",
    "note.switch_to": "switch of model: the {model} signed {signed} is new on the same list",
    "note.anew_to": "signed anew: the {model} signed {signed} is new on the same list",
    "note.again_after": "listed again after {n} day{s}; absent since {day}",
    "note.again": "listed again; absent since {day}",
    "note.waited": "pending since {since}; left the list on {day}, not signed in the {n} days since",
    "note.absent_too": "absent from {file} too",
    "note.listed_again": "listed again on {day}",
}
"""What `pipeline.tracking.track` and `applications` note -> the message that says the same."""

_BLANKS = {
    "day": r"(?P<day>\d{4}-\d\d-\d\d|None)",
    "signed": r"(?P<signed>\d{4}-\d\d-\d\d|None)",
    "since": r"(?P<since>\d{4}-\d\d-\d\d|None)",
    "model": r"(?P<model>[^;]+?)",
    "file": r"(?P<file>.+?)",
    "n": r"(?P<n>\d+)",
    "s": "s?",
}
_PATTERNS = {ident: re.compile(text.format(**_BLANKS) + r"(?:; |$)") for ident, text in _NOTES.items()}

_DATES = frozenset({"signed_on"})
_MODELS = frozenset({"support_model"})
_STATES = frozenset({"state"})
_NAME_LENGTH = 90


@dataclass(frozen=True, slots=True)
class Telling:
    """An event in words: what happened, and the details, the most telling first."""

    headline: Markup
    details: tuple[Markup, ...]


class Teller:
    """Tells events in a language. Documents are linked only on these hosts, or below them."""

    def __init__(self, words: Words, link_hosts: Sequence[str]) -> None:
        self._t = words
        self._hosts = tuple(host.lower() for host in link_hosts)
        self._documents: dict[str, Markup] = {}

    def tell(self, event: LoggedEvent) -> Telling:
        """An event for the page of its agency, where the agreement is named above it."""
        changes = [self.change(event, name) for name in event.changes]
        if event.kind is Kind.CHANGED and len(changes) == 1:
            headline, changes = changes[0], []
        else:
            headline = self._happened(event)
        details = [*self._about(event), *changes, *self.doubts(event)]
        return Telling(headline, tuple(details))

    def _happened(self, event: LoggedEvent) -> Markup:
        """What happened; marked where that is provisional or was taken back."""
        what = self._t(f"event.{event.kind}")
        if event.status is Status.PROVISIONAL:
            return self._t("event.provisional", what=what)
        return self._t("event.retracted", what=what) if event.status is Status.RETRACTED else what

    def line(self, event: LoggedEvent) -> tuple[Markup, ...]:
        """What is said of an event under a heading that says what happened, after the agency's name."""
        signed = self._signed(event.signed_on) if event.signed_on else None
        model = self._t.model(event.support_model)
        return (
            Markup(", ").join(filter(None, (model, signed))),
            *self._about(event, signed=False),
            *self.doubts(event),
        )

    def _about(self, event: LoggedEvent, *, signed: bool = True) -> Iterator[Markup]:
        if signed and event.kind is Kind.NEW and event.signed_on:
            yield self._signed(event.signed_on)
        yield from self.note(event.note)
        if event.pending_since:
            yield self._t("detail.pending_since", date=self._t.date(event.pending_since))
        if event.still_listed:
            models = Markup(", ").join(map(self._t.model, event.still_listed))
            yield self._t("detail.still_listed", models=models)
        elif event.still_listed is not None:
            yield self._t("detail.none_left")

    def doubts(self, event: LoggedEvent) -> Iterator[Markup]:
        """How far an event can be trusted, where that has to be said."""
        why = Markup("; ").join(self.note(event.status_note))
        if event.status is Status.PROVISIONAL:
            yield self._t("detail.provisional")
        elif event.status is Status.RETRACTED:
            yield self._t("detail.retracted_why", why=why) if why else self._t("detail.retracted")
        elif why:
            yield self._t("detail.confirmed", why=why)

    def note(self, text: str) -> Iterator[Markup]:
        """A note in this language; what no message says is quoted in English."""
        rest = text
        while rest:
            told, rest = self._next_note(rest)
            yield told

    def _next_note(self, text: str) -> tuple[Markup, str]:
        for ident, pattern in _PATTERNS.items():
            if found := pattern.match(text):
                return self._noted(ident, found.groupdict()), text[found.end() :]
        quoted = escape(printable(text))
        return (quoted if self._t.language == "en" else Markup('<span lang="en">{}</span>').format(quoted)), ""

    def _noted(self, ident: str, found: dict[str, str]) -> Markup:
        values: dict[str, object] = {}
        for name, text in found.items():
            if name in ("day", "since"):
                values[name] = self._t("agreement.date_unknown") if text == "None" else self._t.date(text)
            elif name == "signed":
                values[name] = self._signed(None if text == "None" else text)
            elif name == "model":
                values[name] = self._t.model(None if text == "None" else text)
            elif name == "file":
                values[name] = printable(text)
        return self._t(ident, int(found["n"]) if "n" in found else None, **values)

    def _signed(self, day: str | None) -> Markup:
        return self._t("agreement.signed_on", date=self._t.date(day)) if day else self._t("agreement.unsigned")

    def change(self, event: LoggedEvent, name: str) -> Markup:
        """One change of an event: from what to what."""
        before, after = (self._value(name, value) for value in event.changes[name])
        kind = event.change_classes.get(name) or f"{name} changed"
        ident = f"change.{kind.replace(' ', '_')}"
        if self._t.has(ident):
            return self._t(ident, before=before, after=after)
        return self._t("change.other", what=printable(kind), before=before, after=after)

    def _value(self, name: str, value: str | None) -> Markup:
        if value is None:
            return self._t("column.not_stated")
        if name.endswith("_url"):
            return self.document(value)
        if name in _DATES:
            return self._t.date(value)
        if name in _MODELS:
            return self._t.model(value)
        return escape(printable(state_name(value) if name in _STATES else value))

    def document(self, url: str) -> Markup:
        """A link to a document by its file name; the address alone, as text, where it leads elsewhere."""
        if url not in self._documents:
            self._documents[url] = self._document(url)
        return self._documents[url]

    def _document(self, url: str) -> Markup:
        link = web_link(url)
        if link is None or not self._allows(link):
            return escape(printable(url)[:1000])
        name = unquote(urlsplit(link).path).rsplit("/", 1)[-1] or link
        shown = printable(name)
        if len(shown) > _NAME_LENGTH:
            shown = f"{shown[:_NAME_LENGTH]}…"
        return Markup('<a href="{}">{}</a>').format(link, shown)

    def _allows(self, link: str) -> bool:
        host = (urlsplit(link).hostname or "").lower()
        return any(host == one or host.endswith(f".{one}") for one in self._hosts)
