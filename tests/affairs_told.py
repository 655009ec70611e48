"""What operators are to hear of the failures of a simulated year, and what they heard."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise

from db.outbox import BEGUN, OVER
from tests.failures import Failure

QUIET_HOURS = 24

_DOES_NOT_MEND_ITSELF = frozenset({"blocked", "robots"})
"""Kinds of failure that are told at the first; of the others the config says after how many."""

_NEVER_AGAIN = ("held:", "stopped:", "no_new_list:", "not_linked:")
"""What begins the keys of states that name a list or a moment, and so are never the same again."""

_PARTED = 24
"""A kind of failure has ended when a check went well, or after so many that failed in other ways."""


@dataclass(frozen=True, slots=True)
class Lasting:
    """A kind of failure, from the hour of the check that met it first to that of the first at which it is over.

    `due` is the hour at which it has been met so often that it is to be told; None if it never was.
    """

    kind: str
    begin: int
    end: int
    due: int | None

    @property
    def key(self) -> str:
        return f"failing:{self.kind}"

    @property
    def hours(self) -> range:
        return range(self.begin, self.end)


@dataclass(frozen=True, slots=True)
class Said:
    """A message to the operators: of which affair, whether that it has begun or is over, and at which hour."""

    key: str
    occasion: str
    hour: float


def lasting(failures: Mapping[int, Failure], after: int) -> list[Lasting]:
    """The states of affairs that failures of hourly checks are, in the order of their beginnings.

    `after`: how often a failure that may mend itself has to be met.
    """
    found: list[Lasting] = []
    for outage in outages(failures):
        for kind in {failures[hour].kind for hour in outage}:
            hours = [hour for hour in outage if failures[hour].kind == kind]
            parts = [hours[:1]]
            for before, hour in pairwise(hours):
                if hour - before > _PARTED:
                    parts.append([])
                parts[-1].append(hour)
            needed = 1 if kind in _DOES_NOT_MEND_ITSELF else after
            for part in parts:
                end = min(part[-1] + _PARTED, outage.stop)
                enough = [hour for hour in hours[needed - 1 :] if part[0] <= hour < end]
                found.append(Lasting(kind, part[0], end, min(enough, default=None)))
    return sorted(found, key=lambda one: (one.begin, one.kind))


def outages(failures: Mapping[int, Failure]) -> list[range]:
    """The unbroken rows of checks that fail."""
    rows = groupby(enumerate(sorted(failures)), lambda pair: pair[1] - pair[0])
    hours = [[hour for _, hour in row] for _, row in rows]
    return [range(row[0], row[-1] + 1) for row in hours]


def said(connection: sqlite3.Connection, start: datetime) -> list[Said]:
    """What operators were told, in order; hours count from `start`."""
    rows = connection.execute(
        "select s.about, s.occasion, m.made_at from message m join notice n on n.message_id = m.id"
        " join saying s on s.id = n.saying_id where s.occasion in (?, ?) and m.state = 'sent' order by m.id",
        (BEGUN, OVER),
    )
    return [
        Said(about.rpartition(" since ")[0], occasion, (_moment(at) - start) / timedelta(hours=1))
        for about, occasion, at in rows
    ]


def wrong(failures: Mapping[int, Failure], messages: Sequence[Said], after: int) -> Iterator[str]:
    """What operators heard and should not have, or should have heard and did not; `after` as for `lasting`."""
    states = lasting(failures, after)
    by_key: dict[str, list[Said]] = {}
    for message in messages:
        by_key.setdefault(message.key, []).append(message)
    for key, some in by_key.items():
        yield from _repeated(key, some)
        if key.startswith("failing:"):
            yield from _of_a_kind(key, some, [state for state in states if state.key == key])
    yield from _first_of_a_kind(states, messages)
    yield from _long(failures, states, messages)


def _repeated(key: str, messages: Sequence[Said]) -> Iterator[str]:
    """What was told twice, or too soon; after each beginning there is one end at most, and none without."""
    begun = _begun(messages)
    if any(before.occasion == OVER == after.occasion for before, after in pairwise(messages)):
        yield f"{key}: an end was told twice: {messages}"
    if messages[0].occasion == OVER:
        yield f"{key} was over before it was told"
    for before, after in pairwise(begun):
        if after.hour - before.hour < QUIET_HOURS:
            yield f"{key} was told at hour {before.hour:g} and again at {after.hour:g}"
    if len(begun) > 1 and key.startswith(_NEVER_AGAIN):
        yield f"{key} was told {len(begun)} times"


def _of_a_kind(key: str, messages: Sequence[Said], states: Sequence[Lasting]) -> Iterator[str]:
    """Of each state its beginning is told once at most, while it lasts, and its end when it is over, if that was."""
    told = [one.hour for one in _begun(messages)]
    expected = []
    for state in states:
        due = state.end if state.due is None else state.due
        number = sum(due <= hour < state.end for hour in told)
        if number > 1:
            yield f"{state} was told {number} times"
        expected += [float(state.end)] * number
    if len(expected) != len(told):
        yield f"{key} was told at the hours {told}; it was so {states}"
    over = [one.hour for one in messages if one.occasion == OVER]
    if over != expected:
        yield f"{key} was told to be over at the hours {over}, and was at {expected}"


def _first_of_a_kind(states: Sequence[Lasting], messages: Sequence[Said]) -> Iterator[str]:
    """The first of its kind that is to be told is told at once."""
    told = {(one.key, one.hour) for one in _begun(messages)}
    first = {state.key: state for state in reversed(states) if state.due is not None}
    for state in first.values():
        if (state.key, state.due) not in told:
            yield f"the first of its kind was not told at once: {state}"


def _long(failures: Mapping[int, Failure], states: Sequence[Lasting], messages: Sequence[Said]) -> Iterator[str]:
    """What lasts longer than the quiet time is told."""
    begun = _begun(messages)
    for state in states:
        told = any(one.key == state.key and one.hour in state.hours for one in begun)
        if state.due is not None and state.end - state.due > QUIET_HOURS and not told:
            yield f"{state} lasted and was not told"
    for outage in outages(failures):
        near = range(outage.start - QUIET_HOURS, outage.stop)
        if len(outage) > QUIET_HOURS and not any(one.hour in near for one in begun):
            yield f"{len(outage)} checks failed from hour {outage.start} on, and nothing was told"


def _begun(messages: Sequence[Said]) -> list[Said]:
    return [one for one in messages if one.occasion == BEGUN]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
