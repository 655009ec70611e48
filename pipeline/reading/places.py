"""States, territories and counties: what ICE prints -> the postal code or the Census name.

The two tables beside this file are cut from the Census Bureau's lists of states and of counties and equivalents
(2020). A misspelling is resolved only where one name is clearly the nearest; nothing is guessed between two.
"""

import csv
import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

from rapidfuzz.distance import OSA

_ALIASES = {
    "commonwealth of the northern mariana islands": "MP",
    "cnmi": "MP",
    "washington dc": "DC",
    "virgin islands": "VI",
    "us virgin islands": "VI",
}
_COUNTY_WORDS = re.compile(r"\b(county|parish|borough|census area|municipality|municipio|city and borough|city)$")
_EDITION = "2020"  # of the list of counties: who is the same agency as before was measured with its names

_NO_WORD = re.compile(r"[^\w\s]|_")
_DROPPED = str.maketrans("", "", "'’.")
_SAINT = re.compile(r"^saint\b")


@dataclass(frozen=True, slots=True)
class State:
    """A state, the District of Columbia or a territory: postal code, FIPS code, kind and name."""

    postal: str
    fips: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class StateMatch:
    """A resolved state: the postal code, and whether the text had to be corrected to find it."""

    postal: str
    corrected: bool


def fold(text: str) -> str:
    """Lower-case letters, digits and single spaces: what is left of `text` when typography is taken away."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(_NO_WORD.sub(" ", text.casefold().translate(_DROPPED)).split())


@cache
def states() -> dict[str, State]:
    """All states and territories by postal code."""
    with resources.files(__package__).joinpath("states.csv").open(encoding="utf-8") as lines:
        rows = csv.DictReader(lines)
        return {row["postal"]: State(row["postal"], row["fips"], row["kind"], row["name"]) for row in rows}


@cache
def _state_names() -> dict[str, str]:
    return {fold(s.name): s.postal for s in states().values()} | _ALIASES


@lru_cache(maxsize=1024)
def resolve_state(text: str) -> StateMatch | None:
    """Resolve a printed state; None where no name, or more than one, is near.

    A misspelling may be one edit away in names up to six letters, two in longer ones, and must be nearer to one
    name than to any other (`AKANSAS` is one letter from two states: unresolved).
    """
    name = fold(text)
    if (postal := _state_names().get(name)) is not None:
        return StateMatch(postal, corrected=False)
    if name.upper() in states():
        return StateMatch(name.upper(), corrected=False)
    if len(name) < 4:
        return None
    limit = 1 if len(name) <= 6 else 2
    near = sorted(
        (OSA.distance(name, other, score_cutoff=limit + 1), postal) for other, postal in _state_names().items()
    )
    best = [(distance, postal) for distance, postal in near if distance == near[0][0]]
    if near[0][0] > limit or len({postal for _, postal in best}) != 1:
        return None
    return StateMatch(best[0][1], corrected=True)


def state_name(postal: str | None) -> str:
    """The full name of a postal code, or the code itself where it is unknown."""
    if postal is None:
        return "state unknown"
    state = states().get(postal)
    return state.name if state else postal


def county_base(text: str) -> str:
    """A county's folded name without the word that says what it is (`St. Landry Parish` -> `st landry`)."""
    return _SAINT.sub("st", _COUNTY_WORDS.sub("", fold(text)).strip())


@cache
def counties() -> dict[str, dict[str, str]]:
    """Counties and equivalents: postal code of the state -> folded base name -> Census name."""
    return {state: {county_base(name): name for name in names} for state, names in _county_names().items()}


@cache
def _county_names() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    with resources.files(__package__).joinpath("counties.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["edition"] == _EDITION:
                table.setdefault(row["state"], []).append(row["name"])
    return table


def is_county(state: str | None, name: str) -> bool:
    """Whether `name` (folded, without `county`) is a county of that state."""
    known = counties().get(state or "", {})
    return name in known or name.replace(" ", "") in _joined(state)


@cache
def _joined(state: str | None) -> frozenset[str]:
    return frozenset(name.replace(" ", "") for name in counties().get(state or "", {}))


@cache
def _full_names(state: str | None) -> dict[str, str]:
    """A state's counties by their folded names in full: Virginia has a Franklin County and a Franklin city."""
    return {_SAINT.sub("st", fold(name)): name for name in _county_names().get(state or "", ())}


@lru_cache(maxsize=8192)
def resolve_county(state: str | None, text: str) -> str | None:
    """The Census name for a printed county; None unless it is that name up to typography or one slip.

    Where a county and a city share a name, the text must say which. A slip is one edit in a base name of five letters
    or more that is one edit from no other county of the state; `Conty`, `Countey` and the like count as `County`.
    """
    known = counties().get(state or "", {})
    words = fold(text).split()
    if not words or not known:
        return None
    if len(words) > 1 and OSA.distance(words[-1], "county") in (1, 2) and words[-1] not in _KIND_WORDS:
        words[-1] = "county"
    whole = _SAINT.sub("st", " ".join(words))
    if whole in (full := _full_names(state)):
        return full[whole]
    base = county_base(whole)
    if base in known:
        return known[base] if sum(county_base(name) == base for name in full.values()) == 1 else None
    near = [name for name in known if len(base) >= 5 and OSA.distance(base, name, score_cutoff=1) <= 1]
    return known[near[0]] if len(near) == 1 else None


_KIND_WORDS = frozenset({"county", "parish", "borough", "city", "area", "municipality"})
