"""Where the agencies of the real lists are: how many have a county, and whether it is the one that ICE prints."""

import csv
import random
from collections.abc import Iterator
from functools import cache
from importlib import resources

from pipeline.reading.gazetteer import Basis, counties, locate
from pipeline.reading.normalize import Reading, interpret
from pipeline.reading.workbook import read
from tests.archive import ARCHIVE, archived_workbooks, needs_archive

pytestmark = needs_archive

Agency = tuple[str | None, str | None, str, str | None]


@cache
def newest() -> Reading:
    """The participating list that was seen last."""
    with (ARCHIVE / "manifest.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if "participating" in row["file_name"].lower()]
    return interpret(read((ARCHIVE / max(rows, key=lambda row: row["seen_at"])["path"]).read_bytes()))


def agencies(reading: Reading) -> Iterator[Agency]:
    for one in reading.listings:
        yield one.values.state, one.values.county, one.values.agency, one.values.agency_type


def current() -> list[Agency]:
    """The agreements of county and municipal agencies on the newest list, one by one."""
    return [agency for agency in agencies(newest()) if agency[3] in ("County", "Municipality")]


def census_names() -> dict[str, set[str]]:
    """FIPS code -> the names in the Census Bureau's list, straight from the table of states and of counties."""
    folder = resources.files("pipeline.reading")
    with folder.joinpath("states.csv").open(encoding="utf-8") as lines:
        state = {row["postal"]: row["fips"] for row in csv.DictReader(lines)}
    names: dict[str, set[str]] = {}
    with folder.joinpath("counties.csv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            names.setdefault(state[row["state"]] + row["fips"], set()).add(row["name"])
    return names


def plain(name: str) -> str:
    return "".join(c for c in name.lower().replace("saint", "st") if c.isalpha())


def test_97_in_100_county_and_municipal_agreements_have_a_county() -> None:
    found = [locate(*agency) for agency in current()]
    assert len(found) > 1000
    assert sum(one.county_fips is not None for one in found) / len(found) >= 0.97


def test_the_county_of_a_hundred_agreements_is_the_one_that_ice_prints() -> None:
    names = census_names()
    printed = sorted({agency for agency in current() if agency[1]}, key=str)
    for agency in random.Random(287).sample(printed, 100):
        found = locate(*agency)
        if found.basis is Basis.LISTED:
            assert plain(agency[1] or "") in {plain(name) for name in names[found.county_fips or ""]}, agency
        elif found.county_fips:
            assert agency[:3] in ERRORS, agency


def test_blind_to_ices_county_the_agencys_name_gives_the_same_but_for_the_errors_of_the_lists() -> None:
    different = set()
    same = 0
    lists = [newest(), *(interpret(read(path.read_bytes())) for path in archived_workbooks(0, 5))]
    for agency in sorted({agency for one in lists for agency in agencies(one) if agency[1]}, key=str):
        state, county, name, agency_type = agency
        blind = locate(state, None, name, agency_type).county_fips
        if blind is None or agency_type == "State Agency":
            continue
        if plain(counties()[blind].name) == plain(county or ""):
            same += 1
        else:
            different.add((state, county, name))
    assert same > 700
    assert different <= set(ERRORS), different - set(ERRORS)


ERRORS = [
    ("AR", "Bowie County", "Texarkana Police Department"),
    ("AR", "Layafette County", "Lafayette County Sheriff's Office"),
    ("FL", "Flagere County", "Bunnell Police Department"),
    ("GA", "Monroe County", "Monroe Police Department"),
    ("LA", "German Coast County", "St. Charles Parish Sheriff's Office"),
    ("MO", "Montgomery County", "Wheaton Police Department"),
    ("PA", "Bedford County", "Bradford County Sheriff's Office"),
    ("SC", "Lackawanna County", "Scranton Police Department"),
    ("TN", "Macon County", "Madison County Sheriff's Office"),
    ("TN", "Sparta-White County", "Sparta Police Department"),
    ("TX", "Fall County", "Marlin Police Department"),
    ("TX", "Yoakum County", "Yoakum Police Department"),
    # In Virginia the reader takes these counties for the cities of their names.
]
