"""Where an agency is: the rules one by one, the tables, and places that anybody can look up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading import places
from pipeline.reading.gazetteer import Basis, Whereabouts, centre, counties, locate, place_key
from pipeline.reading.places import states

NOBODY = {Basis.STATEWIDE, Basis.SEVERAL, Basis.UNKNOWN}


def where(state: str, agency: str, county: str | None = None, agency_type: str = "Municipality") -> tuple[str, str]:
    """The county's name and how it is known."""
    found = locate(state, county, agency, agency_type)
    return counties()[found.county_fips].name if found.county_fips else "", found.basis


@pytest.mark.parametrize(
    ("state", "agency", "county", "name"),
    [
        ("FL", "Hillsborough County Sheriff's Office", "Hillsborough County", "Hillsborough County"),
        ("LA", "Calacasieu Parish Sheriff's Office", "Calcasieu Parish", "Calcasieu Parish"),
        ("FL", "Lake County Sheriff's Office", "Lake Conty", "Lake County"),
        ("MT", "Custer Sheriff's Office", "Custer Countey", "Custer County"),
        ("VA", "Hopewell County Sheriff's Office", "Hopewell city", "Hopewell city"),
        ("VA", "Roanoke Police Department", "Roanoke city", "Roanoke city"),
        ("FL", "Santa Fe College Police Department", "Alachua County", "Alachua County"),
        ("GA", "Alto Police Department", "Banks County", "Banks County"),
        ("PA", "Manor Township Police Department", "Armstrong County", "Armstrong County"),
        ("TX", "Palmer County Sheriff's Office", "Parmer County", "Parmer County"),
        ("CT", "Danbury Police Department", "Fairfield County", "Fairfield County"),
        (
            "CT",
            "Danbury Police Department",
            "Western Connecticut Planning Region",
            "Western Connecticut Planning Region",
        ),
    ],
)
def test_ices_county_is_taken_up_to_one_slip(state: str, agency: str, county: str, name: str) -> None:
    assert where(state, agency, county) == (name, Basis.LISTED)


@pytest.mark.parametrize(
    ("state", "agency", "name"),
    [
        ("LA", "Bossier Parish Sheriff's Office", "Bossier Parish"),
        ("LA", "East Baton Rouge Parish Sheriff's Office", "East Baton Rouge Parish"),
        ("FL", "Indian River County Sheriff's Office", "Indian River County"),
        ("FL", "St Johns County Sheriff's Office", "St. Johns County"),
        ("FL", "Miami Dade Corrections and Rehabilitation", "Miami-Dade County"),
        ("SD", "Minehaha County Sheriff's Office", "Minnehaha County"),
        ("OK", "Texas County's Sheriff's Office", "Texas County"),
        ("AK", "Kodiak Island Borough Police", "Kodiak Island Borough"),
        ("MO", "St. Louis County Police Department", "St. Louis County"),
        ("VA", "Roanoke County Sheriff's Office", "Roanoke County"),
        ("MD", "Baltimore County Police Department", "Baltimore County"),
    ],
)
def test_without_a_county_cell_the_agencys_own_name_tells(state: str, agency: str, name: str) -> None:
    assert where(state, agency, agency_type="County") == (name, Basis.NAME)


@pytest.mark.parametrize(
    ("state", "agency", "fips"),
    [
        ("FL", "Apopka Police Department", "12095"),
        ("FL", "Hialeah Police Department", "12086"),
        ("FL", "Key West Police Department", "12087"),
        ("FL", "City of Miami Police Department", "12086"),
        ("FL", "Jacksonville Sheriff's Office", "12031"),
        ("FL", "Ft. Myers Police Department", "12071"),
        ("FL", "Haines City Police Department", "12105"),
        ("FL", "Indian Creek Village Department of Public Safety", "12086"),
        ("FL", "Florida State College at Jacksonville Police Department", "12031"),
        ("FL", "Port Saint Lucie Police Department", "12111"),
        ("FL", "Pensacola Police Department", "12033"),
        ("AZ", "Mesa Police Department", "04013"),
        ("ND", "Dickinson Police Department", "38089"),
        ("NH", "Carroll Police Department", "33007"),
        ("NH", "Pittsburgh Police Department", "33007"),
        ("PA", "Manheim Borough Police Department", "42071"),
        ("PA", "Constable Unity Township", "42129"),
        ("PA", "Lower Burrell Fourth Ward Constable", "42129"),
        ("LA", "Kenner Police Department", "22051"),
        ("AK", "Kodiak Police Department", "02150"),
        ("MO", "St. Louis Metropolitan Police Department", "29510"),
        ("VA", "Roanoke Police Department", "51770"),
        ("MD", "Baltimore Police Department", "24510"),
        ("CO", "Denver Police Department", "08031"),
        ("CT", "Danbury Police Department", "09001"),
    ],
)
def test_an_agency_named_for_a_city_is_in_the_citys_county(state: str, agency: str, fips: str) -> None:
    assert locate(state, None, agency, "Municipality") == Whereabouts(fips, Basis.PLACE)


