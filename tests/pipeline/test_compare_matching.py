"""Matching two lists as multisets, whatever is on them."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from db.records import ListName
from pipeline.comparing.matching import compare
from pipeline.reports.comparison import Entry, Table
from pipeline.reports.record import Listed, Source, Standing, Terms

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
