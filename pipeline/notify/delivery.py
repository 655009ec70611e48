"""Messages that are due -> their channels: each tried until it is taken, or has finally failed.

A channel is at work in a thread of its own lane, so that one that hangs delays no other; what it said is recorded
here, in the thread that owns the connection. A message is marked before it is sent: if the process is killed between
sending and recording, it is sent again under the same id, by which the other side can tell.
"""

import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from db import outbox
from db.connect import transaction
from db.outbox import State, Stored
from pipeline.notify.channels.attempt import Channel, NotSent, Refused, Unavailable, UnsetChannel
from pipeline.notify.composing import KEPT_FOR, Addresses, composed
from pipeline.notify.settings import Delivery
from pipeline.reports.escaping import printable
from pipeline.reports.messages.content import Message

_LANE_GIVES_UP_AFTER = 3
"""Attempts in a row at which a lane's server was down, until the rest of the lane waits for the next run."""

_LEAST_ATTEMPTS = 3
"""So often at least a message is tried before it is too late for it: a machine may have been off for days."""

_LONGEST_ANSWER = 300
_LONGEST_WAIT = timedelta(days=1)
"""The longest time for which another side can ask to be left alone."""


@dataclass(slots=True)
class Sent:
    """What became of the messages of a run: how many were sent, put off, and given up; and why, a line each."""

    sent: int = 0
    put_off: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Sent") -> None:
        """Count another run too."""
        self.sent += other.sent
        self.put_off += other.put_off
        self.failed += other.failed
        self.problems += other.problems


@dataclass(slots=True)
class _Lane:
    """The messages that go one after another, target by target."""

    targets: deque[deque[Stored]]
    pause: float
    failures: int = 0
    begun: bool = False

    def next(self) -> Stored | None:
        while self.targets and not self.targets[0]:
            self.targets.popleft()
        return self.targets[0][0] if self.targets else None


@dataclass(frozen=True, slots=True)
class _Ended:
    """How an attempt in a lane ended: an answer, or why not."""

    lane: str
    stored: Stored
    outcome: str | NotSent


