"""A page and a language -> its bytes: the templates, and the words that they use for values of the history."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from db.records import Kind, ListName
from pipeline.publish.site.grouping import BRIEF
from pipeline.publish.site.model import Agency, is_provisional
from pipeline.publish.site.telling import Teller
from pipeline.publish.site.words import LANGUAGES, Words, words
from pipeline.reading.normalize import MODELS
from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable, web_link
from pipeline.reports.record import Period, Terms, Timeline

GLOSSES = {"JEM": "model.jail", "WSO": "model.warrant", "TFM": "model.task_force"}
_SHORT = {name: short for short, name in MODELS.items()}
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides: `url` is the address of the folder, if it is known, with a slash at its end."""

    url: str | None = None
    title: str | None = None
    languages: tuple[str, ...] = ("en", "es")
    contact: str | None = None
    link_hosts: tuple[str, ...] = ("ice.gov",)
    ice_page: str = "https://www.ice.gov/identify-and-arrest/287g"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of one language: its path below that language's root, its template and the template's values.

    `listed` is whether it is to be found: redirects and the page for wrong addresses are not.
    """

    path: str
    template: str
    values: Mapping[str, Any]
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Other:
    """The same page in another language, as linked from a page."""

    language: str
    name: str
    address: str
    words: Words
    home: str


class Renderer:
    """Renders the pages of one language. `prefix` is the language's folder below the site's root, with its slash."""

    def __init__(self, language: str, settings: Settings) -> None:
        self.words = words(language)
        self.settings = settings
        self.prefix = prefix(language, settings)
        self.teller = Teller(self.words, settings.link_hosts)
        self._templates: dict[str, Template] = {}

    def render(self, page: Page) -> bytes:
        """The page as it is written."""
        template = self._templates.get(page.template)
        if template is None:
            template = self._templates[page.template] = self._environment.get_template(page.template)
        document: str = template.render({**self._frame(page), **page.values})
        return document.encode()

    def _frame(self, page: Page) -> dict[str, Any]:
        """Where the page is, and where the site is as seen from there."""
        home = "../" * page.path.count("/")
        root = home + "../" * self.prefix.count("/")
        if page.template == "missing.html.j2" and self.settings.url:
            home = root = self.settings.url  # it is shown at any address
        base = self.settings.url and self.settings.url + self.prefix
        own = page.path.removesuffix("index.html")
        return {
            "path": page.path,
            "home": home,
            "root": root,
            "base": base,
            "canonical": f"{base}{own}" if base and page.listed else None,
            "alternates": self._alternates(root, own if self.settings.url else page.path) if page.listed else (),
            "others": self._others(root, page.path if page.listed else "index.html"),
        }

    def _alternates(self, root: str, path: str) -> tuple[dict[str, str], ...]:
        """The page in every language, for search engines; none where there is but one."""
        languages = self.settings.languages
        base = self.settings.url or root
        found = ({"language": one, "address": f"{base}{prefix(one, self.settings)}{path}"} for one in languages)
        return tuple(found) if len(languages) > 1 else ()

    def _others(self, root: str, path: str) -> tuple[Other, ...]:
        """The page in the other languages, for readers."""
        return tuple(
            Other(one, LANGUAGES[one], f"{folder}{path}", words(one), folder)
            for one in self.settings.languages
            if one != self.words.language
            for folder in [root + prefix(one, self.settings)]
        )

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=PackageLoader(__package__ or "", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        t = self.words
        title = self.settings.title or t("site.title")
        environment.globals |= {
            "t": t,
            "teller": self.teller,
            "brief": BRIEF,
            "site": {"title": title, "contact": self.contact()},
            "glosses": {MODELS[short]: ident for short, ident in GLOSSES.items()},
        }
        environment.filters |= {
            "name": self.name,
            "state": state_name,
            "short": self.short,
            "models": self.models,
            "county": self.county,
            "status": self.status,
            "is_told": is_told,
            "said": self.said,
            "letter": self.letter,
        }
        return environment

    def name(self, text: str | None) -> str:
        """A name or file name on one line."""
        return printable(text or "") or str(self.words("agreement.agency_unknown"))

    def short(self, model: str | None) -> Markup:
        """TFM, WSO, JEM; any other model in full."""
        return Markup(_SHORT[model]) if model in _SHORT else self.words.model(model)  # noqa: S704 - our own words

    def models(self, timelines: Sequence[Timeline]) -> Markup:
        """The models of some agreements, in short."""
        return Markup(", ").join(self.short(one.periods[-1].terms.support_model) for one in timelines)

    def county(self, name: str | None) -> str:
        """A county's name without the word that its column's heading says."""
        return printable((name or "").removesuffix(" County"))

    def letter(self, letter: str) -> str:
        """The heading of agencies that begin with a letter."""
        return str(self.words("agencies.other")) if letter == "other" else letter.upper()

    def contact(self) -> Markup | None:
        """Whom readers can write to, linked if it is an address."""
        contact = self.settings.contact
        if contact is None:
            return None
        link = f"mailto:{contact}" if _MAIL.fullmatch(contact) else web_link(contact)
        return Markup('<a href="{}">{}</a>').format(link, contact) if link else escape(contact)

    def status(self, one: Timeline) -> Markup:
        """Whether an agreement or application is on its list now, or since when it is not."""
        t, last = self.words, one.periods[-1]
        pending = one.first.list is ListName.PENDING
        if last.valid_to is None:
            return t("agency.is_waiting") if pending else t("agency.is_listed")
        date = t.date(last.valid_to)
        if pending:
            return t("agency.is_signed" if one.signed_as else "agency.left", date=date)
        return t("agency.is_gone_provisional" if is_provisional(one) else "agency.is_gone", date=date)

    def place(self, agency: Agency) -> Markup:
        """County and state of an agency, or why there is no county."""
        state = state_name(agency.state) if agency.state else self.words("column.not_stated")
        basis = {"statewide": "agency.statewide", "several": "agency.several"}.get(agency.county_basis or "")
        county = agency.county or self.words(basis or "agency.county_unknown")
        return self.words("agency.place", county=county, state=state)

    def said(self, one: Timeline) -> Iterator[tuple[Period, Markup]]:
        """The periods of an agreement with all its terms, then with what differed from the period before."""
        before: dict[str, Markup] = {}
        for period in one.periods:
            terms = self._facts(period.terms)
            new = [self._said(name, text) for name, text in terms.items() if before.get(name, "") != text]
            yield period, Markup("; ").join(new) or Markup("–")
            before = terms

    def _said(self, name: str, text: Markup) -> Markup:
        """A term; one that is not stated any more, and those that do not speak for themselves, with their name."""
        if text and not name.startswith("agency."):
            return text
        return Markup("{}: {}").format(self.words(name), text or self.words("column.not_stated"))

    def _facts(self, terms: Terms) -> dict[str, Markup]:
        """Message id of a term's name -> the term; empty where ICE states none."""
        t = self.words
        links = {"agency.moa": terms.moa_url, "agency.addendum": terms.addendum_url}
        return {
            "column.agency": escape(f"{self.name(terms.agency)}, {printable(terms.state or '??')}"),
            "column.type": escape(printable(terms.agency_type or "")),
            "column.county": escape(printable(terms.county or "")),
            "column.model": t.model(terms.support_model),
            "column.signed": t("agreement.signed_on", date=t.date(terms.signed_on)) if terms.signed_on else Markup(""),
        } | {name: self.teller.document(url) if url else Markup("") for name, url in links.items()}


def is_told(one: Timeline) -> bool:
    """Whether an event tells of the beginning; of what stood on the first list, none does."""
    return any(event.kind in (Kind.NEW, Kind.RENEWED, Kind.PENDING) for event in one.events)


def prefix(language: str, settings: Settings) -> str:
    """The folder of a language below the site's root, with its slash; the first language has none."""
    return "" if language == settings.languages[0] else f"{language}/"
