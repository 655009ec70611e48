"""Which pages there are: the history -> the pages of a language, each with its values."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from db.records import Kind
from pipeline.publish.exports.description import LICENCE
from pipeline.publish.site import charts, tiles
from pipeline.publish.site.changing import correction_pages, latest, month_pages
from pipeline.publish.site.downloads import File
from pipeline.publish.site.grouping import days
from pipeline.publish.site.model import Agency, History, by_name
from pipeline.publish.site.moving import Moved
from pipeline.publish.site.places import ROWS, state_pages
from pipeline.publish.site.rendering import Page, Renderer
from pipeline.publish.site.splitting import chunks, split
from pipeline.publish.site.words import Words
from pipeline.reading.normalize import MODELS
from pipeline.reading.places import fold, state_name
from pipeline.reports.counts import By
from pipeline.reports.escaping import printable
from pipeline.reports.feeds.entries import feed_name

_NO_LETTER = "other"
"""The folder of agencies whose names begin with no letter."""

_TABLES = {
    "agreements": "data.agreements",
    "applications": "data.applications",
    "events": "data.events",
    "history": "data.history",
    "agencies": "data.agencies",
    "publications": "data.publications",
}
"""The tables that can be downloaded, each with the message that says what a row is."""


def pages(history: History, renderer: Renderer, moved: Sequence[Moved]) -> Iterator[Page]:
    """Every page of a language but that of the data files."""
    t = renderer.words
    yield _front(history, t)
    yield from month_pages(history.told, t)
    yield from state_pages(history, t)
    yield from _index(history, t)
    for agency in history.agencies:
        yield _agency(agency, history, renderer)
    yield from correction_pages(history.told, t)
    yield _method(history, renderer)
    for one in moved:
        yield Page(f"agency/{one.slug}/index.html", "moved.html.j2", {"targets": one.targets}, listed=False)
    if not renderer.prefix:
        yield Page("404.html", "missing.html.j2", {}, listed=False)


def _front(history: History, t: Words) -> Page:
    counts = history.counts
    if counts is None or history.now is None:
        return Page("index.html", "front.html.j2", {"counts": None})
    where = t("count.states", counts.states)
    if counts.territories:
        where = t("front.and", one=where, other=t("count.territories", counts.territories))
    models = [one.value for one in counts.by[By.MODEL] if one.value in MODELS.values()]
    newest = history.now.source
    values = {
        "counts": counts,
        "whole": len(history.now.listed),
        "heading": t("front.heading", agreements=t("count.agreements", len(history.now.listed))),
        "where": where,
        "source": newest,
        "seen_until": history.seen_until,
        "this_year": next((one for one in counts.by[By.YEAR] if one.value == newest.published_on[:4]), None),
        "chart": _curves(history, models),
        "names": [t("column.all"), *map(t.model, models)],
        "tiles": tiles.tiles(history.number_of_state, history.states.keys()),
        "levels": [t("front.none"), *(_level(low, high, t) for low, high in tiles.LEVELS)],
        "pages_of_states": {state_name(postal): postal for postal in history.states},
        "latest": days(latest(history.told)),
    }
    return Page("index.html", "front.html.j2", values)


def _curves(history: History, models: Sequence[str]) -> charts.Chart | None:
    agreements = [one for agency in history.agencies for one in agency.agreements]
    series = [charts.Series("", charts.numbers(agreements, history.days))]
    series += [charts.Series(model, charts.numbers(agreements, history.days, model)) for model in models]
    return charts.chart(history.days, series, 320)


def _level(low: int, high: int | None, t: Words) -> Markup:
    return t("front.from", low=low) if high is None else t("front.from_to", low=low, high=high)


def _index(history: History, t: Words) -> Iterator[Page]:
    letters: dict[str, list[Agency]] = {}
    for agency in sorted(history.agencies, key=by_name):
        letters.setdefault(_letter(agency.name), []).append(agency)
    by_state = [(postal, len(some)) for postal, some in history.states.items()]
    order = sorted(letters, key=lambda letter: (letter != _NO_LETTER, letter))
    numbers = [(letter, len(letters[letter])) for letter in order]
    yield Page("agencies/index.html", "agencies.html.j2", {"letters": numbers, "by_state": by_state})

    def beginning(number: int, some: Sequence[Agency]) -> Markup:
        return t("agencies.part", number=number, name=escape(printable(some[0].name)))

    for letter, agencies in letters.items():
        for cut, some in split(f"agencies/{letter}/", chunks(agencies, ROWS), beginning):
            yield Page(cut.path, "letter.html.j2", {**cut.values, "letter": letter, "agencies": some})


def _letter(name: str) -> str:
    first = fold(name)[:1]
    return first if first.isascii() and first.isalpha() else _NO_LETTER


def _agency(agency: Agency, history: History, renderer: Renderer) -> Page:
    order = sorted(agency.timelines, key=lambda one: one.periods[-1].valid_to is not None)
    values = {
        "agency": agency,
        "timelines": [
            *(one for one in order if one in agency.agreements),
            *(one for one in order if one in agency.applications),
        ],
        "signed_later": dict(_signed_later(agency, history, renderer.words)),
        "own": {one.agreement_id for one in agency.timelines},
        "former": _quoted(agency.former_names, renderer.words),
        "place": renderer.place(agency),
        "states_with_page": history.states,
    }
    return Page(f"agency/{agency.id}/index.html", "agency.html.j2", values)


def _signed_later(agency: Agency, history: History, t: Words) -> Iterator[tuple[str, Markup]]:
    """Applications that left the pending list unsigned and were signed after all: id, and the agreement in words."""
    for one in agency.applications:
        found = history.homes.get(one.signed_as or "")
        if found and any(event.kind is Kind.WITHDRAWN for event in one.events):
            home, agreement = found
            link = Markup('<a href="../{0}/index.html#{1}">{1}</a>').format(home.id, agreement.agreement_id)
            yield one.agreement_id, t("agency.signed_later", agreement=link, date=t.date(agreement.first.published_on))


def _quoted(names: Sequence[str], t: Words) -> Markup:
    return Markup(", ").join(t("agency.quoted", name=printable(name)) for name in names)


def data_page(history: History, files: Sequence[File], t: Words) -> Page:
    """The page of the files that can be downloaded."""
    feeds = [(feed_name(None), t("data.all_states"))]
    feeds += [(feed_name(postal), escape(state_name(postal))) for postal in history.states]
    first = next((item for item in history.now.listed), None) if history.now else None
    example = {"id": first.terms.agreement_id, "on": first.first_listed_on} if first else None
    values = {
        "files": files,
        "workbook": next((one for one in files if one.name.endswith(".xlsx")), None),
        "tables": [(name, t(ident)) for name, ident in _TABLES.items() if files],
        "cc0": Markup('<a href="{}">CC0 1.0</a>').format(LICENCE["path"]),
        "feeds": feeds,
        "example": example,
    }
    return Page("data.html", "data.html.j2", values)


def _method(history: History, renderer: Renderer) -> Page:
    address = renderer.settings.ice_page
    link = Markup('<a href="{}">{}</a>').format(address, address.removeprefix("https://"))
    values = {"ice_page": link, "first_on": history.first_on}
    return Page("method.html", "method.html.j2", values)
