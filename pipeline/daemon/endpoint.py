"""`/healthz` and `/metrics` over HTTP, for monitors: two pages, read only, for a few clients at a time.

Whoever asks is trusted with nothing: a request has a bounded size and time, and the answer repeats none of it.
"""

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from ipaddress import ip_address
from socketserver import TCPServer, ThreadingMixIn
from typing import Any
from urllib.parse import urlsplit

from pipeline.daemon import metrics
from pipeline.daemon.readings import Readings, trouble

CONNECTIONS = 16
"""How many clients are served at a time; another is turned away."""

REQUEST_SECONDS = 5.0
REQUEST_BYTES = 8_192

_FRESH_SECONDS = 1.0
_PAUSE_SECONDS = 0.1
_POLL_SECONDS = 0.5
_PLAIN = "text/plain; charset=utf-8"
_LOG = logging.getLogger("watch287g")


class Endpoint:
    """Serves what `readings` gives, which is asked once a second at most.

    Args:
        host: the address or name to listen on. On a loopback address a request must name this computer as its host,
            so that no web page can have a browser ask (DNS rebinding).
        port: 0 lets the system choose one.
        request_seconds: how long a client may take for its request.
    """

    def __init__(
        self, host: str, port: int, readings: Callable[[], Readings], *, request_seconds: float = REQUEST_SECONDS
    ) -> None:
        self._host, self._port, self._seconds = host, port, request_seconds
        self._readings = _Recent(readings)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port that it listens on, or is to listen on."""
        return int(self._server.server_address[1]) if self._server else self._port

    def start(self) -> str | None:
        """Begin to listen.

        Returns:
            None, or one line on why it cannot.
        """
        try:
            self._server = _Server(self._host, self._port, self._readings, self._seconds)
            self._thread = threading.Thread(
                target=self._server.serve_forever, args=(_POLL_SECONDS,), name="endpoint", daemon=True
            )
            self._thread.start()
        except (OSError, UnicodeError, RuntimeError) as error:
            self.stop()
            return f"cannot listen on {self._host} port {self._port}: {getattr(error, 'strerror', None) or error}"
        return None

    def stop(self) -> None:
        """Listen no more; requests that are being answered have a few seconds yet."""
        if self._server is not None:
            if self._thread is not None and self._thread.is_alive():
                self._server.shutdown()
                self._thread.join()
            self._server.server_close()
        self._server = self._thread = None


class _Recent:
    """The last readings, taken anew when they are a second old, by one client for all that wait."""

    def __init__(self, take: Callable[[], Readings], clock: Callable[[], float] = time.monotonic) -> None:
        self._take, self._clock = take, clock
        self._lock = threading.Lock()
        self._last: tuple[float, Readings] | None = None

    def __call__(self) -> Readings:
        with self._lock:
            if self._last is None or self._clock() - self._last[0] >= _FRESH_SECONDS:
                readings = self._take()
                self._last = self._clock(), readings
            return self._last[1]


class _Server(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 4 * CONNECTIONS

    def __init__(self, host: str, port: int, readings: _Recent, seconds: float) -> None:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        self.address_family = family
        self.seconds = seconds
        self._readings = readings
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        self._told: set[str] = set()
        super().__init__(address[:2], _Handler)  # type: ignore[arg-type]
        is_loopback = ip_address(str(self.server_address[0]).partition("%")[0]).is_loopback
        self._names = {"localhost", "127.0.0.1", "::1", host.lower(), str(self.server_address[0])}
        self._names = self._names if is_loopback else set()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take the next client; where there is no room for a connection, not at once again."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(_PAUSE_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a client in a thread, or turn it away."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a client."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Say nothing of clients that hang up, and of a bug once."""
        if not isinstance(sys.exc_info()[1], OSError):
            self._tell("the endpoint cannot answer")

    def answer(self, method: str, target: str, hosts: list[str]) -> tuple[HTTPStatus, str, bytes]:
        """The status, the content's type and the content for a request."""
        if self._names and not all(_host(host) in self._names for host in hosts):
            return HTTPStatus.FORBIDDEN, _PLAIN, b"ask for this computer by its own name, such as localhost\n"
        if method not in ("GET", "HEAD"):
            return _plainly(HTTPStatus.METHOD_NOT_ALLOWED)
        path = target.partition("?")[0]
        if path not in ("/healthz", "/metrics"):
            return _plainly(HTTPStatus.NOT_FOUND)
        try:
            readings = self._readings()
            if path == "/metrics":
                return HTTPStatus.OK, metrics.CONTENT_TYPE, metrics.exposition(readings)
        except Exception:  # a border: the daemon goes on, and its monitor is told
            self._tell("the endpoint cannot take its readings")
            return HTTPStatus.INTERNAL_SERVER_ERROR, _PLAIN, b"the readings cannot be taken\n"
        wrong = trouble(readings)
        return (HTTPStatus.SERVICE_UNAVAILABLE if wrong else HTTPStatus.OK), _PLAIN, f"{wrong or 'ok'}\n".encode()

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            _LOG.exception(what)


