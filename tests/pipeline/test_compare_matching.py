"""Matching two lists as multisets, whatever is on them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import ListName, Values
from pipeline.comparing.matching import compare
from pipeline.reports.comparison import Entry, Table
from pipeline.reports.record import Listed, Source, Standing, Terms
from pipeline.tracking import names

_NAMES = st.sampled_from(
    [
        "Lake County Sheriff's Office",
        "Lake Conty Sheriffs Office",
        "Lake Police Department",
        "Lale Police Dept",
        "",
        "Bay SO",
    ]
)
_WHAT = st.tuples(
    st.sampled_from(["FL", "OH", None]),
    _NAMES,
    st.sampled_from(["Task Force Model", "Warrant Service Officer", None]),
    st.sampled_from(["2025-02-26", "2025-03-04", None]),
    st.sampled_from(["Lake County", "Bay County", None]),
)
_COLUMNS = {"state": "a", "agency": "b", "model": "c", "signed": "d", "county": "e"}


def _standing(rows: list[tuple[str | None, str, str | None, str | None, str | None]]) -> Standing:
    listed = tuple(
        Listed(Terms(f"a-{n}", state, name, None, county, model, signed, None, None), "2025-03-03", n)
        for n, (state, name, model, signed, county) in enumerate(rows, 2)
    )
    return Standing(Source(ListName.PARTICIPATING, "2025-03-03", "x.xlsx", "ab" * 32), listed, len(listed))


def _table(rows: list[tuple[str | None, str, str | None, str | None, str | None]]) -> Table:
    entries = tuple(
        Entry(n, state, name, model, signed, county) for n, (state, name, model, signed, county) in enumerate(rows, 2)
    )
    return Table("theirs.csv", "ab" * 32, _COLUMNS, entries, ())


@given(st.lists(_WHAT, max_size=8), st.lists(_WHAT, max_size=8))
def test_every_row_is_in_exactly_one_place(
    theirs: list[tuple[str | None, str, str | None, str | None, str | None]],
    ours: list[tuple[str | None, str, str | None, str | None, str | None]],
) -> None:
    found = compare(_standing(ours), _table(theirs))
    there = [e.row for e in found.only_there] + [e.row for g in found.unsettled for e in g.there]
    here = [o.row for o in found.only_here] + [o.row for g in found.unsettled for o in g.here]
    there += [pair.there.row for pair in found.differing] + [one.there.row for one in found.repeated]
    here += [pair.here.row for pair in found.differing]
    assert max(Counter(there).values(), default=1) == max(Counter(here).values(), default=1) == 1
    assert len(theirs) == len(there) + found.same
    assert len(ours) == len(here) + found.same
    assert all(group.there and group.here and len(group.there) + len(group.here) > 2 for group in found.unsettled)


@given(st.lists(_WHAT, max_size=8), st.randoms(use_true_random=False))
def test_a_list_beside_itself_in_any_order_is_the_same(
    rows: list[tuple[str | None, str, str | None, str | None, str | None]], chance: object
) -> None:
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    found = compare(_standing(rows), _table(shuffled))
    assert found.agree
    assert found.same == len(rows)


@given(st.lists(_WHAT, max_size=8), st.lists(_WHAT, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_their_rows_changes_no_count(
    theirs: list[tuple[str | None, str, str | None, str | None, str | None]],
    ours: list[tuple[str | None, str, str | None, str | None, str | None]],
    chance: object,
) -> None:
    shuffled = list(theirs)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = compare(_standing(ours), _table(theirs)), compare(_standing(ours), _table(shuffled))
    assert len(one.only_there) == len(other.only_there)
    assert len(one.only_here) == len(other.only_here)
    assert len(one.unsettled) == len(other.unsettled)
    assert len(one.repeated) == len(other.repeated)


@given(st.lists(_WHAT, max_size=8), st.lists(_WHAT, max_size=8))
def test_a_repetition_repeats_a_row_before_it_and_is_no_difference(
    theirs: list[tuple[str | None, str, str | None, str | None, str | None]],
    ours: list[tuple[str | None, str, str | None, str | None, str | None]],
) -> None:
    table = _table(theirs)
    found = compare(_standing(ours), table)
    again = {one.there.row for one in found.repeated}
    assert all(one.repeats < one.there.row and one.repeats not in again for one in found.repeated)
    without = compare(_standing(ours), _table([what for row, what in enumerate(theirs, 2) if row not in again]))
    assert not without.repeated
    assert (without.same, without.agree) == (found.same, found.agree)


@given(st.lists(_WHAT, max_size=8), st.lists(_WHAT, max_size=8))
def test_a_row_without_a_model_is_never_only_there_while_its_agency_has_one_left_here(
    theirs: list[tuple[str | None, str, str | None, str | None, str | None]],
    ours: list[tuple[str | None, str, str | None, str | None, str | None]],
) -> None:
    found = compare(_standing(ours), _table(theirs))
    left = {(item.terms.state, item.terms.agency) for item in found.only_here}
    assert not [e for e in found.only_there if e.support_model is None and (e.state, e.agency) in left]


TFM = "Task Force Model"
What = tuple[str | None, str, str | None, str | None, str | None]


def _florida(number: int, what: str) -> list[What]:
    """Agencies of one state and model, none of which is another's misspelling."""
    letters = "abcdefghijklmnopqrst"
    return [
        ("FL", f"{letters[n % 20] * 9}{letters[n // 20 % 20] * 9} {what}", TFM, f"2025-01-{n % 28 + 1:02}", None)
        for n in range(number)
    ]


