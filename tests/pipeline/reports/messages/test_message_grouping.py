"""In what order events are told, and what belongs together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.records import Kind, Status
from pipeline.reports.messages.content import Occasion
from pipeline.reports.messages.grouping import Sort, entries, sections
from tests.pipeline.reports.messages.message_values import (
    JAIL,
    everything,
    gap,
    message,
    new,
    of_kind,
    signed,
    switch,
    taken_back,
    told,
)


def test_what_is_taken_back_comes_before_all_else() -> None:
    some = [new("A", "AL"), taken_back(state="WY"), of_kind(Kind.PENDING, state="AZ")]

    assert [(s.taken_back, s.state) for s in sections(entries(message(some)))] == [
        (True, "Wyoming"),
        (False, "Alabama"),
        (False, "Arizona"),
    ]


def test_states_stand_by_their_full_names_and_the_unknown_last() -> None:
    some = [new("A", state) for state in (None, "AK", "AL", "AR", "AZ", "DC")]

    assert [section.state for section in sections(entries(message(some)))] == [
        "Alabama",
        "Alaska",
        "Arizona",
        "Arkansas",
        "District of Columbia",
        "state unknown",
    ]


def test_within_a_state_the_most_serious_comes_first_and_agencies_by_name() -> None:
    some = [of_kind(Kind.CHANGED), new("B", "TX"), told(), new("A", "TX")]
    (texas,) = sections(entries(message(some)))

    assert [(group.sort, [one.told.event.agency[:1] for one in group.entries]) for group in texas.groups] == [
        (Sort.NEW, ["A", "B"]),
        (Sort.TERMINATED, ["K"]),
        (Sort.CORRECTED, ["K"]),
    ]


def test_every_event_is_told_once_in_whatever_order_they_come() -> None:
    some = everything()
    found = entries(some)

    assert sorted(id(told) for entry in found for told in entry.events) == sorted(map(id, some.told))
    assert {entry.sort for entry in found} == set(Sort)
    assert entries(replace(some, told=some.told[::-1])) == found


def test_an_end_and_a_beginning_that_name_each_other_are_one_entry() -> None:
    end, beginning = switch()
    (entry,) = entries(message([end, beginning]))

    assert (entry.sort, entry.told, entry.ended) == (Sort.SWITCHED, beginning, end)
    assert entries(message(switch(JAIL)))[0].sort is Sort.SIGNED_ANEW


def test_an_end_that_was_found_days_before_its_beginning_belongs_to_it_too() -> None:
    end, beginning = switch()
    earlier = replace(end, event=replace(end.event, related_agreement_id=None, published_on="2025-06-20"))

    assert [entry.sort for entry in entries(message([earlier, beginning]))] == [Sort.SWITCHED]


def test_one_half_alone_is_told_as_it_is() -> None:
    end, beginning = switch()

    assert [entry.sort for entry in entries(message([end]))] == [Sort.SWITCHED]
    assert [entry.sort for entry in entries(message([beginning]))] == [Sort.NEW]


def test_an_end_that_is_taken_back_is_no_half_of_a_switch() -> None:
    end, beginning = switch()
    back = replace(end, occasion=Occasion.RETRACTED)

    assert [entry.sort for entry in entries(message([back, beginning]))] == [Sort.TAKEN_BACK, Sort.NEW]


def test_an_end_that_names_another_agreement_is_no_half_of_this_switch() -> None:
    end, beginning = switch()
    other = replace(end, event=replace(end.event, related_agreement_id="a-0000000009"))

    assert [entry.sort for entry in entries(message([other, beginning]))] == [Sort.NEW, Sort.SWITCHED]


def test_an_end_that_is_taken_back_since_is_no_half_of_a_switch_either() -> None:
    end, beginning = switch()
    late = replace(end, event=replace(end.event, status=Status.RETRACTED))

    assert [entry.sort for entry in entries(message([late, beginning]))] == [Sort.NEW, Sort.LATE]


def test_what_one_list_lacks_so_far_stands_before_what_has_ended() -> None:
    once = told(event_id="e-once", status=Status.PROVISIONAL)
    (texas,) = sections(entries(message([told(), once, new(state="TX")])))

    assert [group.sort for group in texas.groups] == [Sort.NEW, Sort.PROVISIONAL, Sort.TERMINATED]


def test_an_end_and_its_return_are_one_entry() -> None:
    missing, again = gap()
    (entry,) = entries(message([again, missing]))

    assert (entry.sort, entry.told, entry.ended) == (Sort.AFTER_A_GAP, again, missing)
    before, again = gap(Occasion.RETRACTED)
    (entry,) = entries(message([again, before]))
    assert (entry.sort, entry.told, entry.returned) == (Sort.TAKEN_BACK, before, again)


def test_each_gap_has_its_own_return() -> None:
    one, two = gap(), gap()
    later = [
        replace(told, event=replace(told.event, event_id=f"e-{day}", published_on=f"2025-07-{day}"))
        for told, day in zip(two, ("02", "05"), strict=True)
    ]

    found = [entry.events for entry in entries(message([*later, *one]))]
    assert found == [tuple(later[::-1]), one[::-1]]


def test_an_end_that_stands_or_is_of_another_agreement_is_no_gap() -> None:
    missing, again = gap()
    stands = replace(missing, event=replace(missing.event, status=Status.CONFIRMED))
    other = replace(missing, event=replace(missing.event, agreement_id="a-other"))
    later = replace(missing, event=replace(missing.event, published_on="2025-07-01"))

    assert [entry.sort for entry in entries(message([stands, again]))] == [Sort.TERMINATED, Sort.REINSTATED]
    assert [entry.sort for entry in entries(message([other, again]))] == [Sort.REINSTATED, Sort.LATE]
    assert [entry.sort for entry in entries(message([later, again]))] == [Sort.REINSTATED, Sort.LATE]


def test_an_application_and_the_agreement_that_came_of_it_are_one_entry() -> None:
    applied, one = signed()
    (entry,) = entries(message([applied, one]))

    assert (entry.sort, entry.told, entry.applied) == (Sort.NEW, one, applied)


@pytest.mark.parametrize(
    "fields", [{"state": "GA"}, {"support_model": JAIL}, {"agency": "Bay County"}, {"published_on": "2025-06-11"}]
)
def test_an_application_of_somebody_else_is_an_entry_of_its_own(fields: dict[str, str]) -> None:
    applied, one = signed()
    other = replace(applied, event=replace(applied.event, **fields))

    assert [entry.sort for entry in entries(message([other, one]))] == [Sort.NEW, Sort.PENDING]


def test_an_application_belongs_to_one_agreement_and_a_switch_may_have_one() -> None:
    applied, one = signed()
    other = replace(one, event=replace(one.event, event_id="e-other"))
    end = switch()[0]
    switched = replace(one, event=replace(one.event, agreement_id="a-0000000002", related_agreement_id="a-0000000001"))
    (entry,) = entries(message([applied, switched, end]))

    assert sorted(len(entry.events) for entry in entries(message([applied, one, other]))) == [1, 2]
    assert (entry.sort, entry.events) == (Sort.SWITCHED, (switched, end, applied))