@pytest.mark.parametrize(
    ("state", "agency", "county", "name", "basis"),
    [
        ("PA", "Bradford County Sheriff's Office", "Bedford County", "Bradford County", Basis.NAME),
        ("TN", "Madison County Sheriff's Office", "Macon County", "Madison County", Basis.NAME),
        ("VA", "Franklin County Sheriff's Office", "Franklin city", "Franklin County", Basis.NAME),
        ("LA", "St. Charles Parish Sheriff's Office", "German Coast County", "St. Charles Parish", Basis.NAME),
        ("SC", "Scranton Police Department", "Lackawanna County", "Florence County", Basis.PLACE),
        ("GA", "Monroe Police Department", "Monroe County", "Walton County", Basis.PLACE),
        ("AR", "Texarkana Police Department", "Bowie County", "Miller County", Basis.PLACE),
        ("TN", "Sparta Police Department", "Sparta-White County", "White County", Basis.PLACE),
    ],
)
def test_where_ices_county_contradicts_the_agencys_name_the_name_is_believed(
    state: str, agency: str, county: str, name: str, basis: Basis
) -> None:
    assert where(state, agency, county) == (name, basis)


@pytest.mark.parametrize(
    ("state", "agency"),
    [
        ("FL", "Longboat Key Police Department"),
        ("NY", "New York Police Department"),
        ("TX", "Houston Police Department"),
        ("MO", "Kansas City Police Department"),
        ("PA", "Union Township Police Department"),
        ("VA", "Richmond Sheriff's Office"),
        ("VA", "Rappahannock, Shenandoah, Warren Regional Jail Authority"),
        ("VA", "Southwest Virginia Regional Jail Authority"),
        ("FL", "Sarasota Manatee Airport Authority Police Department"),
        ("IA", "Polk County and Story County Task Force"),
    ],
)
def test_a_city_in_two_counties_or_a_name_of_two_cities_is_several_and_no_county_is_given(
    state: str, agency: str
) -> None:
    assert locate(state, None, agency, "Municipality") == Whereabouts(None, Basis.SEVERAL)


@pytest.mark.parametrize(
    ("state", "agency", "county"),
    [
        ("FL", "Florida Department of Law Enforcement", None),
        ("FL", "Office of Agricultural Law Enforcement", None),
        ("ID", "Idaho State Police", "Jerome County"),
        ("MS", "Department of Public Safety", "Hinds County"),
        ("OK", "Oklahoma Department of Corrections", None),
        ("GU", "Office Of The Attorney General", "Kattan District"),
    ],
)
def test_a_states_agency_is_statewide_even_where_ice_prints_the_county_of_its_seat(
    state: str, agency: str, county: str | None
) -> None:
    assert locate(state, county, agency, "State Agency") == Whereabouts(None, Basis.STATEWIDE)


def test_a_state_police_is_statewide_under_any_type() -> None:
    assert where("WV", "West Virginia State Police Department", "Washington County") == ("", Basis.STATEWIDE)
    assert where("AR", "Arkansas State Police Department", "Pulaski County") == ("", Basis.STATEWIDE)


@pytest.mark.parametrize(
    ("state", "agency", "county", "found"),
    [
        (
            "FL",
            "District Board of Trustees of Pensacola State College",
            "Escambia County",
            ("Escambia County", "listed"),
        ),
        ("MI", "Center Line Division of Public Safety and Security", "Macomb County", ("Macomb County", "listed")),
        ("FL", "City of Miami Police Department", None, ("Miami-Dade County", "place")),
        ("AR", "16th Judicial Distric Drug Task Force", "Independence County", ("", "several")),
        ("FL", "Office of the State Attorney Sixth Judicial Circuit", None, ("", "several")),
        ("FL", "University of Florida Police Department", None, ("", "unknown")),
    ],
)
def test_colleges_cities_and_circuits_under_the_type_of_a_state_agency_are_not_statewide(
    state: str, agency: str, county: str | None, found: tuple[str, str]
) -> None:
    assert where(state, agency, county, "State Agency") == found


@pytest.mark.parametrize(
    ("state", "agency", "county"),
    [
        ("FL", "University of Florida Police Department", None),
        ("FL", "Florida International University Police Department", None),
        ("FL", "Tallahassee State College Police Department", None),
        ("FL", "Sanford Airport Police Department", None),
        ("FL", "Sunny Isles Police Department", None),
        ("PA", "Northwest Regional Police Department", None),
        ("GA", "Spaulding County Sheriff's Office", None),
        ("FL", "Kershaw County Sheriff's Office", "Kershaw County"),
        ("MN", "Freedom County Sheriff's Office", "Freedom County"),
        ("VA", "Western Virginia Jail", "Roanoke city"),
        ("FL", "North Lake County Fire District", None),
        ("XX", "Orange County Sheriff's Office", "Orange County"),
    ],
)
def test_what_nothing_settles_is_unknown(state: str, agency: str, county: str | None) -> None:
    assert locate(state, county, agency, "County") == Whereabouts(None, Basis.UNKNOWN)


