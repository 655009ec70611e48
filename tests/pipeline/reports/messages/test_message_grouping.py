"""In what order events are told, and what belongs together."""

from __future__ import annotations

from dataclasses import replace

from db.records import Kind
from pipeline.reports.messages.content import Occasion
from pipeline.reports.messages.grouping import Sort, entries, sections
from tests.pipeline.reports.messages.message_values import (
    JAIL,
    everything,
    message,
    new,
    of_kind,
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

    assert [entry.sort for entry in entries(message([end]))] == [Sort.TERMINATED]
    assert [entry.sort for entry in entries(message([beginning]))] == [Sort.NEW]


def test_an_end_that_is_taken_back_is_no_half_of_a_switch() -> None:
    end, beginning = switch()
    back = replace(end, occasion=Occasion.RETRACTED)

    assert [entry.sort for entry in entries(message([back, beginning]))] == [Sort.TAKEN_BACK, Sort.NEW]


def test_an_end_that_names_another_agreement_is_no_half_of_this_switch() -> None:
    end, beginning = switch()
    other = replace(end, event=replace(end.event, related_agreement_id="a-0000000009"))

    assert [entry.sort for entry in entries(message([other, beginning]))] == [Sort.NEW, Sort.TERMINATED]
