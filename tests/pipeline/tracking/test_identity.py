"""A correction is told as a correction, and an end as an end: tables of (before, after, events)."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.tracking.identity import choose
from tests.readings import Row, Story, participating, words

_OTHERS: list[Row] = [
    ("TX", "Anderson County Sheriff's Office", "WSO", "2025-02-20", "andersoncotx", "Anderson County"),
    ("TX", "Kerr County Sheriff's Office", "JEM", "2025-02-21", "", "Kerr County"),
    ("TX", "Kerr County Sheriff's Office", "WSO", "2025-02-21", "", "Kerr County"),
    ("TX", "Nixon Police Department", "TFM", "2025-02-28", "", "Gonzales County"),
    ("TX", "Zavala County Sheriff's Office", "TFM", "2025-02-24", "", "Zavala County"),
]
_KERR = ("TX", "Kerr County Sheriff's Office", "TFM", "2025-02-26", "kerrcotx_tfm", "Kerr County")


def _with(row: Row | None) -> list[Row]:
    return sorted([*_OTHERS, *([row] if row else [])], key=lambda r: (r[0], r[1]))


def _changed(**fields: str) -> Row:
    names = ("state", "agency", "model", "signed", "moa", "county")
    return tuple(fields.get(name, value) for name, value in zip(names, _KERR, strict=True))


@pytest.mark.parametrize(
    ("before", "after", "events"),
    [
        (_KERR, _KERR, []),
        (_KERR, None, ["terminated Kerr County Sheriff's Office"]),
        (None, _KERR, ["new Kerr County Sheriff's Office"]),
        (_KERR, _changed(signed="2025-02-25"), ["changed Kerr County Sheriff's Office: date correction"]),
        (_KERR, _changed(moa=""), ["changed Kerr County Sheriff's Office: link withdrawn"]),
        (_changed(moa=""), _KERR, ["changed Kerr County Sheriff's Office: link posted"]),
        (_KERR, _changed(moa="kerr_new"), ["changed Kerr County Sheriff's Office: link replaced"]),
        (
            _changed(moa="", signed="2025-06-12"),
            _changed(signed="2025-06-11"),
            ["changed Kerr County Sheriff's Office: date correction, link posted"],
        ),
        (
            _changed(signed="2024-02-27"),
            _changed(signed="2025-02-26"),
            ["changed Kerr County Sheriff's Office: date correction"],
        ),
        (_changed(agency="Ker County Sherif's Office"), _KERR, ["changed Kerr County Sheriff's Office: spelling"]),
        (_KERR, _changed(agency="Kerr County Jail"), ["changed Kerr County Jail: rename"]),
        (_changed(state="OKLAHOMA"), _KERR, ["changed Kerr County Sheriff's Office: state correction"]),
        (_changed(state="TEXSA"), _KERR, []),
        (_KERR, _changed(state="Nowhere"), []),
        (_changed(signed="05/082025"), _changed(signed="2025-05-08"), []),
        (_changed(signed="5025-07-07"), _KERR, ["changed Kerr County Sheriff's Office: date added"]),
        (_KERR, _changed(signed=""), []),
        (_KERR, _changed(model="Task Force Officer "), []),
        (_KERR, _changed(county="#N/A"), ["changed Kerr County Sheriff's Office: county removed"]),
        (
            _KERR,
            _changed(agency="Gillespie County Sheriff's Office", county="Gillespie County"),
            ["new Gillespie County Sheriff's Office", "terminated Kerr County Sheriff's Office"],
        ),
        (_KERR, _changed(signed="2026-02-26"), ["changed Kerr County Sheriff's Office: date correction"]),
    ],
)
def test_each_change_of_a_row_is_told_as_what_it_is(before: Row | None, after: Row | None, events: list[str]) -> None:
    assert Story().lists(_with(before), _with(after)) == events


def test_a_new_date_and_document_long_after_the_first_listing_is_a_new_signing() -> None:
    story = Story()
    story.post(participating(_with(_KERR)), 0)
    story.post(participating(_with(_changed(signed="2025-08-30", moa="kerr_2")), 185), 185)
    assert [words(e) for e in story.told] == ["renewed Kerr County Sheriff's Office: link replaced, new signing"]


def test_a_block_of_rows_corrected_at_once_ends_nothing() -> None:
    """Rows of one gap are weighed by their names: 250 times 250 pairs are neither weighed nor cut off."""
    block = [("TX", f"Town {n:03} Police Department", "TFM", "2025-02-12", "", "") for n in range(250)]
    rest = [("FL", f"City {n:03} Police Department", "TFM", "2025-02-12", "", "") for n in range(900)]
    story = Story()
    corrected = [(*row[:3], "2025-02-11", *row[4:]) for row in block]
    assert set(story.lists([*rest, *block], [*rest, *corrected])) == {
        f"changed Town {n:03} Police Department: date correction" for n in range(250)
    }


def test_two_police_departments_of_one_name_in_two_counties_are_two_agencies() -> None:
    franklin = ("PA", "Washington Township Police Department", "TFM", "2025-02-12", "", "Franklin County")
    fayette = ("PA", "Washington Township Police Department", "TFM", "2025-02-12", "", "Fayette County")
    assert Story().lists([franklin], [franklin, fayette], [fayette]) == [
        "new Washington Township Police Department",
        "terminated Washington Township Police Department",
    ]


def test_a_return_with_the_date_corrected_by_a_day_takes_the_end_back() -> None:
    story = Story()
    assert story.lists(_with(_KERR), _with(None), _with(_changed(signed="2025-02-25"))) == [
        "terminated Kerr County Sheriff's Office",
        "reinstated Kerr County Sheriff's Office: date correction",
    ]
    assert story.statuses[story.told[0].id] == "retracted"


def test_a_repeated_row_whose_model_is_mended_is_an_agreement_of_its_own() -> None:
    twice = _with(_KERR)
    assert Story().lists(twice, [*twice, _KERR], [*twice, _changed(model="JEM", moa="")]) == [
        "new Kerr County Sheriff's Office"
    ]


def test_a_sheriff_and_a_jail_of_one_county_keep_their_own_agreements() -> None:
    sheriff = ("FL", "Pasco County Sheriff's Office", "TFM", "2025-02-26", "", "Pasco County")
    jail = ("FL", "Pasco County Corrections", "WSO", "2025-02-26", "", "Pasco County")
    assert Story().lists([sheriff, jail], [jail], [jail, sheriff]) == [
        "terminated Pasco County Sheriff's Office",
        "reinstated Pasco County Sheriff's Office",
    ]


def test_a_row_entered_twice_is_one_agreement_and_its_loss_no_end() -> None:
    again = ("TX", "City of Nixon Police Department", "TFM", "2025-02-27", "", "Gonzales County")
    assert Story().lists(_OTHERS, [*_OTHERS, again], _OTHERS) == []


def test_the_copy_that_stays_carries_the_agreement_on() -> None:
    copy = ("TX", "City of Nixon Police Department", "TFM", "2025-02-27", "", "Gonzales County")
    rest = [row for row in _OTHERS if row[1] != "Nixon Police Department"]
    told = Story().lists(_OTHERS, [*_OTHERS, copy], [*rest, copy])
    assert told == ["changed City of Nixon Police Department: date correction, rename"]


def test_two_corrections_at_once_are_weighed_together_and_not_in_order() -> None:
    """Row by row, the first vanished row would take the row that belongs to the second."""
    before = [
        ("PA", "Greene Township Police Department", "TFM", "2025-06-12", "", "Erie County"),
        ("PA", "Green Township Police Department", "TFM", "2025-06-13", "", "Indiana County"),
    ]
    after = [
        ("PA", "Greene Township Police Department", "TFM", "2025-06-11", "", "Erie County"),
        ("PA", "Green Township Police Department", "TFM", "2025-06-12", "", "Indiana County"),
    ]
    story = Story()
    assert story.lists(before, after) == [
        "changed Greene Township Police Department: date correction",
        "changed Green Township Police Department: date correction",
    ]


def test_an_agency_that_had_applied_under_its_own_name_is_no_respelling_of_another() -> None:
    from tests.readings import pending

    story = Story()
    first = [("FL", "Oakland Police Department", "TFM", "2025-02-26", "", "Orange County"), *_OTHERS]
    story.post(participating(first), 0)
    story.post(pending([("FL", "Oakland Park Police Department", "TFM", "Broward County")]), 0)
    then = [("FL", "Oakland Park Police Department", "TFM", "2025-02-26", "", "Broward County"), *_OTHERS]
    story.post(participating(then, 1), 1)
    assert sorted(event.kind for event in story.told) == ["new", "terminated"]


def test_a_switch_of_model_is_an_end_and_a_beginning_that_name_each_other() -> None:
    story = Story()
    story.lists(
        _with(_changed(model="JEM", signed="2025-01-02")), _with(_changed(model="TFM", signed="2025-03-04", moa=""))
    )
    ended = next(e for e in story.told if e.kind == "terminated")
    began = next(e for e in story.told if e.kind == "new")
    assert (ended.related, began.related) == (began.agreement, ended.agreement)
    assert "switch of model" in ended.note
    assert "switch of model" in began.note


_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["TX", "FL"]),
        st.sampled_from(["Lake County Sheriff's Office", "Baker County Sheriff's Office", "Ker PD", "City of Ker PD"]),
        st.sampled_from(["JEM", "WSO", "TFM", "?"]),
        st.sampled_from(["2025-02-26", "2025-02-27", "2025-06-12", ""]),
        st.sampled_from(["", "one", "two"]),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(lists=st.lists(_ROWS, min_size=2, max_size=4))
def test_whatever_is_posted_each_row_has_one_agreement_and_each_agreement_one_end(lists: list[list[Row]]) -> None:
    story = Story()
    for day, rows in enumerate(lists):
        for step in story.post(participating(rows, day), day):
            if step.verdict == "accepted":
                assert [p.listing.row for p in step.placements] == list(range(2, len(rows) + 2)) or not step.placements
                primaries = Counter(p.agreement for p in step.placements if p.role == "primary")
                assert not primaries or max(primaries.values()) == 1
                began = [e.agreement for e in step.events if e.kind in ("new", "renewed", "reinstated")]
                ended = [e.agreement for e in step.events if e.kind == "terminated"]
                assert len(set(began)) == len(began)
                assert not set(began) & set(ended)
    assert len({e.id for e in story.told}) == len(story.told)


@settings(max_examples=60, deadline=None)
@given(rows=_ROWS, seed=st.integers(0, 9))
def test_the_order_of_the_rows_makes_no_event(rows: list[Row], seed: int) -> None:
    rows = sorted(set(rows))
    shuffled = random.Random(seed).sample(rows, len(rows))
    story = Story()
    story.post(participating(rows), 0)
    story.post(participating(shuffled, 1), 1)
    assert [e.kind for e in story.told if e.kind != "changed"] == []


@given(
    gains=st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(1, 9).map(float), max_size=12)
)
def test_each_row_is_chosen_once_and_no_single_pair_could_be_added(gains: dict[tuple[int, int], float]) -> None:
    chosen = choose(gains)
    olds, news = {i for i, _ in chosen}, {j for _, j in chosen}
    assert len(olds) == len(news) == len(chosen)
    assert all(i in olds or j in news for i, j in gains)
    assert choose(dict(reversed(gains.items()))) == chosen