@pytest.fixture
def weighed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one with each comparison of two names."""
    found: list[object] = []
    real = names.compare

    def count(one: Values, other: Values) -> names.Likeness:
        found.append(None)
        return real(one, other)

    monkeypatch.setattr(names, "compare", count)
    return found


@pytest.mark.parametrize("model", [TFM, None])
def test_a_name_that_is_repeated_is_weighed_once(weighed: list[object], model: str | None) -> None:
    ours = [*_florida(300, "Police"), ("FL", "Broward County Sheriff's Office", TFM, "2025-02-26", None)]
    theirs: list[What] = [
        (
            "FL",
            "Browrad County Sheriff's Office",
            model,
            f"{2000 + n // 360}-{n // 30 % 12 + 1:02}-{n % 28 + 1:02}",
            None,
        )
        for n in range(5000)
    ]
    found = compare(_standing(ours), _table(theirs))
    assert len(weighed) <= 10
    assert len(found.unsettled) == 1
    assert len(found.unsettled[0].there) + len(found.repeated) == 5000


def test_names_that_are_nowhere_near_are_not_weighed(weighed: list[object]) -> None:
    found = compare(_standing(_florida(400, "Police")), _table(_florida(400, "Sheriff")[::-1]))
    assert len(weighed) <= 4 * 400
    assert len(found.only_there) == 400


def test_a_chain_of_likenesses_is_one_group() -> None:
    ours: list[What] = [("FL", f"{name} Police Department", TFM, None, None) for name in ("Brookfield", "Brookfild")]
    theirs: list[What] = [
        ("FL", f"{name} Police Department", TFM, None, None) for name in ("Brokfield", "Brookfeld", "Brookfieldd")
    ]
    found = compare(_standing(ours), _table(theirs))
    assert [(len(group.there), len(group.here)) for group in found.unsettled] == [(3, 2)]
    assert [entry.row for entry in found.unsettled[0].there] == [2, 3, 4]


@given(st.lists(_WHAT, max_size=8), st.lists(_WHAT, max_size=8))
def test_no_misspelling_is_overlooked(theirs: list[What], ours: list[What]) -> None:
    """What is left on both sides under one state and model is nobody's misspelling."""
    found = compare(_standing(ours), _table(theirs))
    for entry in found.only_there:
        for item in found.only_here:
            terms = item.terms
            if (entry.state, entry.support_model) == (terms.state, terms.support_model):
                one = Values(entry.state, entry.agency, None, entry.county, None, None, None, None)
                other = Values(terms.state, terms.agency, None, terms.county, None, None, None, None)
                assert names.compare(one, other) < names.Likeness.MISSPELT


def test_what_ices_own_list_says_twice_is_repeated_there() -> None:
    city: What = ("FL", "City of St. Cloud Police Department", TFM, "2025-04-15", None)
    plain: What = ("FL", "St. Cloud Police Department", TFM, "2025-04-14", None)
    double = ("a-2", _table([plain]).entries[0])
    found = compare(_standing([city]), _table([plain, city]), (), [double])
    assert found.agree
    assert [(one.there.row, one.repeats) for one in found.repeated] == [(2, 3)]
    alone = compare(_standing([city]), _table([plain]), (), [double])
    assert not alone.agree
    assert not alone.repeated
    thrice = compare(
        _standing([city]), _table([plain, ("FL", "Saint Cloud PD", TFM, "2025-04-01", None), city]), (), [double]
    )
    assert [entry.row for entry in thrice.only_there] == [3]
