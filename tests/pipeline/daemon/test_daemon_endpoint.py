"""The endpoint, on real sockets over a real history: what it tells monitors, and what nobody can do to it."""

from __future__ import annotations

import http.client
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from db import write
from db.connect import open_writable, transaction
from db.records import Outcome, Trigger
from pipeline.daemon import endpoint as endpoints
from pipeline.daemon.endpoint import CONNECTIONS, Endpoint, _Recent
from pipeline.daemon.metrics import exposition
from pipeline.daemon.readings import Readings, take, trouble
from tests.db.histories import History, story

NOW = datetime(2025, 6, 27, 14, tzinfo=UTC)
EMPTY = Readings(None, "there is no history yet", False, None)


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A history with everything in it, of which both lists are known and one is held."""
    folder = tmp_path_factory.mktemp("told")
    with History(folder) as history:
        history.post(*story()[:9])
        history.connection.execute(
            "insert into message (public_id, target, kind, made_at, state) values"
            " ('m-1', 't', 'alert', '2025-03-04T00:00:00Z', 'due'),"
            " ('m-2', 't', 'alert', '2025-03-04T00:00:00Z', 'sent'),"
            " ('m-3', 't', 'alert', '2025-03-04T00:00:00Z', 'failed')"
        )
    return folder


@pytest.fixture
def database(told: Path, tmp_path: Path) -> Path:
    for file in told.glob("history.db*"):
        shutil.copy(file, tmp_path)
    return tmp_path / "history.db"


def check(database: Path, *outcomes: str, ended: datetime = NOW) -> None:
    """Checks that ended so, an hour from each other, the last of them at `ended`."""
    with closing(open_writable(database)) as connection, transaction(connection):
        for number, outcome in enumerate(outcomes, 1 - len(outcomes)):
            at = ended + timedelta(hours=number)
            write.add_check(
                connection, at, at, Trigger.SCHEDULE, Outcome(outcome), {"page": "<b>ICE</b>"}, "ICE's words"
            )


def samples(text: bytes) -> dict[tuple[str, ...], float]:
    """Each sample by its name and its labels' values."""
    families = text_string_to_metric_families(text.decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


@pytest.fixture(autouse=True)
def it_stops_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "_POLL_SECONDS", 0.01)


