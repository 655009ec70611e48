"""Whether a name on a list may be that of an agency somebody asks about: what makes its absence unsayable.

Wider than what tells one agreement from another from list to list (`pipeline.tracking.names`): a false proof of absence
does harm, and a needless refusal only shows a row to a person.
"""

from functools import lru_cache

from rapidfuzz.distance import OSA

from db.records import Values
from pipeline.reading.places import fold
from pipeline.tracking import names
from pipeline.tracking.names import Likeness, Name

_SHORT = 7
"""Letters of a place's name up to which it may be one edit off; longer ones may be two off."""


@lru_cache(maxsize=65_536)
def may_be(wanted: str, wanted_state: str | None, agency: str, state: str | None, county: str | None = None) -> bool:
    """Whether the agency of a row may be the one wanted.

    States are postal codes; a row without one may be of any state, and no `wanted_state` means any. It may be where one
    name is the other respelt or reworded, or the same without spaces; or where both are the same kind of agency, or one
    does not say which, and one place is in the other or nearly the same. It is not where numbers differ, or both lie in
    counties that exist and are two (Lake and Baker), or a place has two kinds of agency (a city's police, the county's
    sheriff).
    """
    if not fold(wanted) or not fold(agency) or (wanted_state and state and wanted_state != state):
        return False
    where = state or wanted_state
    one = _values(wanted, where, None)
    return any(_may_be(one, _values(agency, where, cell)) for cell in {None, county})


def same_name(one: str, other: str, state: str | None) -> bool:
    """Whether two names are one in full: case, punctuation and usual abbreviations do not count."""
    return bool(fold(one)) and bool(fold(other)) and names.parse(one, state).key == names.parse(other, state).key


def joined(name: Name) -> str:
    """All words of a name without the spaces: `De Soto` and `DeSoto` are one."""
    return name.key.replace(" ", "")


def _values(agency: str, state: str | None, county: str | None) -> Values:
    return Values(state, agency, None, county, None, None, None, None)


def _may_be(one: Values, other: Values) -> bool:
    if names.compare(one, other) >= Likeness.MISSPELT:
        return True
    a, b = names.of(one), names.of(other)
    if (a.numbers and b.numbers and a.numbers != b.numbers) or names.two_counties(one, other):
        return False
    if _within(joined(a), joined(b), 1):
        return True
    if not a.place or not b.place:
        return a.place == b.place and bool(a.bodies & b.bodies)
    return _akin(a, b) and _near(a, b)


def _akin(a: Name, b: Name) -> bool:
    """Whether they may be the same kind of agency."""
    return not a.bodies or not b.bodies or bool(a.bodies & b.bodies)


def _near(a: Name, b: Name) -> bool:
    small, large = sorted((set(a.place), set(b.place)), key=len)
    limit = 1 if min(len(a.compact), len(b.compact)) <= _SHORT else 2
    return small <= large or _within(a.compact, b.compact, limit)


def _within(one: str, other: str, edits: int) -> bool:
    return OSA.distance(one, other, score_cutoff=edits) <= edits
