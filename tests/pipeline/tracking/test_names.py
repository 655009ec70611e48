"""Which spellings name one agency, and which are two."""

from dataclasses import replace

import pytest

from db.records import Values
from pipeline.tracking.names import Likeness, compare

_NOBODY = Values(None, "", None, None, None, None, None, None)


def _row(agency: str, state: str, county: str | None = None) -> Values:
    return replace(_NOBODY, agency=agency, state=state, county=county)


@pytest.mark.parametrize(
    ("state", "one", "other", "likeness"),
    [
        ("FL", "Gulfport PD", "Gulfport Police Department", Likeness.EQUAL),
        ("FL", "Palm Beach Gardens Police Dept.", "Palm Beach Gardens Police Department", Likeness.EQUAL),
        ("PA", "Franklin County Sheriffs Office", "Franklin County Sheriff’s Office", Likeness.EQUAL),
        ("FL", "St Johns County Sheriff's Office", "St. Johns County Sheriff's Office", Likeness.EQUAL),
        ("FL", "Alachua Police Departent", "Alachua Police Department", Likeness.EQUAL),
        ("PA", "Coolspring Township Constbales Office", "Coolspring Township Constable's Office", Likeness.EQUAL),
        ("VA", "Department of State Police", "Virginia Department of State Police", Likeness.REWORDED),
        ("MT", "MT Dept of Justice", "Montana Department of Justice", Likeness.EQUAL),
        ("FL", "City of Hialeah Police Department", "Hialeah Police Department", Likeness.REWORDED),
        ("FL", "Miami Dade Sheriff's Office", "Miami-Dade Sheriff's Office", Likeness.EQUAL),
        ("WY", "Wyoming Highway State Patrol", "Wyoming State Highway Patrol", Likeness.REWORDED),
        ("SC", "Lexington County Sheriff's Office", "Lexington County Sheriff's Department", Likeness.REWORDED),
        ("PA", "Quarryville Police Department", "Quarryville Borough Police Department", Likeness.REWORDED),
        ("MN", "Freedom County Sheriff's Office", "Freeborn County Sheriff's Office", Likeness.MISSPELT),
        ("FL", "Macro Island Police Department", "Marco Island Police Department", Likeness.MISSPELT),
        ("IN", "Green Forks Police Department", "Greens Fork Police Department", Likeness.MISSPELT),
        ("TX", "Lampass County Sheriff's Office", "Lampasas County Sheriff's Office", Likeness.MISSPELT),
        ("AZ", "Pinal County Sheriff's Office", "Pinal County Attorney's Office", Likeness.SAME_PLACE),
        ("FL", "Gulf County BOCC", "Gulf County Sheriff's Office", Likeness.SAME_PLACE),
        ("FL", "Baker County Sheriff's Office", "Lake County Sheriff's Office", Likeness.DIFFERENT),
        ("FL", "Bay County Sheriff's Office", "Clay County Sheriff's Office", Likeness.DIFFERENT),
        ("FL", "Melbourne Police Department", "Melbourne Beach Police Department", Likeness.CONTAINED),
        ("FL", "Lady Lake Police Department", "Lake City Police Department", Likeness.RELATED),
        ("FL", "Dade City Police Department", "Lake City Police Department", Likeness.RELATED),
        ("FL", "Winter Haven Police Department", "Winter Garden Police Department", Likeness.RELATED),
        ("FL", "Atlantis Police Department", "Florida Atlantic Police Department", Likeness.RELATED),
        ("TX", "Harris County Constable Precinct 3", "Harris County Constable Precinct 4", Likeness.RELATED),
    ],
)
def test_two_spellings_are_one_agency_only_where_they_must_be(
    state: str, one: str, other: str, likeness: Likeness
) -> None:
    assert compare(_row(one, state), _row(other, state)) is likeness
    assert compare(_row(other, state), _row(one, state)) is likeness


def test_the_corrections_departments_of_two_states_are_not_one_agency() -> None:
    one, other = _row("Virginia Department of Corrections", "VA"), _row("Oklahoma Department of Corrections", "OK")
    assert compare(one, other) is Likeness.DIFFERENT


def test_a_name_without_a_place_is_placed_by_its_county() -> None:
    one = _row("Tennessee State Constable 4th District", "TN", "Polk County")
    other = _row("Polk County Constable District 4", "TN", "Polk County")
    assert compare(one, other) is Likeness.REWORDED


def test_two_counties_in_the_county_cells_part_two_similar_names() -> None:
    one = _row("Jasper County Sheriff's Office", "TX", "Jasper County")
    assert compare(one, _row("Palmer County Sheriff's Office", "TX", "Parmer County")) is Likeness.DIFFERENT