class Asked:
    """The endpoint of a history at 14:00, and what it answers."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as client:
            client.request(method, path, headers=headers)
            answer = client.getresponse()
            return answer.status, answer.read(), answer.headers

    def say(self, words: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as client:
            client.sendall(words)
            return b"".join(iter(lambda: client.recv(65_536), b""))


@pytest.fixture
def serve() -> Iterator[Callable[..., Asked]]:
    with ExitStack() as stack:

        def start(readings: Callable[[], Readings], seconds: float = 5.0) -> Asked:
            running = Endpoint("127.0.0.1", 0, readings, request_seconds=seconds)
            assert running.start() is None
            stack.callback(running.stop)
            return Asked(running.port)

        yield start


@pytest.fixture
def asked(serve: Callable[..., Asked], database: Path) -> Asked:
    return serve(lambda: take(database, NOW, 26, {"check": NOW + timedelta(minutes=23)}))


def test_a_good_last_check_is_healthy(database: Path, asked: Asked) -> None:
    check(database, "failed", "recovered", "unchanged")

    status, body, headers = asked.get("/healthz")

    assert (status, body) == (200, b"ok\n")
    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers


def test_a_held_list_is_healthy(database: Path, asked: Asked) -> None:
    check(database, "unchanged", "held")

    assert asked.get("/healthz")[:2] == (200, b"ok\n")


TROUBLES = {
    "the last check failed; the last good one was at 2025-06-27T13:00:00Z": (("unchanged", "failed"), 0),
    "the last 2 checks failed; the last good one was at 2025-06-27T12:00:00Z": (("held", "failed", "failed-again"), 0),
    "the last check failed": (("failed",), 0),
    "the last check was at 2025-06-26T11:00:00Z, too long ago": (("unchanged",), 27),
    "there has been no check yet": ((), 0),
}


@pytest.mark.parametrize(("said", "checks"), TROUBLES.items(), ids=TROUBLES.keys())
def test_what_is_wrong_is_told_in_a_line(
    database: Path, asked: Asked, said: str, checks: tuple[tuple[str, ...], int]
) -> None:
    outcomes, hours = checks
    check(database, *outcomes, ended=NOW - timedelta(hours=hours))

    assert asked.get("/healthz")[:2] == (503, f"{said}\n".encode())


def test_a_clock_that_was_set_back_makes_no_check_too_old(database: Path) -> None:
    check(database, "unchanged", ended=NOW + timedelta(days=400))

    assert trouble(take(database, NOW, 26)) is None


def test_the_order_of_checks_is_that_in_which_they_were_made_whatever_the_clock_said(database: Path) -> None:
    check(database, "unchanged", ended=NOW + timedelta(days=1))
    check(database, "failed", ended=NOW)

    history = take(database, NOW, 26).history

    assert history is not None
    assert (history.failures, history.last_finished) == (1, NOW)


def test_the_metrics_are_those_of_the_history(database: Path, asked: Asked) -> None:
    check(database, "unchanged", "failed", "failed-again")

    status, body, headers = asked.get("/metrics")

    found = samples(body)
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert {key[0] for key in found} == {
        "watch287g_build_info",
        "watch287g_history_readable",
        "watch287g_check_last_success_timestamp_seconds",
        "watch287g_check_last_finished_timestamp_seconds",
        "watch287g_check_failures_in_a_row",
        "watch287g_checks_total",
        "watch287g_list_rows",
        "watch287g_list_last_new_timestamp_seconds",
        "watch287g_held_publications",
        "watch287g_alerts_waiting",
        "watch287g_alerts_failed",
        "watch287g_disk_free_bytes",
        "watch287g_daemon_next_run_timestamp_seconds",
    }
    assert found["watch287g_check_last_success_timestamp_seconds",] == (NOW - timedelta(hours=2)).timestamp()
    assert found["watch287g_check_last_finished_timestamp_seconds",] == NOW.timestamp()
    assert found["watch287g_check_failures_in_a_row",] == 2
    assert found["watch287g_checks_total", "failed"] == found["watch287g_checks_total", "failed-again"] == 1
    assert found["watch287g_checks_total", "changed"] == 0
    assert found["watch287g_list_rows", "participating"] == 41
    assert found["watch287g_list_rows", "pending"] == 4
    assert (
        found["watch287g_list_last_new_timestamp_seconds", "participating"]
        == datetime(2025, 3, 7, 14, tzinfo=UTC).timestamp()
    )
    assert found["watch287g_held_publications",] == 1
    assert (found["watch287g_alerts_waiting",], found["watch287g_alerts_failed",]) == (1, 1)
    assert found["watch287g_daemon_next_run_timestamp_seconds", "check"] == (NOW + timedelta(minutes=23)).timestamp()


def test_every_metric_says_what_it_is(database: Path) -> None:
    families = list(text_string_to_metric_families(exposition(take(database, NOW, 26, {"check": NOW})).decode()))

    assert [family.name for family in families if not family.documentation.endswith(".")] == []
    assert {family.type for family in families} == {"gauge", "counter"}
    assert len(families) == len({family.name for family in families})


def test_no_text_of_others_is_told(database: Path, asked: Asked) -> None:
    check(database, "unchanged", "failed")

    said = asked.get("/metrics")[1] + asked.get("/healthz")[1]

    for word in (b"ICE", b"Sheriff", b"County", b".xlsx", str(database.parent).encode()):
        assert word not in said


def test_no_metric_is_left_in_the_process(database: Path) -> None:
    exposition(take(database, NOW, 26))

    assert [family.name for family in REGISTRY.collect() if family.name.startswith("watch287g")] == []


def test_an_empty_history_can_be_read(tmp_path: Path) -> None:
    open_writable(tmp_path / "history.db").close()
    readings = take(tmp_path / "history.db", NOW, 26)

    found = samples(exposition(readings))

    assert found["watch287g_history_readable",] == 1
    assert ("watch287g_check_last_success_timestamp_seconds",) not in found
    assert found["watch287g_checks_total", "unchanged"] == 0


def test_without_a_history_it_is_told_so(serve: Callable[..., Asked], tmp_path: Path) -> None:
    asked = serve(lambda: take(tmp_path / "nowhere" / "history.db", NOW, 26))

    assert asked.get("/healthz")[:2] == (503, b"there is no history yet\n")
    assert samples(asked.get("/metrics")[1])["watch287g_history_readable",] == 0


@pytest.mark.parametrize("damage", ["no database", "empty", "torn", "locked away"])
def test_a_history_that_cannot_be_read_is_told_in_a_line(
    serve: Callable[..., Asked], database: Path, damage: str
) -> None:
    check(database, "unchanged")
    content = database.read_bytes()
    match damage:
        case "no database":
            database.write_bytes(b"<html>" * 1000)
        case "empty":
            database.write_bytes(b"")
        case "torn":
            database.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
        case "locked away":
            database.unlink()
            database.mkdir()
    asked = serve(lambda: take(database, NOW, 26))

    assert asked.get("/healthz")[:2] == (503, b"the history cannot be read\n")
    assert asked.get("/metrics")[0] == 200


def test_a_year_of_checks_is_counted_at_once(database: Path) -> None:
    check(database, *["unchanged", "failed"] * 4_380)
    took = []
    for _ in range(5):
        before = time.perf_counter()
        readings = take(database, NOW, 26)
        took.append(time.perf_counter() - before)

    assert readings.history is not None
    assert readings.history.checks[Outcome.FAILED] == 4_380
    assert min(took) < 0.1


def test_reading_changes_nothing(database: Path, asked: Asked) -> None:
    before = database.read_bytes()

    asked.get("/metrics")

    assert database.read_bytes() == before


def test_a_bug_in_the_readings_is_told_once_and_served_as_such(
    serve: Callable[..., Asked], caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> Readings:
        raise ZeroDivisionError("marked-secret")

    asked = serve(broken)

    answers = [asked.get("/healthz")[:2] for _ in range(3)]

    assert answers == [(500, b"the readings cannot be taken\n")] * 3
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_readings_are_taken_once_a_second() -> None:
    clock, taken = [0.0], []
    recent = _Recent(lambda: taken.append(1) or EMPTY, lambda: clock[0])  # type: ignore[func-returns-value]

    for moment in (0.0, 0.5, 0.9, 1.1, 1.2, 2.2):
        clock[0] = moment
        recent()

    assert len(taken) == 3


@pytest.mark.parametrize(
    "path", ["/", "/healthz/", "/metrics/..", "//evil", "/history.db", "http://127.0.0.1/metrics", "*"]
)
def test_nothing_else_is_served(serve: Callable[..., Asked], path: str) -> None:
    assert serve(lambda: EMPTY).get(path)[:2] == (404, b"not found\n")


def test_a_query_changes_nothing(serve: Callable[..., Asked]) -> None:
    assert serve(lambda: EMPTY).get("/metrics?name[]=x")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get", "BREW"])
def test_nothing_can_be_done_but_to_read(serve: Callable[..., Asked], method: str) -> None:
    status, body, headers = serve(lambda: EMPTY).get("/metrics", method)

    assert (status, body, headers["Allow"]) == (405, b"method not allowed\n", "GET, HEAD")


def test_what_is_posted_does_not_break_the_answer(serve: Callable[..., Asked]) -> None:
    body = b"x" * 50_000
    said = serve(lambda: EMPTY).say(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n" + body)

    assert said.startswith(b"HTTP/1.0 405 ")


def test_the_head_of_an_answer_is_that_of_the_whole(serve: Callable[..., Asked]) -> None:
    asked = serve(lambda: EMPTY)

    status, body, headers = asked.get("/metrics", "HEAD")

    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) == len(asked.get("/metrics")[1])


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1", "127.0.0.1:80", "[::1]:80", "LocalHost"])
def test_this_computer_may_be_asked_by_its_names(serve: Callable[..., Asked], host: str) -> None:
    assert serve(lambda: EMPTY).get("/metrics", Host=host)[0] == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.2", "", "[", "a@b"]
)
def test_a_page_elsewhere_cannot_have_a_browser_ask(serve: Callable[..., Asked], host: str) -> None:
    assert serve(lambda: EMPTY).get("/metrics", Host=host)[0] == 403


def test_each_of_two_hosts_must_be_this_computer(serve: Callable[..., Asked]) -> None:
    said = serve(lambda: EMPTY).say(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n")

    assert said.startswith(b"HTTP/1.0 403 ")


def test_a_client_without_a_host_is_no_browser(serve: Callable[..., Asked]) -> None:
    assert serve(lambda: EMPTY).say(b"GET /metrics HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.0 200 ")


def test_where_all_may_ask_any_name_will_do() -> None:
    running = Endpoint("0.0.0.0", 0, lambda: EMPTY)  # noqa: S104
    assert running.start() is None
    try:
        assert Asked(running.port).get("/metrics", Host="monitored.example")[0] == 200
    finally:
        running.stop()


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
        (b"GET <script>alert(1)</script> x HTTP/1.1\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"505"),
        (b"GET / FTP/1.0\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", b"400"),
        (b"GET /metrics\r\n\r\n", b"200"),
    ],
)
def test_a_request_that_is_none_is_answered_without_its_words(
    serve: Callable[..., Asked], words: bytes, status: bytes
) -> None:
    said = serve(lambda: EMPTY).say(words)

    assert said.startswith(b"HTTP/1.0 " + status)
    assert b"script" not in said
    assert b"Python" not in said


def test_a_client_that_hangs_up_disturbs_nobody(serve: Callable[..., Asked], capfd: pytest.CaptureFixture[str]) -> None:
    asked = serve(lambda: EMPTY)
    for words in (b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", asked.port), timeout=10) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(words)

    assert asked.get("/metrics")[0] == 200
    assert capfd.readouterr() == ("", "")


def test_a_client_that_drips_is_cut_off(serve: Callable[..., Asked]) -> None:
    asked = serve(lambda: EMPTY, seconds=0.3)
    sent = 0
    with socket.create_connection(("127.0.0.1", asked.port)) as client:
        client.settimeout(0.02)
        client.sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        while sent < 500:
            try:
                client.sendall(b"x")
                sent += 1
                assert client.recv(1) == b""
                break
            except TimeoutError:
                continue
            except ConnectionError:
                break

    assert 0 < sent < 500


def test_clients_that_say_nothing_do_not_keep_out_others_for_long(serve: Callable[..., Asked]) -> None:
    asked = serve(lambda: EMPTY, seconds=1.0)
    before = threading.active_count()
    with ExitStack() as stack:
        silent = [
            stack.enter_context(socket.create_connection(("127.0.0.1", asked.port), timeout=10))
            for _ in range(3 * CONNECTIONS)
        ]
        assert silent[-1].recv(1) == b""
        assert threading.active_count() - before <= CONNECTIONS
        assert {client.recv(1) for client in silent} == {b""}

    assert eventually(lambda: asked.get("/metrics")[0]) == 200


def eventually(ask: Callable[[], int]) -> int:
    until = time.monotonic() + 10
    while True:
        try:
            return ask()
        except (OSError, http.client.HTTPException):
            if time.monotonic() > until:
                raise


def test_many_at_a_time_are_served(serve: Callable[..., Asked], database: Path) -> None:
    check(database, "unchanged")
    asked = serve(lambda: take(database, NOW, 26))
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(asked.get("/metrics")[0])) for _ in range(CONNECTIONS // 2)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [200] * len(threads)


def test_a_port_that_is_taken_is_told_in_a_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        running = Endpoint("127.0.0.1", port, lambda: EMPTY)

        said = running.start()
        running.stop()

    assert said == f"cannot listen on 127.0.0.1 port {port}: Address already in use"


def test_a_host_that_does_not_exist_is_told_in_a_line() -> None:
    said = Endpoint("no-such-host.invalid", 0, lambda: EMPTY).start()

    assert said is not None
    assert said.startswith("cannot listen on no-such-host.invalid port 0: ")
    assert "\n" not in said


def test_what_has_stopped_can_start_again_on_its_port() -> None:
    running = Endpoint("127.0.0.1", 0, lambda: EMPTY)
    assert running.start() is None
    port = running.port
    Asked(port).get("/metrics")
    running.stop()
    with pytest.raises(ConnectionRefusedError):
        Asked(port).get("/metrics")

    again = Endpoint("127.0.0.1", port, lambda: EMPTY)
    assert again.start() is None
    try:
        assert Asked(port).get("/metrics")[0] == 200
    finally:
        again.stop()


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_it_listens_on_version_6_of_the_protocol_too() -> None:
    running = Endpoint("::1", 0, lambda: EMPTY)
    if (said := running.start()) is not None:
        pytest.skip(said)
    try:
        with closing(http.client.HTTPConnection("::1", running.port, timeout=10)) as client:
            client.request("GET", "/metrics")
            assert client.getresponse().status == 200
    finally:
        running.stop()