def _plainly(status: HTTPStatus) -> tuple[HTTPStatus, str, bytes]:
    return status, _PLAIN, f"{status.phrase.lower()}\n".encode()


def _host(header: str) -> str:
    """The name in a Host header, without its port; empty if there is none to be read."""
    try:
        return urlsplit(f"//{header.strip()}").hostname or ""
    except ValueError:
        return ""


class _Handler(BaseHTTPRequestHandler):
    """One request, and the end of its connection."""

    server: _Server
    default_request_version = "HTTP/1.0"  # else a bad first line would be answered without a status

    def setup(self) -> None:
        """Take the connection; nothing is read yet."""
        self._until = time.monotonic() + self.server.seconds
        self.connection = self.request
        self.wfile = self._answer = BytesIO()

    def finish(self) -> None:
        """Send what was written, and wait a little for the client to take it."""
        self.connection.settimeout(self.server.seconds)
        with suppress(OSError):
            self.connection.sendall(self._answer.getvalue())
            self.connection.shutdown(socket.SHUT_WR)
            self._drain()

    def handle(self) -> None:
        """Read a request that is neither too long nor too slow, and answer it."""
        head = self._head()
        if not head:
            return
        self.rfile = BytesIO(head)
        self.raw_requestline = self.rfile.readline()
        self.requestline, self.command, self.request_version = "", "", self.default_request_version
        if b"\r\n\r\n" not in head and b"\n\n" not in head:
            self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self.parse_request():
            hosts = self.headers.get_all("Host", [])
            self._respond(*self.server.answer(self.command, self.path, hosts))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """What is wrong with a request, in a word and without repeating any of it."""
        self._respond(*_plainly(HTTPStatus(code)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Monitors ask every few seconds: nothing is logged."""

    def _head(self) -> bytes:
        """What the client sends up to the empty line; empty if it is too slow or gone."""
        head = b""
        while len(head) < REQUEST_BYTES and b"\r\n\r\n" not in head and b"\n\n" not in head:
            if not (more := self._receive(REQUEST_BYTES - len(head))):
                return b""
            head += more
        return head

    def _drain(self) -> None:
        """Take what else the client has sent: closing over it would take the answer from the client too."""
        left = 16 * REQUEST_BYTES
        while left > 0 and (more := self._receive(REQUEST_BYTES)):
            left -= len(more)

    def _receive(self, size: int) -> bytes:
        left = self._until - time.monotonic()
        if left <= 0:
            return b""
        self.connection.settimeout(left)
        try:
            data: bytes = self.connection.recv(size)
        except OSError:
            return b""
        return data

    def _respond(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response_only(status)
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        headers = {
            "Date": self.date_time_string(),
            "Content-Type": kind,
            "Content-Length": str(len(content)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
