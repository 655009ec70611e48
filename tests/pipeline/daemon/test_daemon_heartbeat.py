"""The heartbeat, on a real server: what is asked for, and what is said when it is not heard."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.daemon.heartbeat import beat
from pipeline.demo.server import Answer, Behaviour
from tests.pipeline.notify.sinks import WebSink, certificate

SECRET = "5f1a2b3c-marked-secret"


@pytest.fixture
def sink() -> Iterator[WebSink]:
    with WebSink(lambda _: Answer(200, body=b"OK")) as running:
        yield running


@pytest.mark.parametrize(
    ("path", "failed", "asked"),
    [
        (f"/{SECRET}", False, f"/{SECRET}"),
        (f"/{SECRET}", True, f"/{SECRET}/fail"),
        (f"/{SECRET}/", True, f"/{SECRET}/fail"),
        (f"/{SECRET}?create=1", True, f"/{SECRET}/fail?create=1"),
    ],
)
def test_the_address_is_asked(sink: WebSink, path: str, failed: bool, asked: str) -> None:
    assert beat(sink.url + path, failed) is None

    (request,) = sink.requests
    assert (request.method, request.path, request.body) == ("GET", asked, b"")
    assert request.headers["user-agent"].startswith("watch287g/")


@pytest.mark.parametrize("status", [400, 404, 429, 500])
def test_another_answer_is_told(sink: WebSink, status: int) -> None:
    sink.answer = lambda _: Answer(status, body=b"no")

    assert beat(f"{sink.url}/{SECRET}") == f"127.0.0.1 answered {status}"


def test_a_redirect_on_the_same_server_is_followed(sink: WebSink) -> None:
    sink.answer = lambda asked: Answer(200) if asked.path == "/moved" else Answer(301, headers={"Location": "/moved"})

    assert beat(f"{sink.url}/{SECRET}") is None
    assert [request.path for request in sink.requests] == [f"/{SECRET}", "/moved"]


def test_a_redirect_elsewhere_is_not_followed(sink: WebSink) -> None:
    with WebSink() as other:
        sink.answer = lambda asked: Answer(302, headers={"Location": f"{other.url}{asked.path}"})

        said = beat(f"{sink.url}/{SECRET}")

    assert said == "127.0.0.1 answered 302, which leads to another host; it is not followed"
    assert other.requests == []


def test_a_ring_of_redirects_ends(sink: WebSink) -> None:
    sink.answer = lambda asked: Answer(302, headers={"Location": asked.path})

    assert beat(f"{sink.url}/{SECRET}") == "127.0.0.1 answered with more than 3 redirects"
    assert len(sink.requests) == 4


@pytest.mark.parametrize("location", ["http://[", "//", "http://127.0.0.1:99999/", "gopher://127.0.0.1/"])
def test_a_redirect_to_no_address_is_told_in_one_line(sink: WebSink, location: str) -> None:
    sink.answer = lambda _: Answer(302, headers={"Location": location})

    said = beat(f"{sink.url}/{SECRET}")

    assert said is not None
    assert "\n" not in said
    assert SECRET not in said


def test_a_server_that_is_slow_is_given_up(sink: WebSink) -> None:
    sink.answer = lambda _: Answer(200, behaviour=Behaviour.hang)

    assert beat(f"{sink.url}/{SECRET}", timeout=0.2) == "127.0.0.1 gave no answer within 0.2 seconds"


def test_a_server_that_answers_byte_by_byte_is_given_up() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
                while not over.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()

        said = beat(f"http://127.0.0.1:{server.getsockname()[1]}/{SECRET}", timeout=0.1)

        over.set()
        thread.join()
    assert said == "127.0.0.1 gave no answer within 0.1 seconds"


def test_a_broken_connection_is_told(sink: WebSink) -> None:
    sink.answer = lambda _: Answer(200, behaviour=Behaviour.reset)

    said = beat(f"{sink.url}/{SECRET}")

    assert said is not None
    assert said.startswith("127.0.0.1 could not be reached: ")
    assert SECRET not in said


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    said = beat(f"http://127.0.0.1:{port}/{SECRET}")

    assert said == "127.0.0.1 could not be reached: Connection refused"


def test_a_certificate_that_nobody_vouches_for_is_told(sink: WebSink, tmp_path: Path) -> None:
    sink.encrypt(certificate(tmp_path)[0])

    said = beat(f"{sink.url}/{SECRET}")

    assert said == "127.0.0.1: TLS failed: its certificate is not valid"


@pytest.mark.parametrize(
    "url",
    [
        "",
        SECRET,
        f"ftp://127.0.0.1/{SECRET}",
        f"http:///{SECRET}",
        f"http://[/{SECRET}",
        f"https://127.0.0.1:x/{SECRET}",
    ],
)
def test_what_is_no_web_address_is_told_without_it(url: str) -> None:
    said = beat(url)

    assert said == "the heartbeat's address is no web address"


def test_no_login_is_taken_from_elsewhere(sink: WebSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login name password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    assert beat(f"{sink.url}/{SECRET}") is None
    assert "authorization" not in sink.requests[0].headers
