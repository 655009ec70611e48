"""A webhook on a real server: what is posted, how a receiver checks it, and what its answers mean."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from pipeline.demo.server import Answer, Behaviour
from pipeline.notify.channels.attempt import NotSent, Refused, Unavailable
from pipeline.notify.channels.webhook import WebhookChannel, signature
from pipeline.notify.settings import Delivery
from tests.pipeline.notify.sinks import HOSTILE, Posted, WebSink, certificate, message

KEY = b"a key of thirty-two bytes, or so"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
PATH = "/hooks/very-secret-token?key=also-secret"


@pytest.fixture
def sink() -> Iterator[WebSink]:
    with WebSink() as running:
        yield running


def channel(sink: WebSink, secret: str = SECRET, seconds: float = 10) -> WebhookChannel:
    return WebhookChannel(sink.url + PATH, secret, Delivery(timeout_seconds=seconds))


def answering(*answers: Answer) -> WebSink:
    left = list(answers)
    return WebSink(lambda _: left.pop(0) if len(left) > 1 else left[0])


def checked(posted: Posted, key: bytes) -> bool:
    """What a receiver writes to check that a message is from us, whole, and not old."""
    message_id, timestamp = posted.headers["webhook-id"], posted.headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        return False
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + posted.body, hashlib.sha256).digest()
    expected = f"v1,{base64.b64encode(signed).decode()}"
    return any(hmac.compare_digest(expected, one) for one in posted.headers["webhook-signature"].split())


def test_the_message_is_posted_as_json_with_its_key(sink: WebSink) -> None:
    said = channel(sink).send(message())

    (posted,) = sink.received
    assert said == "127.0.0.1 answered 204 No Content"
    assert (posted.method, posted.path) == ("POST", PATH)
    assert posted.headers["content-type"] == "application/json"
    assert posted.headers["user-agent"].startswith("watch287g/")
    assert posted.key == posted.headers["webhook-id"] == "m-0123456789abcdef"
    assert json.loads(posted.body)["message_id"] == "m-0123456789abcdef"


def test_the_signature_is_what_the_library_of_standard_webhooks_expects(sink: WebSink) -> None:
    channel(sink).send(message())

    (posted,) = sink.received
    assert Webhook(SECRET).verify(posted.body, dict(posted.headers))["message_id"] == "m-0123456789abcdef"
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(posted.body + b" ", dict(posted.headers))


@pytest.mark.parametrize(("secret", "key"), [(SECRET, KEY), ("any other täxt", "any other täxt".encode())])
def test_a_receiver_can_check_the_signature_in_a_few_lines(sink: WebSink, secret: str, key: bytes) -> None:
    channel(sink, secret).send(message())

    (posted,) = sink.received
    assert checked(posted, key)
    assert not checked(posted, key + b"!")


def test_the_signature_is_that_of_the_specification() -> None:
    signed = signature(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )

    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_that_is_no_base64_is_told_without_it(sink: WebSink) -> None:
    with pytest.raises(Refused, match="is no base64") as caught:
        channel(sink, "whsec_not base64!").send(message())

    assert "not base64!" not in str(caught.value)
    assert sink.requests == []


def test_a_message_that_is_tried_again_has_the_same_key_and_body() -> None:
    with answering(Answer(behaviour=Behaviour.reset), Answer()) as sink:
        way = channel(sink)
        with pytest.raises(Unavailable):
            way.send(message())
        way.send(message())

        first, second = sink.received
        assert (first.key, first.body) == (second.key, second.body)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_success_is_one(status: int) -> None:
    with answering(Answer(status, body=b"" if status == 204 else b"ok")) as sink:
        assert str(status) in channel(sink).send(message())


@pytest.mark.parametrize(
    ("status", "error"),
    [(code, Unavailable) for code in (408, 425, 429, 500, 502, 503, 504, 599)]
    + [(code, Refused) for code in (301, 302, 304, 307, 308, 400, 401, 403, 404, 405, 410, 413, 418, 422)],
)
def test_every_other_answer_is_final_or_not(status: int, error: type[NotSent]) -> None:
    with answering(Answer(status, {"Location": "/elsewhere"})) as sink:
        with pytest.raises(error, match=rf"^127\.0\.0\.1 answered {status}") as caught:
            channel(sink).send(message())

        assert len(sink.requests) == 1
        assert "secret" not in str(caught.value)
        assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("120", 120, 120),
        (" 7 ", 7, 7),
        ("9" * 400, 604_800, 604_800),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 604_800, 604_800),
        (format_datetime(datetime.now(UTC) + timedelta(hours=10), usegmt=True), 18_000, 36_000),
        (format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True), 0, 0),
    ],
    ids=["seconds", "spaces", "endless", "year 9999", "in ten hours", "an hour ago"],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_may_ask_to_be_left_alone(status: int, header: str, low: float, high: float) -> None:
    with answering(Answer(status, {"Retry-After": header})) as sink, pytest.raises(Unavailable) as caught:
        channel(sink).send(message())

    assert caught.value.retry_after is not None
    assert low <= caught.value.retry_after <= high


@pytest.mark.parametrize("header", ["soon", "", "-5", "1e9", "²"])
def test_a_wait_that_nobody_can_read_is_none(header: str) -> None:
    with answering(Answer(503, {"Retry-After": header})) as sink, pytest.raises(Unavailable) as caught:
        channel(sink).send(message())

    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    ("behaviour", "says"), [(Behaviour.hang, "gave no answer within 0.3 s"), (Behaviour.reset, "Connection reset")]
)
def test_a_receiver_that_hangs_or_breaks_off_is_tried_later(behaviour: Behaviour, says: str) -> None:
    with answering(Answer(behaviour=behaviour)) as sink, pytest.raises(Unavailable, match=says) as caught:
        channel(sink, seconds=0.3).send(message())

    assert "secret" not in str(caught.value)


def test_an_answer_without_end_is_not_waited_for() -> None:
    with answering(Answer(body=b"x" * 10_000, behaviour=Behaviour.drip)) as sink:
        started = time.monotonic()

        channel(sink).send(message())

        assert time.monotonic() - started < 5


def test_where_nobody_listens_the_message_waits() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(Unavailable, match=r"^127\.0\.0\.1 could not be reached: Connection refused$"):
        WebhookChannel(f"http://127.0.0.1:{port}{PATH}", SECRET, Delivery()).send(message())


@pytest.mark.parametrize("url", ["http://[::1/secret", "http://.secret.example/", "http://127.0.0.1:99999/secret"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(NotSent) as caught:
        WebhookChannel(url, SECRET, Delivery(timeout_seconds=0.3)).send(message())

    assert "/secret" not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for_gets_nothing(sink: WebSink, tmp_path: Path) -> None:
    sink.encrypt(certificate(tmp_path)[0])

    with pytest.raises(Unavailable, match="its certificate is not valid"):
        channel(sink).send(message())

    assert sink.requests == []


def test_no_password_is_taken_from_netrc_and_one_in_the_address_is_sent(
    sink: WebSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr("pipeline.notify.channels.webhook._is_loopback", lambda _: False)

    channel(sink).send(message())
    WebhookChannel(f"http://me:mine@127.0.0.1:{sink.port}/", SECRET, Delivery()).send(message())

    assert "authorization" not in sink.received[0].headers
    assert sink.received[1].headers["authorization"] == f"Basic {base64.b64encode(b'me:mine').decode()}"


def test_a_receiver_on_this_machine_is_not_asked_through_a_proxy(
    sink: WebSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    channel(sink).send(message())

    assert len(sink.received) == 1


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_arrives_as_json(sink: WebSink, name: str) -> None:
    channel(sink).send(message(name))

    (posted,) = sink.received
    assert posted.body.isascii()
    assert json.loads(posted.body)["events"][0]["agency"] == name