class Delivering:
    """One run over what is due.

    `clock` gives the time (aware, UTC) that is recorded; `hook` is called after every commit, and between sending and
    recording (tests kill the process there). Where `channels` are not `complete`, since an entry of
    `subscribers` is wrong, the messages for others go on waiting.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        channels: Mapping[str, Channel],
        settings: Delivery,
        addresses: Addresses,
        clock: Callable[[], datetime],
        hook: Callable[[], None] = lambda: None,
        *,
        complete: bool = True,
    ) -> None:
        self._connection = connection
        self._channels = channels
        self._settings = settings
        self._addresses = addresses
        self._clock = clock
        self._hook = hook
        self._complete = complete
        self._ended: queue.Queue[_Ended] = queue.Queue()
        self._under_way: dict[str, tuple[Stored, float]] = {}
        self._result = Sent()

    def run(self) -> Sent:
        """Try what is due, once each."""
        self._resume()
        lanes = self._lanes()
        for name, lane in lanes.items():
            self._start(name, lane)
        while self._under_way:
            for ended in self._wait():
                lane = lanes[ended.lane]
                self._record(ended, lane)
                self._start(ended.lane, lane)
        return self._result

    def _resume(self) -> None:
        """What an earlier run was cut short in goes on like what was not taken: it may have been."""
        why = Unavailable("the attempt was cut short", perhaps=True)
        for stored in outbox.cut_short(self._connection):
            with transaction(self._connection):
                self._not_sent(stored, why)
            self._hook()

    def _lanes(self) -> dict[str, _Lane]:
        """What is due, by lane. A target whose first message has to wait, waits: its messages stay in order."""
        lanes: dict[str, _Lane] = {}
        now = self._clock()
        for name, some in groupby(outbox.waiting(self._connection), key=lambda stored: stored.target):
            messages = deque(some)
            if name not in self._channels:
                gone = [one for one in messages if self._complete and now - one.made_at > KEPT_FOR]
                self._drop(gone, outbox.GONE)
            elif isinstance(channel := self._channels[name], UnsetChannel):
                self._result.problems.append(f"{name}: {channel.why}")  # its messages wait, however long
            elif self._is_due(messages[0], now):
                lanes.setdefault(channel.lane, _Lane(deque(), channel.pause)).targets.append(messages)
        return lanes

    def _is_due(self, stored: Stored, now: datetime) -> bool:
        """Whether it is to be tried now; a time that only a clock which was ahead can have set, counts as come."""
        following = stored.next_attempt_at
        return following is None or following <= now or following - now > _LONGEST_WAIT

    def _drop(self, messages: Sequence[Stored], why: str) -> None:
        with transaction(self._connection):
            for stored in messages:
                outbox.finish(self._connection, stored.id, State.DROPPED, why, self._clock())
                if why == outbox.NEVER_TOLD:
                    outbox.let_go(self._connection, stored.id)
        self._hook()

    def _start(self, name: str, lane: _Lane) -> None:
        """Send the next message of a lane, if there is one."""
        while (stored := lane.next()) is not None:
            if stored.replies_to is None or not self._never_told(stored.replies_to):
                break
            lane.targets[0].popleft()
            self._drop([stored], outbox.NEVER_TOLD)
        if stored is None:
            return
        with transaction(self._connection):
            outbox.begin(self._connection, stored.id, self._clock())
        self._hook()
        try:
            message = composed(self._connection, stored, self._addresses)
        except Exception as error:
            why = Unavailable(f"it cannot be put together: {type(error).__name__}")
            self._under_way[name] = stored, 0.0
            self._ended.put(_Ended(name, stored, why))
            return
        pause = lane.pause if lane.begun else 0.0
        lane.begun = True
        self._under_way[name] = stored, time.monotonic() + pause + self._settings.hard_limit_seconds
        work = (name, stored, self._channels[stored.target], message, pause)
        threading.Thread(target=self._attempt, args=work, daemon=True).start()

    def _never_told(self, ident: int) -> bool:
        return outbox.never_told(outbox.message(self._connection, ident))

    def _attempt(self, lane: str, stored: Stored, channel: Channel, message: Message, pause: float) -> None:
        """In a thread of its own: send, and hand over how that went."""
        time.sleep(pause)
        outcome: str | NotSent
        try:
            outcome = channel.send(message)
        except NotSent as error:
            outcome = error
        except Exception as error:
            outcome = Unavailable(f"an error of this program: {type(error).__name__}", perhaps=True)
        self._ended.put(_Ended(lane, stored, outcome))

    def _wait(self) -> list[_Ended]:
        """The next attempt that ends, or those that should have long ago."""
        until = min(limit for _, limit in self._under_way.values())
        try:
            return [self._ended.get(timeout=max(0.0, until - time.monotonic()))]
        except queue.Empty:
            late = [(name, stored) for name, (stored, limit) in self._under_way.items() if limit <= time.monotonic()]
            why = f"no end within {self._settings.hard_limit_seconds:g} s"
            return [_Ended(name, stored, Unavailable(why, whole_lane=True, perhaps=True)) for name, stored in late]

    def _record(self, ended: _Ended, lane: _Lane) -> None:
        """Note how an attempt ended, and what is next in its lane."""
        if self._under_way.get(ended.lane, (None,))[0] != ended.stored:
            return  # it was given up as late
        del self._under_way[ended.lane]
        self._hook()
        with transaction(self._connection):
            if isinstance(ended.outcome, NotSent):
                self._not_sent(ended.stored, ended.outcome)
            else:
                answer = _line(ended.outcome)
                outbox.finish(self._connection, ended.stored.id, State.SENT, answer, self._clock())
                self._result.sent += 1
        self._hook()
        if isinstance(ended.outcome, NotSent):
            lane.targets.popleft()
        else:
            lane.targets[0].popleft()
        down = isinstance(ended.outcome, Unavailable) and ended.outcome.whole_lane
        lane.failures = lane.failures + 1 if down else 0
        if lane.failures >= _LANE_GIVES_UP_AFTER:
            lane.targets.clear()

    def _not_sent(self, stored: Stored, why: NotSent) -> None:
        now, settings, answer = self._clock(), self._settings, _line(str(why))
        refused, perhaps = isinstance(why, Refused), isinstance(why, Unavailable) and why.perhaps
        late = now - (stored.first_attempt_at or now) >= timedelta(hours=settings.give_up_after_hours)
        final = stored.refusals + 1 >= settings.refusals if refused else late and stored.attempts >= _LEAST_ATTEMPTS
        if final:
            outbox.postpone(self._connection, stored.id, answer, now, perhaps=perhaps)
            outbox.finish(self._connection, stored.id, State.FAILED, answer, now)
            self._result.failed += 1
        else:
            until = now + self._back_off(stored.attempts, why)
            outbox.postpone(self._connection, stored.id, answer, until, refused=refused, perhaps=perhaps)
            self._result.put_off += 1
        self._result.problems.append(f"{stored.target}: {answer}")

    def _back_off(self, attempts: int, why: NotSent) -> timedelta:
        """Twice as long after each attempt, or as long as the other side asks."""
        doubled = self._settings.first_retry_seconds * 2 ** min(attempts, 30)
        wait = timedelta(seconds=min(doubled, self._settings.longest_retry_seconds))
        asked = timedelta(seconds=why.retry_after) if isinstance(why, Unavailable) and why.retry_after else wait
        return max(wait, min(asked, _LONGEST_WAIT))


def _line(text: str) -> str:
    return printable(text)[:_LONGEST_ANSWER]
