"""How strongly a row of the old list and a row of the new one speak for being one agreement.

Points are added up like log-odds: 0 is no evidence, the border is `ACCEPT`. The weights were set on ICE's lists of
2025 with hand-made labels; each states what it rests on. No weight knows an agency or a workbook.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from db.records import Values
from pipeline.reading.links import document
from pipeline.tracking import names
from pipeline.tracking.names import Likeness

ACCEPT = 6.0
ACCEPT_UNDATED = 7.0
"""The border on the pending list, where no signing date speaks for or against."""
MARGIN = 2.0
"""A decision within this many points of the border goes to the review list."""

_NAME_POINTS = {
    Likeness.EQUAL: 6.0,
    Likeness.REWORDED: 5.0,
    Likeness.MISSPELT: 4.0,
    Likeness.CONTAINED: 1.5,
    Likeness.SAME_PLACE: 1.5,
    Likeness.RELATED: -2.0,
    Likeness.DIFFERENT: -4.0,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """One side of a comparison: the values of a row and where it stands.

    `gap` names the two unmoved neighbours between which the row stands, `step` its place between them; rows in the
    same place of the same gap of both lists are neighbours of the same rows.
    """

    values: Values
    gap: tuple[int, int] | None = None
    step: int = 0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else the two lists say, asked only where it matters.

    `both_listed(v, n)`: the two spellings stand side by side on one list, so that neither is the other misspelt.
    `link_shared(document)`: more than one row of a list links that document. `was_pending(n)`: the new row's agency
    and model stood on the pending list under this name.
    """

    both_listed: Callable[[Values, Values], bool] = lambda _v, _n: False
    link_shared: Callable[[str], bool] = lambda _document: False
    was_pending: Callable[[Values], bool] = lambda _n: False


@dataclass(frozen=True, slots=True)
class Weight:
    """The sum of the points, and each with what it says."""

    score: float
    likeness: Likeness
    evidence: dict[str, str]


def weigh(old: Candidate, new: Candidate, around: Surroundings) -> Weight:
    """Add up the evidence that `new` lists the agreement that `old` listed."""
    v, n = old.values, new.values
    likeness = names.compare(v, n)
    if likeness in (Likeness.MISSPELT, Likeness.CONTAINED) and around.both_listed(v, n):
        likeness = Likeness.RELATED
    points = {
        "name": (_NAME_POINTS[likeness], f"{likeness.name.lower()}: {v.agency!r}, {n.agency!r}"),
        "model": (2.0, "same") if v.support_model == n.support_model else _model(v, n),
        "state": (1.0, "same") if v.state == n.state else (-3.0, f"{v.state}, {n.state}"),
        "date": _date(v, n, likeness),
        "moa": _moa(v, n, around, likeness),
        "county": _county(v, n, likeness),
        "position": _position(old, new),
    }
    if likeness < Likeness.REWORDED and around.was_pending(n):
        points["pending"] = (-2.0, "the new row's agency had applied under its own name")
    if likeness < Likeness.REWORDED and names.two_counties(v, n):
        points["counties"] = (-3.0, "two different counties")
    told = {name: f"{value:+.1f} {text}" for name, (value, text) in points.items() if value}
    return Weight(sum(value for value, _ in points.values()), likeness, told)


def _model(v: Values, n: Values) -> tuple[float, str]:
    if v.support_model is None or n.support_model is None:
        return 0.5, f"{v.support_model}, {n.support_model}"
    return -4.0, f"{v.support_model}, {n.support_model}"


def _date(v: Values, n: Values, likeness: Likeness) -> tuple[float, str]:
    """Corrections move a date by days, by exactly a year, or swap month and day; a new signing moves it further.

    A name and a date are rarely corrected at once, so that another date weighs double beside another name.
    """
    if v.signed_on is None or n.signed_on is None:
        return (0.5, "not stated on both") if v.signed_on != n.signed_on else (0.0, "never stated")
    days = abs((v.signed_on - n.signed_on).days)
    text = f"{v.signed_on}, {n.signed_on}"
    if days == 0:
        return 3.0, "same"
    if days <= 3:
        return 0.0, text
    near = days <= 30 or days in (365, 366) or _month_and_day_swapped(v.signed_on, n.signed_on)
    points = -1.0 if near else -2.0
    return (points if likeness >= Likeness.MISSPELT else 2 * points), text


def _month_and_day_swapped(one: date, other: date) -> bool:
    """Whether month and day changed places."""
    return one.year == other.year and (one.month, one.day) == (other.day, other.month)


def _moa(v: Values, n: Values, around: Surroundings, likeness: Likeness) -> tuple[float, str]:
    """One document is strong evidence, but ICE has linked one agency's MOA from another's row for weeks."""
    one, other = document(v.moa_url), document(n.moa_url)
    if one is None or other is None:
        return 0.0, "not linked on both"
    if one == other:
        return (1.5, f"same, and linked elsewhere too: {one}") if around.link_shared(one) else (5.0, f"same: {one}")
    return (-0.5 if likeness >= Likeness.REWORDED else -1.5), f"{one}, {other}"


def _county(v: Values, n: Values, likeness: Likeness) -> tuple[float, str]:
    if v.county is None or n.county is None:
        return 0.0, "not stated on both"
    if v.county == n.county:
        points = {Likeness.DIFFERENT: 1.5, Likeness.EQUAL: 0.5, Likeness.REWORDED: 0.5}.get(likeness, 2.0)
        return points, f"same: {v.county}"
    return -0.5, f"{v.county}, {n.county}"


def _position(old: Candidate, new: Candidate) -> tuple[float, str]:
    """Rows are in alphabetical order, so that only a row whose name hardly changed keeps its neighbours."""
    if old.gap is None or old.gap != new.gap:
        return 0.0, "elsewhere"
    return (2.0, "same place between the same rows") if old.step == new.step else (1.0, "between the same rows")


def is_resigning(v: Values, n: Values, first_listed_on: date | None, published_on: date | None = None) -> bool:
    """Whether `n` is a new signing of the agreement `v` rather than its date corrected.

    Rule: the new date is later than the day the old one was first listed by a fortnight or more (a list cannot show a
    signature before it is given, and corrections of a date move it by days), and no document says otherwise: the same
    document on both is a correction. Two different documents with different dates are two signings.
    """
    if v.signed_on is None or n.signed_on is None or n.signed_on <= v.signed_on:
        return False
    if published_on is not None and n.signed_on > published_on + timedelta(days=7):
        return False
    one, other = document(v.moa_url), document(n.moa_url)
    if one is not None and one == other:
        return False
    days = n.signed_on - v.signed_on
    if one is not None and other is not None and days > timedelta(days=30):
        return True
    return first_listed_on is not None and n.signed_on >= first_listed_on + timedelta(days=14)
