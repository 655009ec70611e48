"""Agency names: what ICE prints -> the words that tell one agency from another, and how two names relate.

A name says a place (`Kerr County`, `Boca Raton`), a body (`sheriff`, `police`) and much that carries nothing
(`office`, `city of`, `department`). ICE abbreviates, respells and reorders all three.
"""

import re
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import zip_longest

from rapidfuzz.distance import OSA

from db.records import Values
from pipeline.reading.places import county_base, fold, is_county, states

_EXPANSIONS = {
    "pd": "police department",
    "dept": "department",
    "so": "sheriff office",
    "sherriff": "sheriff",
    "sheriffs": "sheriff",
    "sherriffs": "sheriff",
    "constables": "constable",
    "constabless": "constable",
    "marshals": "marshal",
    "dps": "department of public safety",
    "doc": "department of corrections",
    "bocc": "board of county commissioners",
    "corr": "corrections",
    "correction": "corrections",
    "correctional": "corrections",
    "co": "county",
    "cnty": "county",
    "conty": "county",
    "countey": "county",
    "twp": "township",
    "boro": "borough",
    "ft": "fort",
    "mt": "mount",
    "st": "saint",
    "ste": "sainte",
    "univ": "university",
    "dist": "district",
    "commission": "commissioners",
    "divison": "division",
}
_FILLER = frozenset(
    [
        "the",
        "of",
        "and",
        "for",
        "office",
        "offices",
        "department",
        "division",
        "services",
        "service",
        "bureau",
        "agency",
        "a",
        "in",
        "law",
        "enforcement",
    ]
)
_GENERIC = frozenset(
    ["borough", "township", "county", "parish", "municipal", "municipality", "state", "precinct", "district"]
)
_OF = frozenset({"city", "town", "village", "borough", "township", "county"})
"""Left out of a place where `of` follows: the City of Hialeah is Hialeah, but Lake City is not Lake."""
_BODIES = {
    "sheriff": "sheriff",
    "police": "police",
    "constable": "constable",
    "marshal": "marshal",
    "attorney": "attorney",
    "prosecutor": "attorney",
    "jail": "corrections",
    "prison": "corrections",
    "detention": "corrections",
    "corrections": "corrections",
    "rehabilitation": "corrections",
    "commissioners": "commissioners",
    "board": "commissioners",
    "trustees": "commissioners",
    "patrol": "patrol",
    "guard": "guard",
    "safety": "safety",
    "investigation": "investigation",
    "investigations": "investigation",
    "wildlife": "wildlife",
}
_KNOWN_WORDS = tuple(
    sorted(
        w
        for w in _FILLER | _GENERIC | _BODIES.keys() | _EXPANSIONS.keys()
        if len(w) >= 6 and w not in ("marshal", "parish")
    )
)
_NO_SLIPS = frozenset({"marshall", "country", "policy", "statee"})
"""Real words that are one letter from a word above and are none of its misspellings."""
_ORDINAL = re.compile(r"^0*(\d+)(st|nd|rd|th)?$")


class Likeness(IntEnum):
    """How two names relate, from nothing in common to the same letters."""

    DIFFERENT = 0
    RELATED = 1
    SAME_PLACE = 2
    CONTAINED = 3
    MISSPELT = 4
    REWORDED = 5
    EQUAL = 6


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart. `core` are all words that carry something, `place` those that tell where, in order."""

    key: str
    words: frozenset[str]
    core: frozenset[str]
    place: tuple[str, ...]
    bodies: frozenset[str]
    numbers: frozenset[str]
    is_county: bool

    @property
    def compact(self) -> str:
        """The place without spaces: `Miami Dade` and `Miami-Dade` and `Miamidade` are one."""
        return "".join(self.place)


@lru_cache(maxsize=16_384)
def parse(agency: str, state: str | None, county: str | None = None) -> Name:
    """Take an agency name apart.

    The state's own name is no part of the place, unless the place is named like it (Iowa County, Iowa). A name without
    any place (`State Constable, 4th District`) is placed by its COUNTY cell, if there is one.
    """
    words: list[str] = []
    for word in fold(agency.replace("/", " ").replace("&", " and ")).split():
        words += _EXPANSIONS.get(word, word).split()
    words = [_known_word(word) for word in words]
    words = [w for w, after in zip_longest(words, words[1:]) if not (w in _OF and after == "of")] or words
    own = tuple(fold(states()[state].name).split()) if state in states() else ()
    words = [next((w for w in own if _slipped(word, w)), word) for word in words]
    if len(words) > 1 and state and words[0] == _EXPANSIONS.get(state.lower(), state.lower()):
        words[:1] = own
    local = bool({"county", "parish", "city"} & set(words))
    telling = [
        w for w in words if w not in _FILLER and w not in _GENERIC and w not in _BODIES and not _ORDINAL.match(w)
    ]
    place = tuple(w for w in telling if w not in own) or (tuple(telling) if local else ())
    if not place and county:
        place = tuple(county_base(county).split())
    return Name(
        key=" ".join(words),
        words=frozenset(w for w in words if w not in _FILLER),
        core=frozenset(w for w in words if w not in _FILLER and w not in own) | frozenset(place),
        place=place,
        bodies=frozenset(_BODIES[w] for w in words if w in _BODIES),
        numbers=frozenset(m.group(1) for w in words if (m := _ORDINAL.match(w))),
        is_county=bool({"county", "parish"} & set(words)),
    )


def _slipped(word: str, own: str) -> bool:
    """Whether a word is one of the state's own name misspelt (`Soauth Dakota`)."""
    return word != own and len(own) >= 5 and OSA.distance(word, own, score_cutoff=2) <= _edits(own)