def test_a_city_whose_type_and_county_say_that_it_is_a_county_is_neither() -> None:
    assert where("TX", "Yoakum Police Department", "Yoakum County", "County") == ("", Basis.SEVERAL)
    assert where("TX", "Yoakum Police Department", "Lavaca County") == ("Lavaca County", Basis.LISTED)


def test_an_unknown_state_gives_nothing() -> None:
    assert locate(None, "Orange County", "Orange County Sheriff's Office", "County") == Whereabouts(None, Basis.UNKNOWN)


def test_connecticut_has_its_counties_until_2022_and_its_planning_regions_since() -> None:
    connecticut = [one for one in counties().values() if one.state == "CT"]
    assert [one.fips for one in connecticut if one.until == 2022] == [f"09{n:03}" for n in range(1, 16, 2)]
    assert [one.fips for one in connecticut if one.since == 2022] == [f"09{n}" for n in range(110, 191, 10)]
    assert len(connecticut) == 17


def test_every_code_says_its_state_and_every_point_lies_near_it() -> None:
    assert len(counties()) == 3245
    for fips, one in counties().items():
        assert (fips, len(fips), fips[:2]) == (one.fips, 5, states()[one.state].fips)
        assert -90 < one.latitude < 90
        assert -180 <= one.longitude <= 180
    for state in states():
        latitude, longitude = centre(state)
        assert (round(latitude, 4), round(longitude, 4)) == (latitude, longitude)
        distances = [
            abs(one.latitude - latitude) + abs(one.longitude - longitude)
            for one in counties().values()
            if one.state == state
        ]
        assert min(distances) < 4.5, state


@pytest.mark.parametrize(
    ("fips", "name", "latitude", "longitude"),
    [
        ("12095", "Orange County", 28.51, -81.32),
        ("24510", "Baltimore city", 39.30, -76.61),
        ("66010", "Guam", 13.44, 144.77),
        ("72127", "San Juan Municipio", 18.42, -66.06),
        ("09001", "Fairfield County", 41.27, -73.39),
        ("36047", "Kings County", 40.64, -73.94),
        ("46102", "Oglala Lakota County", 43.34, -102.55),
    ],
)
def test_a_county_has_its_present_name_and_a_point_inside_it(
    fips: str, name: str, latitude: float, longitude: float
) -> None:
    county = counties()[fips]
    assert county.name == name
    assert (county.latitude, county.longitude) == pytest.approx((latitude, longitude), abs=0.1)


def test_the_county_names_that_identity_rests_on_have_not_changed() -> None:
    assert sum(len(known) for known in places.counties().values()) == 3236
    assert places.resolve_county("CT", "Capitol Planning Region") is None
    assert places.resolve_county("CT", "Fairfield County") == "Fairfield County"
    assert not places.is_county("AK", "chugach")


def test_two_spellings_of_a_place_have_one_key() -> None:
    assert place_key("Ft. Myers") == place_key("Fort Myers")
    assert place_key("Port St. Lucie") == place_key("Port Saint Lucie")
    assert place_key("De Land") == place_key("DeLand")
    assert place_key("Howey-in-the-Hills") == place_key("Howey in the Hills")


WORDS = st.sampled_from(
    ["Orange", "County", "Sheriff's", "Office", "City of", "St.", "Police", "Department", "University", "at", "Lake",
     "Township", "Constable", "Regional Jail", "State", "Baltimore", "Roanoke", "and", "Counties", "Ward", "’", "#"]
)  # fmt: skip
NAMES = st.text(max_size=40) | st.lists(WORDS, max_size=6).map(" ".join)


@given(
    state=st.none() | st.sampled_from(sorted(states())) | st.text(max_size=3),
    county=st.none() | NAMES | st.sampled_from(sorted({one.name for one in counties().values()})),
    agency=NAMES | st.sampled_from(sorted({one.name for one in counties().values()})),
    agency_type=st.none() | st.sampled_from(["County", "Municipality", "State Agency"]) | st.text(max_size=5),
)
def test_any_text_gives_a_county_of_that_state_or_a_reason_why_none(
    state: str | None, county: str | None, agency: str, agency_type: str | None
) -> None:
    found = locate(state, county, agency, agency_type)
    assert (found.county_fips is None) == (found.basis in NOBODY)
    if found.county_fips is not None:
        assert state is not None
        assert counties()[found.county_fips].state == state
        assert found.county_fips.startswith(states()[state].fips)


@given(fips=st.sampled_from(sorted(counties())))
def test_every_counties_own_sheriff_is_in_it(fips: str) -> None:
    county = counties()[fips]
    if county.until is None and county.name.endswith((" County", " Parish")):
        assert locate(county.state, None, f"{county.name} Sheriff's Office", "County").county_fips == fips
        assert locate(county.state, county.name, "Sheriff", "County").county_fips == fips
