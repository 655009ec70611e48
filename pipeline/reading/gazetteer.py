"""Where an agency is: the county FIPS code that ICE's COUNTY cell or the agency's own name gives, or why there is none.

The tables beside this file are cut from the Census Bureau's files by tools/cut_places.py; docs/places.md gives sources,
editions, the rules in their order and how often they are right. Nothing is guessed between two counties.
"""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from importlib import resources
from itertools import chain, islice
from types import MappingProxyType

from rapidfuzz.distance import OSA

from pipeline.reading.places import county_base, fold, states


@dataclass(frozen=True, slots=True)
class County:
    """A county or its equivalent: five-digit FIPS code, postal code of the state, Census name, and a point inside it.

    Latitude and longitude are degrees WGS 84, rounded to four digits. `since` and `until` are the years in which the
    Census Bureau took it up and dropped it: Connecticut's counties end and its planning regions begin in 2022.
    """

    fips: str
    state: str
    name: str
    latitude: float
    longitude: float
    since: int | None = None
    until: int | None = None


class Basis(StrEnum):
    """How an agency's county is known, or why it is not."""

    LISTED = "listed"  # ICE's COUNTY cell names it
    NAME = "name"  # the agency's own name says it
    PLACE = "place"  # the city or township that the agency is named for lies in it
    STATEWIDE = "statewide"  # no county: the agency serves the whole state
    SEVERAL = "several"  # no county: more than one comes into question
    UNKNOWN = "unknown"  # no county: nothing says which


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """An agency's county and how it is known; no county for STATEWIDE, SEVERAL and UNKNOWN."""

    county_fips: str | None
    basis: Basis


@dataclass(frozen=True, slots=True)
class _Place:
    """A city or township: its kind (one letter, as in cities.csv), its counties and those close by, as FIPS codes."""

    kind: str
    counties: frozenset[str]
    near: frozenset[str]


_SHORTER = {"saint": "st", "sainte": "ste", "fort": "ft", "mount": "mt"}
_BETWEEN_WORDS = str.maketrans("-/", "  ")
_PLAIN = str.maketrans("-/", "  ", ".'")
_DROPPED = str.maketrans("", "", " .'’")
_COUNTY_KIND = re.compile(r" (?:County|Parish|Borough|Census Area|Municipality|Municipio|City and Borough|city|City)$")
_COUNTY_SLIP = re.compile(r"^(?:conty|couty|couny|countey|coutny|cuonty|counnty|countty|counry|countys)$")
_COMPASS = frozenset({"north", "south", "east", "west", "new", "upper", "lower", "northern", "southern", "central"})

_LEAD = re.compile(
    r"^(?:(?:\w+ ){0,2}state constables? office |office of (?:the )?(?:state )?constables? "
    r"|constables? (?:office )?(?:of )?|police department of (?:the )?|police of (?:the )?)"
)
_KIND_OF = re.compile(r"^(city|town|village|borough|township) of (?:the )?")
_ORGANISATION = re.compile(
    r"(?:^| )(?:police|pd|public safety|department|dept|division|marshals?|constab\w*|constbales|office|sheriffs?|"
    r"special police|pa state constable|state constable)(?: |$)"
)
_WARD = re.compile(r" (?:\w+ (?:ward|precinct|district)|(?:ward|precinct|pct|district) \w+)$")
_KIND_WORDS = {
    "township": "w", "twp": "w", "borough": "b", "boro": "b", "village": "v", "town": "t", "city": "c",
}  # fmt: skip
_SHARED = re.compile(
    r"\b(?:regional|district|joint|interlocal|multi county) (?:jail|correction|correctional|detention)"
)
_CIRCUIT = re.compile(r"\bjudicial (?:circuit|district?)\b")
_NO_CITY = re.compile(
    r"\b(?:universit\w*|college|school|isd|airport|transit|railroad|railway|hospital|tribal|tribe|nation|regional|"
    r"authority|district)\b"
)
_COLLEGE = re.compile(r"\b(?:university|college)\b")
_STATE_POLICE = re.compile(
    r"^(?:state police|state (?:highway )?patrol|highway (?:state )?patrol|department of public)\b"
)


@cache
def counties() -> Mapping[str, County]:
    """All counties and equivalents by FIPS code, with those that the Census Bureau has dropped since 2010.

    Under the present name where the list has a former or another one too (Kings County, not Brooklyn).
    """
    found: dict[str, County] = {}
    for row in _rows("counties.csv"):
        state, fips, name, latitude, longitude, since, until, _, names = row
        if names:
            continue
        code = states()[state].fips + fips
        years = int(since) if since else None, int(until) if until else None
        found[code] = County(code, state, name, float(latitude), float(longitude), *years)
    return MappingProxyType(found)


