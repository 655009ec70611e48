"""The line that a reader sees first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from db.records import Kind, Status
from pipeline.reports.messages.content import Affair, MessageKind, Occasion
from pipeline.reports.messages.wording import subject
from tests.pipeline.reports.messages.message_values import (
    HELD,
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

STATES = ["TX", "FL", "GA", "OK", "KS", "PA", "GU"]


def test_it_counts_what_is_told_and_names_the_state() -> None:
    some = [new("A", "TX"), new("B", "TX"), new("C", "TX"), told()]

    assert subject(message(some)) == "287(g): 3 new, 1 terminated in Texas"


@pytest.mark.parametrize(
    ("states", "where"),
    [
        (["TX", "TX", "FL"], "3 new in Texas and Florida"),
        (["TX", "FL", "FL"], "3 new in Florida and Texas"),
        (STATES, "7 new in 7 states"),
        ([None], "1 new, state unknown"),
        (["TX", None], "2 new in Texas and an unknown state"),
    ],
)
def test_it_names_up_to_two_states_the_one_with_the_most_first(states: list[str | None], where: str) -> None:
    some = [new(f"Agency {number}", state) for number, state in enumerate(states)]

    assert subject(message(some)) == f"287(g): {where}"


def test_the_kinds_stand_in_the_order_of_their_weight() -> None:
    assert subject(message(map(of_kind, Kind))) == (
        "287(g): 1 new, 1 terminated, 1 reinstated, 1 renewed, 1 pending, 1 withdrawn, 1 correction in Texas"
    )


def test_a_switch_of_model_is_no_end_and_no_beginning() -> None:
    assert subject(message(switch())) == "287(g): 1 switch of model in Texas"
    assert subject(message(switch(JAIL))) == "287(g): 1 signed anew in Texas"


def test_a_correction_says_what_is_taken_back() -> None:
    assert subject(message([taken_back()], MessageKind.CORRECTION)) == (
        "287(g) correction: 1 termination taken back in Texas"
    )
    assert subject(message([taken_back(), taken_back()], MessageKind.CORRECTION)) == (
        "287(g) correction: 2 terminations taken back in Texas"
    )


def test_what_is_missing_from_one_list_so_far_counts_as_terminated() -> None:
    once = told(event_id="e-once", status=Status.PROVISIONAL)

    assert subject(message([once])) == "287(g): 1 terminated in Texas"
    assert subject(message([once, told()])) == "287(g): 2 terminated in Texas"


def test_what_was_missing_for_a_while_is_no_end_and_no_return() -> None:
    assert subject(message(gap(), MessageKind.DIGEST)) == "287(g) digest: 1 listed again after a gap in Texas"
    assert subject(message(gap()[:1], MessageKind.DIGEST)) == "287(g) digest: 1 taken back since in Texas"
    assert subject(message(gap(Occasion.RETRACTED), MessageKind.CORRECTION)) == (
        "287(g) correction: 1 termination taken back in Texas"
    )


def test_a_new_agreement_is_not_counted_as_an_application_too() -> None:
    assert subject(message(signed())) == "287(g): 1 new in Florida"


def test_a_digest_and_a_test_are_marked() -> None:
    assert subject(message([new()], MessageKind.DIGEST)) == "287(g) digest: 1 new in Florida"
    assert subject(message([new()], MessageKind.TEST)) == "[TEST] 287(g): 1 new in Florida"
    assert subject(message([], MessageKind.TEST)) == "[TEST] watch287g: a test message"


def test_an_operator_reads_what_is_wrong_and_when_it_is_over() -> None:
    operators = message(kind=MessageKind.OPERATOR, affairs=(HELD,))

    assert subject(operators) == "watch287g: the participating list of 2025-04-21 is held"
    assert subject(replace(operators, affairs=(replace(HELD, over=True),))) == (
        "watch287g: over: the participating list of 2025-04-21 is held"
    )
    assert subject(replace(operators, affairs=(HELD, HELD, HELD))).endswith("is held, and 2 more")


def test_it_never_names_an_agency() -> None:
    assert "County" not in subject(everything())


def test_it_is_one_line_of_at_most_150_characters() -> None:
    long = Affair(key="k", title="a title\nof many lines and words " * 50)
    many = [replace(one, event=replace(one.event, event_id=f"e-{n}")) for n in range(1234) for one in [new()]]
    loud = message([*many, *everything().told], MessageKind.DIGEST)

    assert subject(loud) == "287(g) digest: 1,247 events in Florida and Texas"
    for one in (loud, message(kind=MessageKind.OPERATOR, affairs=(long, long))):
        assert len(subject(one)) <= 150
        assert subject(one).isprintable()
