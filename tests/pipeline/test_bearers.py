"""Which names may mean an agency, so that its absence cannot be said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.citing.bearers import may_be


@pytest.mark.parametrize(
    ("wanted", "state", "listed"),
    [
        ("Berrien County Sheriff's Office", "MI", "Berrian County Sheriff's Office"),
        ("Douglas County Sheriff's Office", "MO", "Dogulas County Sheriff's Office"),
        ("Calcasieu Parish Sheriff's Office", "LA", "Calacasieu Parish Sheriff's Office"),
        ("Broward County Sheriff's Department", "FL", "Broward County Sheriff's Office"),
        ("Sheriff of Broward County", "FL", "Broward County Sheriff's Office"),
        ("Broward Sheriff's Office", "FL", "Broward County Sheriff's Office"),
        ("Town of Davie Police Department", "FL", "Davie Police Department"),
        ("Davie Police Department", "FL", "Town of Davie"),
        ("Sunny Isles Beach Police Department", "FL", "Sunny Isles Police Department"),
        ("De Soto County Sheriff's Office", "FL", "DeSoto County Sheriff's Office"),
        ("Mc Kenzie County Sheriff's Office", "ND", "McKenzie County Sheriff's Office"),
        ("Saint Cloud PD", "FL", "City of St. Cloud Police Department"),
        ("Lea County Sheriff's Office", "FL", "Lee County Sheriff's Office"),
        ("Lee Country Sheriff's Office", "FL", "Lee County Sheriff's Office"),
        ("Lee County Sherxff's Office", "FL", "Lee County Sheriff's Office"),
        ("Davie Polce Dept", "FL", "Davie Police Department"),
        ("Florida State Prison", "FL", "Florida Department of Corrections"),
    ],
)
def test_another_spelling_or_wording_may_be_it(wanted: str, state: str, listed: str) -> None:
    for one, other in ((wanted, listed), (listed, wanted)):
        assert may_be(one, state, other, state)
        assert may_be(one, None, other, state)
        assert may_be(one, state, other, None)
        assert not may_be(one, state, other, "GU")


@pytest.mark.parametrize(
    ("wanted", "state", "listed"),
    [
        ("Lake County Sheriff's Office", "FL", "Baker County Sheriff's Office"),
        ("Bay County Sheriff's Office", "FL", "Clay County Sheriff's Office"),
        ("Ottawa Police Department", "KS", "Ottawa County Sheriff's Office"),
        ("Lake City Police Department", "FL", "Lake County Sheriff's Office"),
        ("Polk County Jail", "FL", "Polk County Sheriff's Office"),
        ("Boston Police Department", "MA", "Bristol Police Department"),
        ("Kent County Constable Precinct 3", "TX", "Kent County Constable Precinct 4"),
        ("Florida Highway Patrol", "FL", "Florida Department of Corrections"),
        ("", "FL", "Lake County Sheriff's Office"),
    ],
)
def test_what_is_plainly_another_is_not_it(wanted: str, state: str, listed: str) -> None:
    assert not may_be(wanted, state, listed, state)
    assert not may_be(listed, state, wanted, state)


def test_a_row_without_a_place_is_placed_by_its_county() -> None:
    assert may_be("Kerr County Sheriff's Office", "TX", "Sheriff's Office", "TX", "Kerr County")
    assert not may_be("Kerr County Sheriff's Office", "TX", "Sheriff's Office", "TX", "Bexar County")


@given(st.text(max_size=30), st.sampled_from([None, "FL", "XX"]), st.text(max_size=30))
def test_any_text_may_be_asked_about(wanted: str, state: str | None, listed: str) -> None:
    assert may_be(wanted, state, listed, "FL") in (True, False)
    assert may_be(f"Lee {wanted}", "FL", f"Lee {wanted}", "FL")