@cache
def centre(state: str) -> tuple[float, float]:
    """Latitude and longitude (degrees WGS 84) of a point in the middle of a state or territory's largest piece of land.

    Raises KeyError for what is no postal code.
    """
    return _centres()[state]


@cache
def _centres() -> dict[str, tuple[float, float]]:
    return {row[0]: (float(row[4]), float(row[5])) for row in _rows("states.csv")}


@lru_cache(maxsize=8192)
def locate(state: str | None, county: str | None, agency: str, agency_type: str | None) -> Whereabouts:
    """Where an agency is.

    `state` is a postal code, `county` what ICE's COUNTY cell says, `agency` the agency's name and `agency_type` ICE's
    type, all as the reader has cleaned them. The rules and their order are in docs/places.md; a county that is given
    is one of `counties()` and lies in `state`.
    """
    if state is None or state not in states():
        return Whereabouts(None, Basis.UNKNOWN)
    name = _without_state(fold(agency), state)
    cell = _listed(state, county)
    named = _counties_named(state, name)
    if named:
        return _one(named, Basis.NAME, cell)
    if agency_type == "State Agency" or _is_state_police(state, name):
        return _of_the_state(state, name, cell)
    if cell:
        return _checked(state, name, cell, agency_type)
    if named := _counties_named(state, name, slips=True) or _sheriffs_county(state, name):
        return _one(named, Basis.NAME, None)
    if place := _places_named(state, name) or _places_nearly_named(state, name):
        return _one(_all(one.counties for one in place), Basis.PLACE, None)
    several = _SHARED.search(name) or len(_bases_in(state, name)) > 1
    return Whereabouts(None, Basis.SEVERAL if several else Basis.UNKNOWN)


def place_key(text: str) -> str:
    """What two spellings of a place's name have in common: `Ft. Myers`, `Fort Myers`; `DeLand`, `De Land`."""
    return _key(fold(text).split())


def _key(words: Iterable[str]) -> str:
    return "".join([_SHORTER.get(word, word) for word in words])


def _rows(table: str) -> Iterator[list[str]]:
    text = resources.files(__package__).joinpath(table).read_text(encoding="utf-8")
    return islice(csv.reader(text.splitlines()), 1, None)


def _one(found: frozenset[str], basis: Basis, cell: str | None) -> Whereabouts:
    """The only county found, or the one among several that ICE lists."""
    if cell in found:
        return Whereabouts(cell, Basis.LISTED)
    if len(found) == 1:
        return Whereabouts(next(iter(found)), basis)
    return Whereabouts(None, Basis.SEVERAL)