@lru_cache(maxsize=4096)
def _known_word(word: str) -> str:
    """A slip in a word that many names share, mended (`constbales`, `departent`); the word itself otherwise."""
    if len(word) < 5 or word in _KNOWN_WORDS or word in _NO_SLIPS:
        return word
    limit = 1 if len(word) < 8 else 2
    near = [known for known in _KNOWN_WORDS if OSA.distance(word, known, score_cutoff=limit) <= limit]
    return _EXPANSIONS.get(near[0], near[0]) if near and " " not in near[0] else word


def of(values: Values) -> Name:
    """The name of a row, taken apart."""
    return parse(values.agency, values.state, values.county)


def base(values: Values) -> str:
    """The key by which two rows name one agency beyond doubt: typography and abbreviations apart, all words equal."""
    return of(values).key


def compare(one: Values, other: Values) -> Likeness:
    """How the agency names of two rows relate.

    Numbers must agree (`Precinct 3` is not `Precinct 4`). A misspelling is a few edits in a long word and one in a
    short one, and never lies between two real counties of the state: Bay and Clay are two letters apart.
    """
    a, b = of(one), of(other)
    if a.key == b.key:
        return Likeness.RELATED if not a.is_county and two_counties(one, other) else Likeness.EQUAL
    if a.numbers != b.numbers:
        return Likeness.RELATED if a.place and a.place == b.place else Likeness.DIFFERENT
    if one.state != other.state and a.words != b.words and not _is_slip(a, one.state, b, other.state):
        return Likeness.DIFFERENT
    if a.core == b.core:
        return Likeness.REWORDED
    if a.place and (set(a.place) == set(b.place) or a.compact == b.compact):
        return Likeness.REWORDED if a.bodies == b.bodies else Likeness.SAME_PLACE
    if two_counties(one, other):
        return Likeness.DIFFERENT
    likeness = _compare_places(a, one.state, b, other.state)
    return likeness if a.bodies == b.bodies else min(likeness, Likeness.RELATED)


def _compare_places(a: Name, a_state: str | None, b: Name, b_state: str | None) -> Likeness:
    if _is_slip(a, a_state, b, b_state):
        return Likeness.MISSPELT
    small, large = sorted((set(a.place), set(b.place)), key=len)
    if small and small < large:
        return Likeness.CONTAINED
    alike = OSA.normalized_similarity(a.compact, b.compact) >= _ALIKE if a.place and b.place else a_state == b_state
    return Likeness.RELATED if small & large or alike else Likeness.DIFFERENT


_ALIKE = 0.65
"""Brookfield and Brookford share this much, Baker and Lake do not. Two bodies of one state without a place do, too."""


def _is_slip(a: Name, a_state: str | None, b: Name, b_state: str | None) -> bool:
    """Whether one place is the other misspelt: word by word, one edit in up to seven letters, two in longer words.

    Where exactly one of them is a county of the state, the other is called a county and does not exist: two edits more,
    though never more than half its letters. Where a word was split or joined, two edits in all. A state's name in one
    of the two is no slip (Florida Atlantic).
    """
    shorter = min(a.compact, b.compact, key=len)
    if len(shorter) < 3 or _state_words(a, a_state) != _state_words(b, b_state):
        return False
    if a.is_county and b.is_county and _invented(a, a_state) != _invented(b, b_state):
        limit = min(_edits(shorter) + 2, len(shorter) // 2)
        return bool(OSA.distance(a.compact, b.compact, score_cutoff=limit) <= limit)
    if len(a.place) != len(b.place):
        return len(shorter) > 5 and bool(OSA.distance(a.compact, b.compact, score_cutoff=2) <= 2)
    return all(
        OSA.distance(x, y, score_cutoff=2) <= _edits(min(x, y, key=len)) for x, y in zip(a.place, b.place, strict=True)
    )


def _edits(word: str) -> int:
    return 0 if len(word) <= 3 else 1 if len(word) <= 7 else 2


def _state_words(name: Name, state: str | None) -> frozenset[str]:
    known = states().get(state or "")
    return name.words & frozenset(fold(known.name).split()) if known else frozenset()


def _invented(name: Name, state: str | None) -> bool:
    return name.is_county and not is_county(state, " ".join(name.place))


def two_counties(one: Values, other: Values) -> bool:
    """Whether two rows lie in two different counties that both exist, by their names or by their COUNTY cells."""
    a, b = of(one), of(other)
    if (a.is_county or b.is_county) and a.place != b.place and _exist(one.state, a.place, other.state, b.place):
        return True
    cells = tuple(county_base(one.county or "").split()), tuple(county_base(other.county or "").split())
    return cells[0] != cells[1] and _exist(one.state, cells[0], other.state, cells[1])


def _exist(one_state: str | None, one: tuple[str, ...], other_state: str | None, other: tuple[str, ...]) -> bool:
    return is_county(one_state, " ".join(one)) and is_county(other_state, " ".join(other))
