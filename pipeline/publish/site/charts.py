"""How many agreements there were on each day -> the geometry of a chart that templates draw."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate

from pipeline.reports.record import Timeline

WIDTH = 1000
"""The drawing's own width; a page stretches it, and not the lines' thickness nor the texts."""

_LABEL = 36
"""The least distance between two labels of two lines, in pixels."""


@dataclass(frozen=True, slots=True)
class Series:
    """A name and a number for each day of the chart; the first series of a chart is the whole."""

    name: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """A series as drawn: an SVG path, and how high its label stands."""

    series: Series
    path: str
    label_y: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid: its value (a number or an ISO month) and its place in pixels, or in percent from the left."""

    value: str
    place: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything that a template needs: curves, ticks, and rows of a table (ISO month, a number for each series)."""

    height: int
    days: tuple[str, ...]
    curves: tuple[Curve, ...]
    ticks: tuple[Tick, ...]
    months: tuple[Tick, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]


def numbers(timelines: Iterable[Timeline], days: Sequence[str], model: str | None = None) -> tuple[int, ...]:
    """How many of these agreements were listed on each of the days (those of the lists), of a model or of all."""
    steps = dict.fromkeys(days, 0)
    for one in timelines:
        for period in one.periods:
            if model is not None and period.terms.support_model != model:
                continue
            steps[period.valid_from] += 1
            if period.valid_to is not None:
                steps[period.valid_to] -= 1
    return tuple(accumulate(steps[day] for day in days))


def chart(days: Sequence[str], series: Sequence[Series], height: int) -> Chart | None:
    """A chart of steps over time, from 0 up; None where there is only one day."""
    if not days or days[0] == days[-1]:
        return None
    start, end = (date.fromisoformat(days[at]).toordinal() for at in (0, -1))
    places = [round(WIDTH * (date.fromisoformat(day).toordinal() - start) / (end - start)) for day in days]
    most = max(1, *(max(one.numbers) for one in series))
    step = _step(most)
    top = most * _ROOM

    def level(value: int) -> int:
        return height - round(height * value / top)

    curves = [Curve(one, _path(places, [level(number) for number in one.numbers]), 0) for one in series]
    labels = _labels([level(one.numbers[-1]) for one in series], height)
    ticks = tuple(Tick(f"{value:,}", str(level(value))) for value in range(0, most + 1, step))
    return Chart(
        height,
        tuple(days),
        tuple(Curve(one.series, one.path, label) for one, label in zip(curves, labels, strict=True)),
        ticks,
        tuple(_months(start, end)),
        tuple(_rows(days, series)),
    )


_ROOM = 1.04
"""How much higher the chart is than its highest curve."""


def _step(most: int) -> int:
    """A round distance between lines, of which there are at most five."""
    step = 1
    while most // step >= 5:
        step = next(one for one in _ROUND if one > step)
    return step


_ROUND = tuple(factor * 10**power for power in range(7) for factor in (1, 2, 5))


def _path(places: Sequence[int], levels: Sequence[int]) -> str:
    parts = [f"M{places[0]} {levels[0]}"]
    at = levels[0]
    for place, level in zip(places[1:], levels[1:], strict=True):
        if level != at:
            parts.append(f"H{place}V{level}")
            at = level
    return "".join([*parts, f"H{places[-1]}"])


def _labels(levels: Sequence[int], height: int) -> list[int]:
    """Where labels stand, each beside the end of its curve and no two over each other, from the lowest up."""
    places = [0] * len(levels)
    floor = height - _LABEL // 2
    for index in sorted(range(len(levels)), key=lambda one: (-levels[one], -one)):
        places[index] = min(levels[index] + 4, floor)
        floor = places[index] - _LABEL
    return places


_SPANS = (1, 2, 3, 6, *(12 * factor for factor in _ROUND))
"""Distances between the months that are named, in months."""


def _months(start: int, end: int) -> list[Tick]:
    """The beginnings of months, of which five at most are shown."""
    first, last = date.fromordinal(start), date.fromordinal(end)
    count = (last.year - first.year) * 12 + last.month - first.month
    every = next(one for one in _SPANS if count // one <= 5)
    found = []
    for number in range(first.year * 12 + first.month, last.year * 12 + last.month + 1):
        year, month = divmod(number, 12)
        day = date(year, month + 1, 1)
        place = 100 * (day.toordinal() - start) / (end - start)
        if number % every == 0 and 0 <= place <= 94:
            found.append(Tick(f"{day:%Y-%m}", f"{place:.1f}"))
    return found


def _rows(days: Sequence[str], series: Sequence[Series]) -> list[tuple[str, tuple[int, ...]]]:
    """The numbers of the last list of each month."""
    months = sorted({day[:7] for day in days})
    ends = [bisect_right(days, f"{month}-99") - 1 for month in months]
    return [(month, tuple(one.numbers[at] for one in series)) for month, at in zip(months, ends, strict=True)]
