"""Counting a list."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from db.records import ListName
from pipeline.reports import counts
from pipeline.reports.counts import By, Count
from pipeline.reports.record import Listed, Source, Standing, Terms

TFM, WSO = "Task Force Model", "Warrant Service Officer"
_SOURCE = Source(ListName.PARTICIPATING, "2025-12-31", "participatingAgencies12312025am.xlsx", "ab" * 32)


def _standing(*rows: tuple[str | None, str, str | None, str | None]) -> Standing:
    listed = [
        Listed(Terms(f"a-{n}", state, agency, None, None, model, signed, None, None), "2025-01-01", n)
        for n, (state, agency, model, signed) in enumerate(rows, 2)
    ]
    return Standing(_SOURCE, tuple(listed), len(listed))


LIST = _standing(
    ("TX", "Kerr County Sheriff's Office", TFM, "2025-05-06"),
    ("TX", "Kerr County Sheriff’s Office", WSO, "2025-06-01"),
    ("GU", "Guam Customs", TFM, "2019-03-01"),
    (None, "Somewhere Police", None, None),
)
EVER = ["2025-05-06", "2025-06-01", "2025-07-01", "2019-03-01", None]


def test_one_agency_with_two_agreements_is_one_agency() -> None:
    counted = counts.count(LIST, [])
    assert (counted.agencies, counted.states, counted.territories) == (3, 1, 1)


def test_years_count_those_listed_now_and_those_ever_listed() -> None:
    assert counts.count(LIST, [By.YEAR], EVER).by[By.YEAR] == (
        Count("2019", 1, 1),
        Count("2025", 2, 3),
        Count("not stated", 1, 1),
    )


def test_a_month_of_which_nothing_is_left_is_not_forgotten() -> None:
    assert Count("2025-07", 0, 1) in counts.count(LIST, [By.MONTH], EVER).by[By.MONTH]


def test_models_and_states_come_by_number() -> None:
    by = counts.count(LIST, [By.MODEL, By.STATE]).by
    assert by[By.MODEL] == (Count(TFM, 2), Count(WSO, 1), Count("not stated", 1))
    assert by[By.STATE] == (Count("Texas", 2), Count("Guam", 1), Count("not stated", 1))


def test_the_text_can_be_read_aloud() -> None:
    assert counts.text(counts.count(LIST, [By.YEAR], EVER)).splitlines() == [
        "4 agreements on the participating list of 2025-12-31 (participatingAgencies12312025am.xlsx)",
        "3 agencies in 1 state and 1 territory",
        "county code (FIPS) for 0, none for 4 (4 unknown)",
        "",
        "By year signed: in force, share of all in force, ever listed",
        "  2019        1   25.0%  1 ever listed",
        "  2025        2   50.0%  3 ever listed",
        "  not stated  1   25.0%  1 ever listed",
    ]


def test_it_says_for_how_many_the_county_code_is_known_and_why_not_for_the_rest() -> None:
    bases = ("listed", "name", "statewide", "several")
    codes = ("48265", "48265", None, None)
    listed = [replace(one, county_fips=f, county_basis=b) for one, f, b in zip(LIST.listed, codes, bases, strict=True)]
    counted = counts.count(replace(LIST, listed=tuple(listed)), [])

    said = "county code (FIPS) for 2 (1 listed, 1 name), none for 2 (1 statewide, 1 several)"
    assert said in counts.text(counted).splitlines()
    assert said in counts.markdown(counted).splitlines()
    assert json.loads(counts.json(counted))["county_code"] == {
        **dict.fromkeys(bases, 1),
        "place": 0,
        "unknown": 0,
    }


def test_counties_are_counted_by_the_census_and_what_has_none_says_why() -> None:
    codes = (("12095", "Orange County", "place"), ("12095", "Orange County", "listed"), (None, None, "several"), None)
    listed = [
        replace(one, **dict(zip(("county_fips", "county_name", "county_basis"), code, strict=True))) if code else one
        for one, code in zip(LIST.listed, codes, strict=True)
    ]
    assert counts.count(replace(LIST, listed=tuple(listed)), [By.COUNTY]).by[By.COUNTY] == (
        Count("Orange County, TX (12095)", 2),
        Count("no one county: several", 1),
        Count("no one county: unknown", 1),
    )


def test_an_empty_list_is_counted_too() -> None:
    empty = counts.count(_standing(), [By.MODEL])
    assert counts.text(empty).endswith("By model\n  none")
    assert json.loads(counts.json(empty))["by"] == {"model": []}
    assert counts.markdown(empty).count("|") == 8


def test_programs_get_the_same_numbers() -> None:
    counted = counts.count(LIST, [By.MODEL, By.YEAR], EVER)
    assert json.loads(counts.json(counted))["by"]["model"][0] == {"value": TFM, "agreements": 2, "ever": None}
    rows = list(csv.reader(io.StringIO(counts.csv(counted), newline="")))
    assert rows[:3] == [["by", "value", "agreements", "ever"], ["all", "", "4", ""], ["model", TFM, "2", ""]]
    assert "| 2025 | 2 | 50.0% | 3 |" in counts.markdown(counted)
    assert "| --- | ---: | ---: | ---: |" in counts.markdown(counted)
