"""The pages of changes: the months, each month, and what was taken back."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from markupsafe import Markup

from db.records import Kind, Status
from pipeline.publish.site.grouping import PART, days, parts
from pipeline.publish.site.model import Told
from pipeline.publish.site.rendering import Page
from pipeline.publish.site.splitting import chunks, split
from pipeline.publish.site.words import Words

LATEST = 12
"""At least so many of the latest changes are told on the front page and on a state's, if there are."""

_COUNTED = (Kind.NEW, Kind.TERMINATED, Kind.PENDING, Kind.WITHDRAWN)
"""The kinds that the table of months counts."""


def month_pages(told: Sequence[Told], t: Words) -> Iterator[Page]:
    """The page of all months, and the pages of each."""
    months = [(month, tuple(some)) for month, some in groupby(told, lambda one: one.event.published_on[:7])]
    rows = [{"month": month, "numbers": _numbers(some), "total": len(some)} for month, some in reversed(months)]
    yield Page("changes/index.html", "months.html.j2", {"months": rows, "sorts": _COUNTED})
    for at, (month, some) in enumerate(months):
        values = {
            "heading": t("changes.month_heading", month=t.month(month)),
            "steps": ((t("changes.heading"), "changes/index.html"),),
            "with_state": True,
            "earlier": months[at - 1][0] if at else None,
            "later": months[at + 1][0] if at + 1 < len(months) else None,
        }
        yield from change_pages(f"changes/{month}/", some, t, values)


def change_pages(folder: str, told: Sequence[Told], t: Words, values: Mapping[str, Any]) -> Iterator[Page]:
    """Changes, from the first to the last, on as many pages as it takes."""

    def span(number: int, some: Sequence[Told]) -> Markup:
        since, until = some[0].event.published_on, some[-1].event.published_on
        return t("changes.part", number=number, since=t.short_date(since), until=t.short_date(until))

    for cut, some in split(folder, parts(told), span):
        own = {**cut.values, "days": days(some), "total": len(told)}
        yield Page(cut.path, "changes.html.j2", {**values, **own})


def correction_pages(told: Sequence[Told], t: Words) -> Iterator[Page]:
    """What was told and taken back, the latest first."""
    back = [one for one in told if one.event.status is Status.RETRACTED]
    back.sort(key=lambda one: (one.event.status_changed_at or one.event.detected_at, one.event.event_id), reverse=True)
    for cut, some in split("corrections/", chunks(back, PART), lambda number, _: Markup(t.number(number))):  # noqa: S704
        yield Page(cut.path, "corrections.html.j2", {**cut.values, "told": some})


def latest(told: Sequence[Told]) -> list[Told]:
    """The latest changes of substance, the newest date first: whole days, at least one, until there are enough."""
    substance = [one for one in told if one.event.kind is not Kind.CHANGED]
    found: list[Told] = []
    for _, some in groupby(reversed(substance), lambda one: one.event.published_on):
        if len(found) >= LATEST:
            break
        found += some
    return found


def _numbers(told: Sequence[Told]) -> list[int]:
    found = Counter(one.event.kind for one in told if one.event.status is not Status.RETRACTED)
    return [found[kind] for kind in _COUNTED]
