"""Chat services through Apprise, pointed at a local server: what they are given, and what their answers mean."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from apprise.plugins.discord import NotifyDiscord
from apprise.plugins.slack import NotifySlack
from apprise.plugins.telegram import NotifyTelegram

from pipeline.demo.server import Answer, Behaviour
from pipeline.notify.channels.attempt import NotSent, Refused, Unavailable
from pipeline.notify.channels.chat import ChatChannel, validate
from pipeline.notify.settings import Delivery
from pipeline.reports.messages.content import Affair, MessageKind
from tests.pipeline.notify.sinks import HOSTILE, Posted, WebSink, message

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # one of Apprise's imports

OK = Answer(200, {"Content-Type": "application/json"}, b'{"ok": true, "id": "1", "result": {"message_id": 1}}')
SLACK_OK = Answer(200, body=b"ok")
SERVICES = ("json", "slack", "discord", "telegram", "ntfy", "mattermost", "mastodon", "gotify")
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = f"discord://{'1' * 18}/{'t' * 60}"
TELEGRAM = "tgram://123456789:abcdefghijklmnopqrstuvwxyz012345678/-100123"


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebSink]:
    """A server to which the services that are somewhere else are sent."""
    with WebSink(lambda posted: SLACK_OK if posted.path.startswith("/slack") else OK) as running:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"{running.url}/slack")
        monkeypatch.setattr(NotifyDiscord, "notify_url", f"{running.url}/discord")
        monkeypatch.setattr(NotifyTelegram, "notify_url", f"{running.url}/bot")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield running


def channel(url: str, most: int = 50, seconds: float = 10) -> ChatChannel:
    return ChatChannel(url, Delivery(timeout_seconds=seconds, most_events=most))


def local(sink: WebSink, rest: str = "very-secret-token?+X-Key=also-secret", seconds: float = 10) -> ChatChannel:
    return channel(f"json://127.0.0.1:{sink.port}/{rest}", seconds=seconds)


def services(sink: WebSink) -> dict[str, str]:
    here = f"127.0.0.1:{sink.port}"
    return {
        "json": f"json://{here}/",
        "slack": SLACK,
        "discord": DISCORD,
        "telegram": TELEGRAM,
        "ntfy": f"ntfy://{here}/topic",
        "mattermost": f"mmost://{here}/token",
        "mastodon": f"mastodon://{'k' * 20}@{here}",
        "gotify": f"gotify://{here}/token",
    }


def text(posted: Posted) -> str:
    """All texts of what a service was given."""

    def found(value: Any) -> Iterator[str]:
        match value:
            case str():
                yield value
            case dict():
                for one in value.values():
                    yield from found(one)
            case list():
                for one in value:
                    yield from found(one)

    return "\n".join(found(json.loads(posted.body)))


def test_a_service_gets_the_subject_and_the_text(sink: WebSink) -> None:
    assert local(sink).send(message()) == "JSON took it"

    given = json.loads(sink.received[0].body)
    assert given["title"] == "287(g): 1 terminated in Texas"
    assert "Kerr County Sheriff" in given["message"]
    assert given["title"] not in given["message"]
    assert given["attachments"] == []
    assert sink.received[0].headers["user-agent"] == "watch287g"


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_gets_one_message_and_no_image(sink: WebSink, service: str) -> None:
    channel(services(sink)[service]).send(message())

    (posted,) = [posted for posted in sink.received if posted.method == "POST"]
    assert "Kerr County Sheriff" in text(posted)
    assert "github" not in posted.body.decode()
    assert "apprise" not in posted.body.decode().lower()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_commands_no_service(sink: WebSink, service: str, name: str) -> None:
    channel(services(sink)[service]).send(message(name))

    (posted,) = [posted for posted in sink.received if posted.method == "POST"]
    given = text(posted)
    for harmful in ("@everyone", "@here", "<!channel>", "<@U1>", "<script", "<img", "](https", "`", "*bold*"):
        assert harmful not in given
    assert not {"\x1b", "\x00", "\u202e"} & set(given)
    assert len(given) < 4000


@pytest.mark.parametrize("wanted", ["format=markdown", "format=html", "overflow=split", "emojis=yes", "blocks=yes"])
@pytest.mark.parametrize("url", [SLACK, DISCORD, TELEGRAM])
def test_no_wish_in_the_address_turns_a_name_into_markup_or_one_message_into_two(
    sink: WebSink, url: str, wanted: str
) -> None:
    channel(f"{url}?{wanted}").send(message(HOSTILE["markdown"], *["A & B_c :smile:"] * 100))

    (posted,) = sink.received
    for harmful in ("@everyone", "@here", "<!channel>", "<@U1>", "](https", "`", "*bold*", "\U0001f604"):
        assert harmful not in text(posted)


@pytest.mark.parametrize(("service", "most"), [("discord", 2000), ("mastodon", 500), ("telegram", 4096)])
def test_a_long_message_is_cut_to_what_the_service_takes(sink: WebSink, service: str, most: int) -> None:
    agencies = [f"Agency {number} & Sons' Office" for number in range(200)]

    channel(services(sink)[service], most=200).send(message(*agencies, full_report="https://example.org/all"))

    (posted,) = [posted for posted in sink.received if posted.method == "POST"]
    document = json.loads(posted.body)
    given = document.get("content") or document.get("status") or document.get("text")
    assert most / 3 < len(given) <= most
    assert "287(g): 200 terminated in Texas" in given
    assert "more" in given


def test_no_more_events_than_asked_for_are_told(sink: WebSink) -> None:
    agencies = [f"Agency {number}" for number in range(9)]

    channel(services(sink)["json"], most=2).send(message(*agencies))

    given = json.loads(sink.received[0].body)["message"]
    assert given.count("Agency ") == 2
    assert "7 more" in given


@pytest.mark.parametrize("kind", [MessageKind.OPERATOR, MessageKind.TEST])
def test_other_messages_are_told_too(sink: WebSink, kind: MessageKind) -> None:
    affairs = (Affair("k", "the check has failed", ("503",), ("watch287g status",)),)

    local(sink).send(message(kind=kind, told=(), affairs=affairs if kind is MessageKind.OPERATOR else ()))

    assert json.loads(sink.received[0].body)["message"]


@pytest.mark.parametrize(
    ("status", "error"),
    [(code, Unavailable) for code in (408, 425, 429, 500, 502, 503)]
    + [(code, Refused) for code in (302, 400, 401, 403, 404, 410)],
)
def test_what_the_service_answers_decides_whether_it_is_tried_again(
    sink: WebSink, status: int, error: type[NotSent]
) -> None:
    sink.answer = lambda _: Answer(status, {"Location": "/elsewhere"})

    with pytest.raises(error, match=rf"^JSON did not take it: .*error={status}") as caught:
        local(sink).send(message())

    assert len(sink.requests) == 1
    assert "secret" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("behaviour", [Behaviour.hang, Behaviour.reset])
def test_a_service_that_hangs_or_breaks_off_is_tried_later(sink: WebSink, behaviour: Behaviour) -> None:
    sink.answer = lambda _: Answer(behaviour=behaviour)
    started = time.monotonic()

    with pytest.raises(Unavailable, match="Connection error"):
        local(sink, seconds=0.3).send(message())

    assert time.monotonic() - started < 3


def test_a_failure_counts_though_the_address_says_that_it_may_fail(sink: WebSink) -> None:
    sink.answer = lambda _: Answer(500)

    with pytest.raises(Unavailable):
        local(sink, "hook?optional=yes&retry=3&wait=0").send(message())

    assert len(sink.requests) == 1


def test_failures_at_the_same_time_are_told_apart(sink: WebSink) -> None:
    sink.answer = lambda posted: Answer(int(posted.path.rpartition("/")[2]))
    said: dict[int, str] = {}

    def send(status: int) -> None:
        try:
            local(sink, f"hook/{status}").send(message())
        except NotSent as error:
            said[status] = str(error)

    threads = [threading.Thread(target=send, args=(status,)) for status in (404, 403, 500, 503)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {status for status, reason in said.items() if reason.endswith(f"error={status}.")} == {403, 404, 500, 503}


@pytest.mark.parametrize("url", ["nonsense://very-secret", "very-secret", "", "slack://very-secret", "json://"])
def test_an_address_that_cannot_be_used_is_told_without_it(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(Refused) as caught:
        channel(url).send(message())

    assert validate(url) == str(caught.value)
    assert "very-secret" not in str(caught.value)


def test_an_address_that_can_be_used_is_not_complained_of() -> None:
    assert [validate(url) for url in (SLACK, DISCORD, TELEGRAM, "json://example.org/hook")] == [None] * 4


def test_a_known_service_is_named_when_the_rest_is_wrong() -> None:
    assert str(validate("slack://very-secret")).startswith("is no whole slack:// address")
