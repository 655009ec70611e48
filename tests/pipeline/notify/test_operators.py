"""Operators hear of each state of affairs once, when it begins and, where that is news, when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from db import outbox
from db.connect import transaction
from db.outbox import State
from pipeline.notify import operators
from pipeline.reports.messages.content import Affair, MessageKind
from tests.db.histories import COUNTIES, Posted, rows
from tests.pipeline.notify.watching import Recorder, Watched, settings

OPERATORS = settings(operators={"channels": [{"folder": "a"}, {"folder": "b", "name": "second"}]})
DAY = timedelta(hours=24)
BLOCKED = Affair("failing:blocked", "ICE's server blocks the checks")
HELD = Affair("held:participating:abc:2025", "A list is held")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with Watched(tmp_path, OPERATORS) as watched:
        yield watched


def standing(watched: Watched, *affairs: Affair, after: timedelta = timedelta(hours=1)) -> list[str]:
    """What is newly noted when things stand so, some time later."""
    watched.now += after
    before = len(watched.noted())
    with transaction(watched.connection):
        operators.review(watched.connection, affairs, ["operators/folder", "operators/second"], watched.now, DAY)
    return [line for line in watched.noted()[before:] if "operators/folder" in line]


def test_a_state_of_affairs_is_told_once_however_long_it_lasts(watched: Watched) -> None:
    assert standing(watched, BLOCKED) == ["operators/folder begun failing:blocked"]
    assert [standing(watched, BLOCKED) for _ in range(50)] == [[]] * 50


def test_its_end_is_told_once(watched: Watched) -> None:
    standing(watched, BLOCKED)
    assert standing(watched) == ["operators/folder over failing:blocked"]
    assert standing(watched) == []


def test_the_end_of_what_a_person_decided_is_no_news(watched: Watched) -> None:
    assert standing(watched, HELD) == ["operators/folder begun held:participating:abc:2025"]
    assert standing(watched) == []


def test_two_states_at_once_are_two_messages(watched: Watched) -> None:
    assert len(standing(watched, BLOCKED, HELD)) == 2
    messages = watched.compose()
    assert [message.kind for message in messages] == [MessageKind.OPERATOR] * 4
    assert all(len(message.affairs) == 1 for message in messages)


def test_what_comes_and_goes_is_told_once(watched: Watched) -> None:
    told = []
    for _ in range(24):
        told += standing(watched, BLOCKED, after=timedelta(minutes=30))
        told += standing(watched, after=timedelta(minutes=30))
    assert told == ["operators/folder begun failing:blocked", "operators/folder over failing:blocked"]


def test_what_comes_again_is_told_once_it_has_lasted(watched: Watched) -> None:
    standing(watched, BLOCKED)
    standing(watched)
    assert standing(watched, BLOCKED, after=timedelta(days=100)) == []
    assert standing(watched, BLOCKED, after=timedelta(hours=23)) == []
    assert standing(watched, BLOCKED) == ["operators/folder begun failing:blocked"]
    assert standing(watched) == ["operators/folder over failing:blocked"]


def test_the_end_answers_the_message_that_told_of_the_beginning(watched: Watched) -> None:
    standing(watched, BLOCKED)
    first, _ = watched.compose()
    standing(watched)
    over = [message for message in watched.compose() if message.affairs[0].over]
    assert [message.kind for message in over] == [MessageKind.OPERATOR] * 2
    assert first.id in [message.replies_to for message in over]


def test_deliveries_that_have_finally_failed_are_told_until_something_arrives(tmp_path: Path) -> None:
    with Watched(tmp_path, settings({"name": "one"})) as watched:
        twenty = COUNTIES[:20]
        watched.see(Posted("participating", 0, rows(*twenty)), Posted("participating", 1, rows(*twenty, "Polk")))
        watched.compose()
        (stored,) = outbox.waiting(watched.connection)
        with transaction(watched.connection):
            outbox.finish(watched.connection, stored.id, State.FAILED, "no such mailbox", watched.now)
        (affair,) = operators.undelivered(watched.connection)
        assert affair.key == "undelivered:one/folder"
        assert "no such mailbox" in affair.details[0]
        assert affair.commands[1] == f"watch287g alerts retry {stored.public_id}"
        watched.see(Posted("participating", 2, rows(*twenty, "Polk", "Pasco")))
        watched.deliver({"one/folder": Recorder()})
        assert operators.undelivered(watched.connection) == []


def test_a_retry_is_not_yet_the_end_of_what_cannot_be_delivered(watched: Watched) -> None:
    undelivered = Affair("undelivered:one/folder", "Messages cannot be delivered")
    assert standing(watched, undelivered) == ["operators/folder begun undelivered:one/folder"]
    assert standing(watched) == []
    assert standing(watched, undelivered) == []


def test_a_clock_that_was_ahead_silences_nothing(watched: Watched) -> None:
    standing(watched, BLOCKED, after=timedelta(days=365))
    standing(watched)
    watched.now -= timedelta(days=365)
    assert standing(watched, BLOCKED) == ["operators/folder begun failing:blocked"]
