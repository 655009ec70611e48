"""Which agreements are of one agency, and the id that it keeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tracking.agencies import Member, group, slug


def member(key: int, *names: str, state: str | None = "FL", signed_as: int | None = None) -> Member:
    return Member(key, tuple((state, name) for name in names), signed_as)


def test_agreements_whose_names_differ_in_typography_are_of_one_agency() -> None:
    found = group([member(1, "St. Johns County Sheriff's Office"), member(2, "St Johns County Sheriffs Office")])

    assert [(one.id, one.name, one.former_names, one.members) for one in found] == [
        (
            "fl-st-johns-county-sheriffs-office",
            "St Johns County Sheriffs Office",
            ("St. Johns County Sheriff's Office",),
            (1, 2),
        )
    ]


def test_the_same_name_in_another_state_is_another_agency() -> None:
    name = "Washington County Sheriff's Office"

    assert [one.id for one in group([member(1, name), member(2, name, state="UT")])] == [
        "fl-washington-county-sheriffs-office",
        "ut-washington-county-sheriffs-office",
    ]


def test_a_respelling_changes_the_name_and_not_the_id() -> None:
    (before,) = group([member(1, "Alachua Police Departent")])
    (after,) = group([member(1, "Alachua Police Departent", "Alachua Police Department")])

    assert (before.id, after.id) == ("fl-alachua-police-departent", "fl-alachua-police-departent")
    assert (after.name, after.former_names) == ("Alachua Police Department", ("Alachua Police Departent",))


def test_a_name_that_another_agency_bore_first_leaves_that_agency_its_id() -> None:
    office = "Okaloosa County Sheriff's Office"
    found = group([member(1, office, "Okaloosa County Department of Corrections"), member(2, office)])

    assert [(one.id, one.name) for one in found] == [
        ("fl-okaloosa-county-sheriffs-office", "Okaloosa County Department of Corrections"),
        ("fl-okaloosa-county-sheriffs-office-2", office),
    ]


def test_an_application_goes_with_the_agreement_that_came_of_it() -> None:
    (found,) = group([member(1, "Clay Cty Jail", signed_as=2), member(2, "Clay County Sheriff's Office")])

    assert (found.members, found.newest, found.name) == ((1, 2), 2, "Clay County Sheriff's Office")
    assert found.id == "fl-clay-cty-jail"


def test_a_row_without_state_or_letters_has_an_id_too() -> None:
    found = group([member(1, "???", state=None), member(2, "!!!", state=None), member(3, "Lee", state=None)])

    assert [one.id for one in found] == ["xx", "xx-2", "xx-lee"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Nassau & Duval Jail", "fl-nassau-and-duval-jail"),
        ("Police\u00a0Dept.", "fl-police-dept"),
        ("Añasco Policía", "fl-anasco-policia"),
        ("../../etc/passwd", "fl-etc-passwd"),
        ("x" * 300, "fl-" + "x" * 77),
    ],
)
def test_an_id_is_fit_for_a_web_address_and_a_folder(name: str, expected: str) -> None:
    assert slug("FL", name) == expected


@given(
    st.lists(
        st.tuples(st.sampled_from(["FL", "GA", None]), st.lists(st.text(max_size=90), min_size=1, max_size=3)),
        max_size=12,
    )
)
def test_every_member_is_of_one_agency_and_every_id_is_given_once(drawn: list[tuple[str | None, list[str]]]) -> None:
    members = [member(key, *names, state=state) for key, (state, names) in enumerate(drawn)]
    found = group(members)

    assert sorted(key for one in found for key in one.members) == [one.key for one in members]
    assert len({one.id for one in found}) == len(found)
    assert all(set(one.id) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for one in found)
    assert [(one.id, one.members) for one in group(members)] == [(one.id, one.members) for one in found]
