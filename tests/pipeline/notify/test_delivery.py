"""Each message is sent once to each target; what is not taken is tried again, in order, until it has finally failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from db import outbox
from db.connect import transaction
from db.outbox import State
from pipeline.notify.channels.attempt import Channel, Refused, Unavailable, UnsetChannel
from pipeline.notify.composing import Addresses
from pipeline.notify.delivery import Delivering
from pipeline.notify.settings import Delivery
from pipeline.reports.messages.content import Message
from tests.db.histories import COUNTIES, Posted, rows
from tests.pipeline.notify.watching import Recorder, Watched, settings

TWENTY = COUNTIES[:20]
BOTH = settings({"name": "one"}, {"name": "two"})
QUICK = Delivery(pause_seconds=0, first_retry_seconds=60, give_up_after_hours=1, refusals=2)
DOWN = Unavailable("nobody listens")
NO = Refused("no such mailbox")


def posted(day: int, *counties: str) -> Posted:
    return Posted("participating", day, rows(*counties))


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    """Two subscribers, to each of whom one message is due."""
    with Watched(tmp_path, BOTH) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY, "Polk"))
        yield watched


def channels(one: Channel, two: Channel | None = None) -> dict[str, Channel]:
    return {"one/folder": one, "two/folder": two or Recorder(lane="other")}


def test_each_message_is_sent_once(watched: Watched) -> None:
    one = Recorder()
    sent = watched.deliver(channels(one), QUICK)
    assert (sent.sent, sent.put_off, sent.failed) == (2, 0, 0)
    watched.deliver(channels(one), QUICK, after=timedelta(days=1))
    assert one.told() == ["told new Polk confirmed"]
    assert watched.log() == ["one/folder alert sent 1", "two/folder alert sent 1"]


def test_a_channel_that_fails_delays_no_other(watched: Watched) -> None:
    one, two = Recorder([DOWN]), Recorder(lane="other")
    sent = watched.deliver(channels(one, two), QUICK)
    assert (sent.sent, sent.put_off, sent.problems) == (1, 1, ["one/folder: nobody listens"])
    assert two.told() == ["told new Polk confirmed"]


class Hanging(Recorder):
    """A channel that never comes back."""

    def __init__(self) -> None:
        super().__init__(lane="hanging")
        self.released = threading.Event()

    def send(self, message: Message) -> str:
        self.released.wait()
        return super().send(message)


def test_a_channel_that_hangs_delays_no_other_and_is_given_up(watched: Watched) -> None:
    one, two = Hanging(), Recorder(lane="other")
    sent = watched.deliver(channels(one, two), Delivery(pause_seconds=0, hard_limit_seconds=0.3))
    assert two.told() == ["told new Polk confirmed"]
    assert sent.problems == ["one/folder: no end within 0.3 s"]
    assert watched.log() == ["one/folder alert due 1", "two/folder alert sent 1"]
    one.released.set()


def test_an_attempt_is_put_off_twice_as_long_each_time(watched: Watched) -> None:
    one = Recorder([DOWN] * 20)
    waits = []
    for _ in range(5):
        watched.deliver(channels(one), Delivery(pause_seconds=0, longest_retry_seconds=500))
        (waiting,) = outbox.waiting(watched.connection)
        assert waiting.next_attempt_at is not None
        waits.append((waiting.next_attempt_at - watched.now).total_seconds())
        watched.now = waiting.next_attempt_at
    assert waits == [60, 120, 240, 480, 500]


def test_a_message_is_not_tried_before_its_time(watched: Watched) -> None:
    one = Recorder([DOWN])
    watched.deliver(channels(one), QUICK)
    watched.deliver(channels(one), QUICK, after=timedelta(seconds=30))
    assert len(one.tried) == 1
    watched.deliver(channels(one), QUICK, after=timedelta(seconds=100))
    assert len(one.tried) == 2
    assert one.tried[0] == one.tried[1]


def test_the_other_side_is_left_alone_as_long_as_it_asks(watched: Watched) -> None:
    one = Recorder([Unavailable("429", retry_after=1000)])
    watched.deliver(channels(one), QUICK)
    watched.deliver(channels(one), QUICK, after=timedelta(seconds=999))
    assert len(one.tried) == 1
    watched.deliver(channels(one), QUICK, after=timedelta(seconds=1))
    assert len(one.tried) == 2


def test_a_message_that_cannot_be_sent_finally_fails(watched: Watched) -> None:
    one = Recorder([DOWN] * 100)
    for _ in range(30):
        watched.deliver(channels(one), QUICK, after=timedelta(minutes=20))
    assert watched.log()[0].startswith("one/folder alert failed")
    assert len(one.tried) < 10


def test_a_refusal_is_tried_again_only_as_often_as_the_settings_say(watched: Watched) -> None:
    one = Recorder([NO] * 100)
    for _ in range(30):
        watched.deliver(channels(one), QUICK, after=timedelta(minutes=20))
    assert watched.log()[0] == "one/folder alert failed 2"


def test_messages_to_a_target_stay_in_order(watched: Watched) -> None:
    one = Recorder([DOWN])
    watched.deliver(channels(one), QUICK)
    watched.see(posted(1, *TWENTY, "Polk").seen_again(1, 1), posted(2, *TWENTY, "Polk", "Pasco"))
    watched.now -= timedelta(days=1)
    watched.deliver(channels(one), QUICK)
    assert one.taken == []
    watched.deliver(channels(one), QUICK, after=timedelta(days=1))
    assert one.told() == ["told new Polk confirmed", "told new Pasco confirmed"]


def test_dead_mailboxes_delay_nobody_else(tmp_path: Path) -> None:
    many = settings(*({"name": f"s{number}"} for number in range(9)))
    with Watched(tmp_path, many) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY, "Polk"))
        dead = Recorder([NO, Unavailable("451 later")] * 4, lane="server")
        alive = Recorder(lane="server")
        every: dict[str, Channel] = {f"s{number}/folder": alive if number == 8 else dead for number in range(9)}
        assert watched.deliver(every, QUICK).sent == 1
        assert alive.told() == ["told new Polk confirmed"]


def test_a_server_that_is_down_three_times_in_a_row_rests_until_the_next_run(tmp_path: Path) -> None:
    many = settings(*({"name": f"s{number}"} for number in range(6)))
    with Watched(tmp_path, many) as watched:
        watched.see(posted(0, *TWENTY), posted(1, *TWENTY, "Polk"))
        server = Recorder([Unavailable("nobody listens", whole_lane=True)] * 3)
        every: dict[str, Channel] = {f"s{number}/folder": server for number in range(6)}
        assert watched.deliver(every, QUICK).put_off == 3
        assert watched.deliver(every, QUICK).sent == 3
        assert watched.deliver(every, QUICK, after=timedelta(minutes=10)).sent == 3


def test_an_error_of_the_program_itself_is_recorded_and_loses_nothing(watched: Watched) -> None:
    class Broken(Recorder):
        def send(self, message: Message) -> str:
            raise ZeroDivisionError(f"a secret of {message.id}")

    sent = watched.deliver(channels(Broken()), QUICK)
    assert sent.problems == ["one/folder: an error of this program: ZeroDivisionError"]
    watched.deliver(channels(one := Recorder()), QUICK, after=timedelta(hours=1))
    assert one.told() == ["told new Polk confirmed"]


def test_a_message_whose_attempt_was_cut_short_is_sent_again_under_the_same_id(watched: Watched) -> None:
    watched.compose()
    first, _ = outbox.waiting(watched.connection)
    with transaction(watched.connection):
        outbox.begin(watched.connection, first.id, watched.now)
    one = Recorder()
    watched.deliver(channels(one), QUICK)
    assert one.tried == []
    watched.deliver(channels(one), QUICK, after=timedelta(minutes=2))
    assert one.tried == [first.public_id]
    assert watched.log()[0] == "one/folder alert sent 2"


def test_what_is_cut_short_each_time_finally_fails(watched: Watched) -> None:
    watched.compose()
    first, _ = outbox.waiting(watched.connection)
    one = Recorder()
    for _ in range(50):
        if outbox.message(watched.connection, first.id).state is State.FAILED:
            break
        with transaction(watched.connection):
            outbox.begin(watched.connection, first.id, watched.now)
        watched.deliver(channels(one), QUICK, after=timedelta(seconds=1))
        watched.now += timedelta(hours=1)
    assert outbox.message(watched.connection, first.id).state is State.FAILED
    assert outbox.message(watched.connection, first.id).attempts < 5
    assert outbox.message(watched.connection, first.id).perhaps


def test_a_correction_waits_for_what_it_corrects_and_is_dropped_with_it(watched: Watched) -> None:
    watched.settings = settings({"name": "one"})
    one = Recorder([None, NO, NO])
    watched.deliver({"one/folder": one}, QUICK)
    watched.see(posted(2, *TWENTY))
    watched.deliver({"one/folder": one}, QUICK)
    watched.see(posted(4, *TWENTY, "Polk"))
    for _ in range(5):
        watched.deliver({"one/folder": one}, QUICK, after=timedelta(minutes=10))
    assert one.told() == ["told new Polk confirmed", "told reinstated Polk confirmed"]
    (stored,) = outbox.log(watched.connection, [State.FAILED])
    with transaction(watched.connection):
        outbox.retry(watched.connection, stored.id, watched.now)
    watched.deliver({"one/folder": one}, QUICK)
    assert one.told()[2:] == ["told terminated Polk provisional", "retracted terminated Polk retracted"]


def test_messages_to_a_channel_that_is_gone_are_dropped(watched: Watched) -> None:
    watched.compose()
    watched.deliver({"two/folder": Recorder()}, QUICK)
    assert watched.log() == ["one/folder alert due 0", "two/folder alert sent 1"]
    watched.deliver({"two/folder": Recorder()}, QUICK, after=timedelta(days=8))
    assert watched.log() == ["one/folder alert dropped 0", "two/folder alert sent 1"]


def test_a_clock_that_was_ahead_for_a_moment_holds_nothing_up(watched: Watched) -> None:
    right = watched.now
    one = Recorder([DOWN])
    watched.deliver(channels(one), QUICK, after=timedelta(days=365))
    watched.now = right
    watched.deliver(channels(one), QUICK)
    assert one.told() == ["told new Polk confirmed"]


def test_a_message_that_was_cut_short_before_days_without_power_is_tried_all_the_same(watched: Watched) -> None:
    watched.compose()
    first, _ = outbox.waiting(watched.connection)
    with transaction(watched.connection):
        outbox.begin(watched.connection, first.id, watched.now)
    one = Recorder()
    watched.deliver(channels(one), QUICK, after=timedelta(days=4))
    watched.deliver(channels(one), QUICK, after=timedelta(hours=1))
    assert one.told() == ["told new Polk confirmed"]


def test_what_a_channel_without_its_secret_is_to_send_waits_and_goes_out_when_it_has_it(watched: Watched) -> None:
    for _ in range(5):
        sent = watched.deliver(channels(UnsetChannel(["TOKEN"])), QUICK, after=timedelta(days=3))
        assert "one/folder: the environment has no variable TOKEN" in sent.problems
    assert watched.log()[0] == "one/folder alert due 0"
    watched.deliver(channels(one := Recorder()), QUICK)
    assert one.told() == ["told new Polk confirmed"]


def test_a_message_of_a_later_version_is_read_as_far_as_it_is_known(watched: Watched) -> None:
    watched.compose()
    with transaction(watched.connection):
        watched.connection.execute("update saying set content = json_set(content, '$.event.of_a_later_version', 1)")
    watched.deliver(channels(one := Recorder()), QUICK)
    assert one.told() == ["told new Polk confirmed"]


def test_a_message_that_cannot_be_put_together_stops_no_other(watched: Watched) -> None:
    watched.compose()
    first, _ = outbox.waiting(watched.connection)
    with transaction(watched.connection):
        watched.connection.execute(
            "insert into saying (about, turn, occasion, content, said_at) select about, 9, occasion,"
            " json_remove(content, '$.event.kind'), said_at from saying"
        )
        watched.connection.execute(
            "update notice set saying_id = (select id from saying where turn = 9) where message_id = ?", (first.id,)
        )
    two = Recorder(lane="other")
    every = channels(Recorder(), two)
    sent = Delivering(watched.connection, every, QUICK, Addresses(), lambda: watched.now).run()
    assert two.told() == ["told new Polk confirmed"]
    assert sent.problems == ["one/folder: it cannot be put together: KeyError"]
