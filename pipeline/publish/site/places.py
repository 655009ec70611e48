"""The pages of states: numbers, agencies, counties, what changed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from pipeline.publish.site import charts
from pipeline.publish.site.changing import change_pages, latest
from pipeline.publish.site.grouping import days
from pipeline.publish.site.model import Agency, History, Told
from pipeline.publish.site.rendering import Page
from pipeline.publish.site.splitting import chunks, split
from pipeline.publish.site.words import Words
from pipeline.reading.normalize import MODELS
from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable

ROWS = 200
"""The most agencies in a table."""


@dataclass(frozen=True, slots=True)
class Model:
    """How many agreements of a model a state has."""

    short: str
    model: str
    number: int


def state_pages(history: History, t: Words) -> Iterator[Page]:
    """The pages of every state that has, or had, an agency on a list."""
    told: dict[str | None, list[Told]] = {}
    state_of = {agency.id: agency.state for agency in history.agencies}
    for one in history.told:
        told.setdefault(state_of.get(one.agency_id or "", one.event.state), []).append(one)
    for postal, agencies in history.states.items():
        yield from _pages(history, postal, agencies, told.get(postal, []), t)


def _pages(history: History, postal: str, agencies: Sequence[Agency], told: Sequence[Told], t: Words) -> Iterator[Page]:
    name, folder = state_name(postal), f"state/{postal.lower()}/"
    listed = [one for one in agencies if one.listed]
    gone = [one for one in agencies if one.agreements and not one.listed and not one.waiting]
    values = {
        "name": name,
        "postal": postal,
        "total": sum(len(one.listed) for one in listed),
        "holders": len(listed),
        "as_of": history.now.source.published_on if history.now else history.seen_until,
        "models": _models(listed),
        "chart": _chart(agencies, history.days),
        "waiting": [one for one in agencies if one.waiting and not one.listed],
        "missing": [one for one in gone if one.missing_on],
        "gone": [one for one in gone if not one.missing_on],
        "once": [one for one in agencies if not one.agreements and not one.waiting],
        "counties": _counties(listed),
        "latest": days(latest(told)),
    }

    def beginning(number: int, some: Sequence[Agency]) -> Markup:
        return t("agencies.part", number=number, name=escape(printable(some[0].name)))

    for cut, some in split(folder, chunks(listed, ROWS), beginning):
        yield Page(cut.path, "state.html.j2", {**values, **cut.values, "rows": some})
    steps = ((t("nav.home"), "index.html"), (name, f"{folder}index.html"))
    heading = {"heading": t("changes.state_heading", state=name), "steps": steps, "with_state": False}
    if told:
        yield from change_pages(f"{folder}changes/", told, t, {**heading, "earlier": None, "later": None})


def _chart(agencies: Sequence[Agency], days_of_lists: Sequence[str]) -> charts.Chart | None:
    """How many agreements a state had over time; None where it never had one."""
    timelines = [one for agency in agencies for one in agency.agreements]
    series = charts.Series("", charts.numbers(timelines, days_of_lists))
    return charts.chart(days_of_lists, [series], 160) if timelines else None


def _models(agencies: Sequence[Agency]) -> list[Model]:
    found = Counter(one.periods[-1].terms.support_model for agency in agencies for one in agency.listed)
    models = [Model(short, model, found[model]) for short, model in MODELS.items() if found[model]]
    return sorted(models, key=lambda one: -one.number)


def _counties(agencies: Sequence[Agency]) -> list[tuple[str | None, int]]:
    """Agreements by county, by name; those of no known county last. Nothing where no county is known."""
    found = Counter[str | None]()
    for agency in agencies:
        found[agency.county] += len(agency.listed)
    return sorted(found.items(), key=lambda item: (item[0] is None, item[0] or "")) if any(found) else []
