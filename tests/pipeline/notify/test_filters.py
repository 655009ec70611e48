"""Who hears of which event, and on which channel."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.records import Kind, ListName, Status
from pipeline.notify.filters import accepts, channels, waits
from pipeline.notify.settings import Filters, Subscriber
from tests.pipeline.reports.story import event

JEM, WSO, TFM = "Jail Enforcement Model", "Warrant Service Officer", "Task Force Model"
EVENT_KINDS = [kind for kind in Kind if kind is not Kind.CHANGED]


def changed(**changes: tuple[str | None, str | None]) -> dict[str, Any]:
    return {"kind": Kind.CHANGED, "changes": changes}


@pytest.mark.parametrize(
    ("wanted", "happened", "accepted"),
    [
        ({}, {}, True),
        ({}, {"state": None, "support_model": None, "county": None}, True),
        # states
        ({"states": "TX"}, {}, True),
        ({"states": "Texas"}, {}, True),
        ({"states": ["ok", "texas"]}, {}, True),
        ({"states": ["OK", "NM"]}, {}, False),
        ({"states": "TX"}, {"state": None}, False),
        ({"states": "TX"}, {"state": "OK", "changes": {"state": ("TX", "OK")}}, True),
        ({"states": "TX"}, {"state": "TX", "changes": {"state": ("OK", "TX")}}, True),
        ({"states": "TX"}, {"state": None, "changes": {"state": ("TX", None)}}, True),
        ({"states": "TX"}, {"state": "OK", "changes": {"state": ("AR", "OK")}}, False),
        ({"states": "TX"}, {"state": "OK", "changes": {"county": ("TX", "TX")}}, False),
        # counties that ICE gives
        ({"counties": "Kerr"}, {}, True),
        ({"counties": "Kerr County"}, {}, True),
        ({"counties": "KERR county"}, {"county": "Kerr"}, True),
        ({"counties": "Kerr"}, {"county": "Kerrville"}, False),
        ({"counties": "Kerrville"}, {}, False),
        ({"counties": ["Bexar", "Kerr"]}, {}, True),
        ({"counties": "Kerr"}, {"county": "Bexar County"}, False),
        (
            {"counties": "Kerr"},
            {"county": "Bexar County", "changes": {"county": ("Kerr County", "Bexar County")}},
            True,
        ),
        ({"counties": "Acadia"}, {"county": "Acadia Parish"}, True),
        ({"counties": "Acadia Parish"}, {"county": "Acadia"}, True),
        ({"counties": "Juneau"}, {"county": "Juneau City and Borough"}, True),
        ({"counties": "Bethel"}, {"county": "Bethel Census Area"}, True),
        ({"counties": "Ponce"}, {"county": "Ponce Municipio"}, True),
        ({"counties": "Saint Johns"}, {"county": "St. Johns County"}, True),
        ({"counties": "Roanoke County"}, {"county": "Roanoke city"}, False),
        ({"counties": "Dona Ana"}, {"county": "Doña Ana County"}, True),
        ({"counties": "Doña Ana County"}, {"county": "Dona Ana"}, True),
        ({"counties": "DeSoto"}, {"county": "De Soto Parish"}, False),
        # counties that ICE does not give
        ({"counties": "Kerr"}, {"county": None}, True),
        ({"counties": "Kerr County"}, {"county": None}, True),
        ({"counties": "Kerr"}, {"county": ""}, True),
        ({"counties": "Kerr"}, {"county": None, "agency": "Kerrville Police Department"}, False),
        ({"counties": "Kerr County"}, {"county": None, "agency": "KERR CO. SHERIFF"}, True),
        ({"counties": "St. Johns"}, {"county": None, "agency": "Saint Johns County Sheriff"}, True),
        ({"counties": "Acadia"}, {"county": None, "agency": "Acadia Parish Sheriff's Office"}, True),
        (
            {"counties": "Kerr"},
            {"county": None, "agency": "Sheriff", "changes": {"agency": ("Kerr Sheriff", "Sheriff")}},
            True,
        ),
        ({"counties": "Kerr"}, {"county": "Bexar County", "agency": "Kerr County Sheriff's Office"}, False),
        # agencies
        ({"agencies": "sheriff"}, {}, True),
        ({"agencies": "sheriffs"}, {}, True),
        ({"agencies": "Sheriff's Office"}, {}, True),
        ({"agencies": "Sheriff’s  OFFICE"}, {}, True),
        ({"agencies": "Kerr Office"}, {}, False),
        ({"agencies": "Ker"}, {}, False),
        ({"agencies": "Ker*"}, {}, True),
        ({"agencies": "sheriff*"}, {}, False),
        ({"agencies": "*sheriff*"}, {}, True),
        ({"agencies": "kerr * office"}, {}, True),
        ({"agencies": "*"}, {}, True),
        ({"agencies": "K?rr*"}, {}, False),
        ({"agencies": "[JK]err*"}, {}, False),
        ({"agencies": ["Police", "*Sheriff*"]}, {}, True),
        ({"agencies": "Police"}, {"changes": {"agency": ("Kerrville Police", "Kerr County Sheriff")}}, True),
        ({"agencies": "canon city"}, {"agency": "Cañon City Police Department"}, True),
        ({"agencies": "Cañon*"}, {"agency": "CANON CITY POLICE"}, True),
        # models
        ({"models": "JEM"}, {}, True),
        ({"models": "jail enforcement  model"}, {}, True),
        ({"models": ["WSO", "TFM"]}, {}, False),
        ({"models": "TFM"}, {"support_model": None}, False),
        ({"models": "WSO"}, {"support_model": TFM, "changes": {"support_model": (WSO, TFM)}}, True),
        # kinds and lists
        ({"kinds": "terminated"}, {}, True),
        ({"kinds": ["new", "renewed"]}, {}, False),
        ({"kinds": []}, {}, True),
        ({"lists": "participating"}, {}, True),
        ({"lists": "pending"}, {}, False),
        ({"lists": []}, {}, True),
        ({"lists": "pending"}, {"list": ListName.PENDING, "kind": Kind.WITHDRAWN}, True),
        # corrections
        ({}, changed(county=("Kerr", "Kerr County")), False),
        ({"corrections": "all"}, changed(county=("Kerr", "Kerr County")), True),
        ({"corrections": "digest"}, changed(county=("Kerr", "Kerr County")), True),
        ({"corrections": "all", "kinds": "new"}, changed(county=("Kerr", "Kerr County")), True),
        ({"corrections": "all", "states": "OK"}, changed(county=("Kerr", "Kerr County")), False),
        ({"corrections": "all", "lists": "pending"}, changed(county=("Kerr", "Kerr County")), False),
        # everything must hold
        ({"states": "TX", "counties": "Kerr", "models": "JEM", "agencies": "*sheriff*"}, {}, True),
        ({"states": "TX", "counties": "Kerr", "models": "TFM", "agencies": "*sheriff*"}, {}, False),
    ],
)
def test_what_a_filter_accepts(wanted: dict[str, Any], happened: dict[str, Any], accepted: bool) -> None:
    assert accepts(Filters.model_validate(wanted), event(**happened)) is accepted


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_who_says_nothing_hears_of_everything_but_corrections(kind: Kind) -> None:
    assert accepts(Filters(), event(kind=kind))


@pytest.mark.parametrize("status", list(Status))
def test_only_a_provisional_event_waits_and_only_for_those_who_want_no_such(status: Status) -> None:
    assert not waits(Filters(), event(status=status))
    assert waits(Filters(provisional=False), event(status=status)) is (status is Status.PROVISIONAL)


@pytest.mark.parametrize(
    ("corrections", "kind", "told"),
    [
        ("none", Kind.NEW, ["now", "weekly"]),
        ("digest", Kind.NEW, ["now", "weekly"]),
        ("all", Kind.NEW, ["now", "weekly"]),
        ("digest", Kind.CHANGED, ["weekly"]),
        ("all", Kind.CHANGED, ["now", "weekly"]),
    ],
)
def test_a_correction_goes_only_where_it_was_asked_for(corrections: str, kind: Kind, told: list[str]) -> None:
    subscriber = Subscriber.model_validate(
        {
            "name": "texas",
            "corrections": corrections,
            "channels": [
                {"name": "now", "folder": "now"},
                {"name": "weekly", "folder": "weekly", "digest": "monday 08:00 America/Chicago"},
            ],
        }
    )

    assert [channel.name for channel in channels(subscriber, event(kind=kind))] == told


@pytest.mark.parametrize("pattern", ["*a" * 40, "*" * 200, "*a*" * 40 + "b"])
def test_a_pattern_of_many_stars_takes_no_time(pattern: str) -> None:
    assert not accepts(Filters(agencies=(f"{pattern}!z",)), event(agency="a" * 10_000))


PLACES = ["Kerr", "Kerr County", "Kerrville", "Acadia Parish", "Doña Ana County", "St. Johns"]
AGENCIES = [f"{place} {office}" for place in PLACES for office in ("Sheriff's Office", "Police Department")]
STATES = ["TX", "LA", "NM", "FL"]
MODELS = [JEM, WSO, TFM]


def some(values: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=3)


criteria = st.fixed_dictionaries(
    {},
    optional={
        "states": some(STATES),
        "counties": some(PLACES),
        "agencies": some([*AGENCIES, "sheriffs", "police", "*sheriff*", "kerr*", "*"]),
        "models": some(["JEM", "WSO", "TFM"]),
        "kinds": some(EVENT_KINDS),
        "lists": some(list(ListName)),
    },
)
fields = {
    "state": st.none() | st.sampled_from(STATES),
    "county": st.none() | st.sampled_from(PLACES),
    "agency": st.sampled_from(AGENCIES),
    "support_model": st.none() | st.sampled_from(MODELS),
}
events = st.builds(
    event,
    kind=st.sampled_from(list(Kind)),
    list=st.sampled_from(list(ListName)),
    changes=st.fixed_dictionaries({}, optional={name: st.tuples(values, values) for name, values in fields.items()}),
    **fields,
)


@settings(deadline=None)
@given(criteria, st.sampled_from(["digest", "all"]), events)
def test_an_event_that_passes_a_filter_passes_it_with_one_criterion_less(
    narrow: dict[str, Any], corrections: str, happened: Any
) -> None:
    def passes(wanted: dict[str, Any]) -> bool:
        return accepts(Filters.model_validate({**wanted, "corrections": corrections}), happened)

    if passes(narrow):
        for gone in narrow:
            assert passes({name: value for name, value in narrow.items() if name != gone})


@settings(deadline=None)
@given(criteria, events)
def test_a_filter_accepts_what_each_of_its_criteria_accepts_alone(narrow: dict[str, Any], happened: Any) -> None:
    def passes(wanted: dict[str, Any]) -> bool:
        return accepts(Filters.model_validate({**wanted, "corrections": "all"}), happened)

    assert passes(narrow) is all(passes({name: value}) for name, value in narrow.items())


@settings(deadline=None)
@given(criteria, events)
def test_a_value_more_in_a_criterion_never_rejects_an_event(narrow: dict[str, Any], happened: Any) -> None:
    wider = {name: [*value, *MORE[name]] for name, value in narrow.items()}

    assert accepts(Filters.model_validate(wider), happened) >= accepts(Filters.model_validate(narrow), happened)


MORE: dict[str, list[Any]] = {
    "states": ["GU"],
    "counties": ["Elsewhere"],
    "agencies": ["Elsewhere"],
    "models": ["TFM"],
    "kinds": [Kind.NEW],
    "lists": [ListName.PENDING],
}