def _all(codes: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset(chain.from_iterable(codes))


def _of_the_state(state: str, name: str, cell: str | None) -> Whereabouts:
    """A state's agency serves the whole state, unless it is a college or is named for a city or a judicial circuit."""
    if _CIRCUIT.search(name):
        return Whereabouts(None, Basis.SEVERAL)
    if _COLLEGE.search(name):
        return _checked(state, name, cell, None) if cell else _after_its_place(state, name, Basis.UNKNOWN)
    if name.startswith(fold(states()[state].name)):
        return Whereabouts(None, Basis.STATEWIDE)
    return _after_its_place(state, name, Basis.STATEWIDE, cell)


def _after_its_place(state: str, name: str, otherwise: Basis, cell: str | None = None) -> Whereabouts:
    """The county of the place that an agency is named for, and `otherwise` where it is named for none."""
    place = _places_named(state, name)
    return _one(_all(one.counties for one in place), Basis.PLACE, cell) if place else Whereabouts(None, otherwise)


def _checked(state: str, name: str, cell: str, agency_type: str | None) -> Whereabouts:
    """ICE's county, unless the city that the agency is named for lies in one county only and well away from ICE's.

    ICE has filled in the county of a namesake in another state (Scranton, SC: Lackawanna County; Wheaton, MO:
    Montgomery County). Where ICE's type, too, says that it is a county's agency, neither is believed (Yoakum Police
    Department, TX: Yoakum County, 400 miles from that city). A county of the same name as a city (Roanoke, Virginia)
    counts only with the name's consent.
    """
    place = _places_named(state, name)
    around = _all(one.counties | one.near for one in place)
    sure = _all(one.counties for one in place)
    if len(sure) == 1 and cell not in around and not counties()[cell].since:
        return _one(sure | {cell} if agency_type == "County" else sure, Basis.PLACE, None)
    if _is_twin_city(cell) and cell not in around:
        return Whereabouts(None, Basis.UNKNOWN)
    return Whereabouts(cell, Basis.LISTED)


def _without_state(name: str, state: str) -> str:
    """A folded agency name without the state's postal code at its end (`Unity Township Constable, PA`)."""
    return name.removesuffix(f" {state.lower()}")


def _is_state_police(state: str, name: str) -> bool:
    """Whether a name is a state's own police, whatever type ICE gives it (`Arkansas State Police Department`)."""
    whole = fold(states()[state].name) + " "
    return name.startswith(whole) and bool(_STATE_POLICE.match(name.removeprefix(whole)))


@cache
def _bases(state: str) -> dict[str, frozenset[str]]:
    """A state's counties by the name without its kind and without spaces; two for Roanoke County and Roanoke city."""
    found: dict[str, set[str]] = {}
    for one in _by_state()[state]:
        if not (one.until and one.until < 2022):
            found.setdefault(_county_key(one.name), set()).add(one.fips)
    return {base: frozenset(codes) for base, codes in found.items()}


def _county_key(name: str) -> str:
    """A Census name's `place_key` without the word that says what it is; few of them need the whole of `fold`."""
    stem = _COUNTY_KIND.sub("", name)
    return _key(stem.lower().translate(_PLAIN).split()) if name.isascii() else place_key(stem)


@cache
def _longest_base(state: str) -> int:
    """The most words that a county's name has in a state."""
    return max((len(one.name.split()) for one in _by_state()[state]), default=1)


@cache
def _by_state() -> dict[str, list[County]]:
    found: dict[str, list[County]] = {state: [] for state in states()}
    for one in counties().values():
        found[one.state].append(one)
    return found


def _is_twin_city(fips: str) -> bool:
    county = counties()[fips]
    twins = _bases(county.state).get(place_key(county_base(county.name)), ())
    return len(twins) > 1 and county.name.endswith(" city")


def _fitting(codes: frozenset[str], word: str) -> frozenset[str]:
    """Of a county and a city of one name, the one whose kind the text gives; both where it gives none."""
    if len(codes) < 2 or word not in ("county", "city"):
        return codes
    return frozenset(code for code in codes if counties()[code].name.lower().endswith(word))


@lru_cache(maxsize=4096)
def _listed(state: str, text: str | None) -> str | None:
    """The county that ICE's cell names, up to typography or one slip; None where that is none or two of the state's."""
    words = fold(text or "").split()
    if not words:
        return None
    if _COUNTY_SLIP.match(words[-1]):
        words[-1] = "county"
    base = _key(county_base(" ".join(words)).split())
    found = _fitting(_bases(state).get(base) or _one_slip_from(state, base), words[-1])
    return next(iter(found)) if len(found) == 1 else None


def _one_slip_from(state: str, base: str) -> frozenset[str]:
    """The county whose name is one edit away; empty below five letters, or where two are as near."""
    if len(base) < 5:
        return frozenset()
    near = [codes for name, codes in _bases(state).items() if OSA.distance(base, name, score_cutoff=1) <= 1]
    return near[0] if len(near) == 1 else frozenset()


@lru_cache(maxsize=4096)
def _counties_named(state: str, name: str, *, slips: bool = False) -> frozenset[str]:
    """The counties that a folded agency name calls by name and kind (`Hillsborough County`, `Bossier Parish`).

    With `slips`, also the one county that is one edit away (`Spaulding County`).
    """
    words = name.split()
    kinds = ("county", "parish", "borough") if state == "AK" else ("county", "parish")
    found: set[str] = set()
    for at, word in enumerate(words):
        kind = "county" if _COUNTY_SLIP.match(word) else word
        if at and kind in kinds:
            codes = _one_slip_from(state, _key(words[:at])) if slips else _base_before(state, words[:at])
            found |= _fitting(codes, kind)
    return frozenset(found)


def _base_before(state: str, words: list[str]) -> frozenset[str]:
    """The county whose name these words end in, the longest that fits; not `Lake` for `North Lake`."""
    for start in range(max(0, len(words) - _longest_base(state)), len(words)):
        if codes := _bases(state).get(_key(words[start:])):
            return codes if not start or words[start - 1] not in _COMPASS else frozenset()
    return frozenset()


@lru_cache(maxsize=4096)
def _sheriffs_county(state: str, name: str) -> frozenset[str]:
    """The county that a name has at its beginning without saying that it is one (`Miami Dade Sheriff's Office`).

    Only before `sheriff` or `corrections`, which are a county's; a county and a city of one name stay two.
    """
    match = re.match(r"(.+?) (?:sheriffs?|corrections?)\b", name)
    return _bases(state).get(_key(match[1].split()), frozenset()) if match else frozenset()


def _bases_in(state: str, name: str) -> frozenset[str]:
    """The counties whose names occur among the words of a name."""
    words = name.split()
    found: set[str] = set()
    for start in range(len(words)):
        for end in range(min(len(words), start + 3), start, -1):
            if codes := _bases(state).get(_key(words[start:end])):
                found |= codes
                break
    return frozenset(found)


@cache
def _parts() -> dict[str, str]:
    """The lines of cities.csv by state; the table is in the order of the states."""
    text = resources.files(__package__).joinpath("cities.csv").read_text(encoding="utf-8")
    starts: list[tuple[str, int]] = []
    for state in sorted(states()):
        if (start := text.find(f"\n{state},", starts[-1][1] if starts else 0)) >= 0:
            starts.append((state, start + 1))
    ends = [start - 1 for _, start in starts[1:]] + [len(text) - 1]
    return {state: text[start:end] for (state, start), end in zip(starts, ends, strict=True)}


@cache
def _cities(state: str) -> dict[str, str]:
    """A state's cities and townships by `place_key`: the folded lines of cities.csv.

    A state's lines are folded in a few passes over the whole of them, as `place_key` would fold each name.
    """
    text = _parts().get(state, "").lower()
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = text.translate(_BETWEEN_WORDS)
    for word, short in _SHORTER.items():
        for before, after in ((",", " "), (" ", " "), (" ", ","), (",", ",")):
            text = text.replace(f"{before}{word}{after}", f"{before}{short}{after}")
    found: dict[str, str] = {}
    for line in text.translate(_DROPPED).splitlines():
        key = line[5 : line.index(",", 5)]
        found[key] = f"{found[key]}\n{line}" if key in found else line
    return found


def _places(lines: str) -> tuple[_Place, ...]:
    return tuple(_place(*line.split(",")) for line in lines.splitlines())


def _place(state: str, kind: str, _: str, inside: str, near: str) -> _Place:
    prefix = states()[state.upper()].fips
    codes = [frozenset(prefix + fips for fips in one.split(";") if fips) for one in (inside, near)]
    return _Place(kind, *codes)


@lru_cache(maxsize=4096)
def _places_named(state: str, name: str) -> tuple[_Place, ...]:
    """The cities or townships of the state that a folded agency name is called after; empty for none.

    A university, an airport or a regional police may lie elsewhere than its name says: for those only `... at CITY`
    counts.
    """
    if _NO_CITY.search(name):
        at = re.search(r"\b(?:college|university)(?: of [\w ]+)? at (.+)", name)
        return _called(state, _stem(at[1]), "") if at else ()
    stem, kind = _called_after(name)
    if places := _called(state, stem, kind):
        return places
    rest, _, word = stem.rpartition(" ")
    return _called(state, rest, _KIND_WORDS[word]) if rest and word in _KIND_WORDS else ()


def _places_nearly_named(state: str, name: str) -> tuple[_Place, ...]:
    """The places of the only name that is one edit away from what the agency is called after: seven letters or more."""
    key = _key(_called_after(name)[0].split())
    if len(key) < 7 or _NO_CITY.search(name):
        return ()
    near = [lines for other, lines in _cities(state).items() if OSA.distance(key, other, score_cutoff=1) <= 1]
    return _places(near[0]) if len(near) == 1 else ()


def _called_after(name: str) -> tuple[str, str]:
    """What a folded agency name says besides what the agency is, and `w` where it begins with `Township of`."""
    name = _LEAD.sub("", name)
    of = _KIND_OF.match(name)
    stem = _stem(name[of.end() :] if of else name).removesuffix(" metropolitan")
    return _WARD.sub("", stem), "w" if of and of[1] == "township" else ""


def _stem(name: str) -> str:
    """What stands before the word that says what the agency is."""
    match = _ORGANISATION.search(name)
    return (name[: match.start()] if match else name).strip()


def _called(state: str, stem: str, kind: str) -> tuple[_Place, ...]:
    """The places of a name; of townships or boroughs only where the name says so."""
    places = _places(_cities(state).get(_key(stem.split()), ""))
    return tuple(one for one in places if one.kind == kind) if kind in ("w", "b") else places
