"""A scripted web server on localhost, well behaved or not: for the demonstration, the tests and the benchmark."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

ALLOW_ALL = b"User-agent: *\nAllow: /\n"
_DRIP_SECONDS = 0.05


class Behaviour(StrEnum):
    """How an answer is given."""

    plain = "plain"
    hang = "hang"  # the request is read and never answered
    stall = "stall"  # headers, half of the body, then silence
    drip = "drip"  # a byte at a time
    undeclared = "undeclared"  # no length is declared; the connection closes where the body ends
    cut = "cut"  # the connection closes half way through the declared length
    reset = "reset"  # the connection is reset without an answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path answers. ETag and Last-Modified among the headers are honoured: a condition that holds gets a 304."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    behaviour: Behaviour = Behaviour.plain


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it arrived; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    at: float  # of time.monotonic()


class Site:
    """A site on 127.0.0.1, at a free port, for as long as the `with` block lasts.

    `pages` maps a path, with its query string or without, to an answer, or to a list of answers that are given in turn,
    the last one for good. It may change while the site is up. What is not there is 404.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Answer | list[Answer]] = {"/robots.txt": Answer(body=ALLOW_ALL)}
        self.requests: list[Asked] = []
        self.closed = threading.Event()
        self._turn = threading.Condition()
        self._scheme = "http"
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The root, without a slash at its end."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    def encrypt(self, context: ssl.SSLContext) -> None:
        """Speak TLS from now on."""
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._scheme = "https"

    def asked_for(self, path: str) -> list[Asked]:
        """The requests for `path` so far, in the order of their arrival."""
        return [asked for asked in self.requests if asked.path == path]

    def wait_for(self, path: str, seconds: float = 10.0) -> bool:
        """Wait until `path` has been asked for; False if it was not within `seconds`."""
        with self._turn:
            return self._turn.wait_for(lambda: bool(self.asked_for(path)), seconds)

    def take(self, asked: Asked) -> Answer:
        """Record a request, and return the answer that is due."""
        path = asked.path
        with self._turn:
            self.requests.append(asked)
            self._turn.notify_all()
            page = self.pages.get(path) or self.pages.get(path.partition("?")[0]) or Answer(404, body=b"not found")
            if isinstance(page, Answer):
                return page
            return page.pop(0) if len(page) > 1 else page[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64  # with the default of 5, a burst of connections loses some for a second

    def __init__(self, site: Site) -> None:
        self.site = site
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are what this server is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each kept connection waits 40 ms for an acknowledgement
    timeout = 60.0  # idle connections of clients that never come back

    def do_GET(self) -> None:
        site = self._site
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = site.take(Asked(self.command, self.path, headers, time.monotonic()))
        match answer.behaviour:
            case Behaviour.hang:
                site.closed.wait()
                self.close_connection = True
            case Behaviour.reset:
                self._reset()
            case _ if self._condition_holds(answer):
                self._head(HTTPStatus.NOT_MODIFIED, answer.headers)
            case _:
                self._respond(answer)

    do_HEAD = do_GET  # noqa: N815  # the name is the base class's

    @property
    def _site(self) -> Site:
        assert isinstance(self.server, _Server)  # noqa: S101
        return self.server.site

    def _respond(self, answer: Answer) -> None:
        behaviour, body = answer.behaviour, answer.body
        length = {} if behaviour is Behaviour.undeclared else {"Content-Length": str(len(body))}
        self._head(answer.status, {**answer.headers, **length})
        self.close_connection |= behaviour is not Behaviour.plain
        if self.command == "HEAD":
            return
        match behaviour:
            case Behaviour.drip:
                self._drip(body)
            case Behaviour.cut | Behaviour.stall:
                self.wfile.write(body[: len(body) // 2])
            case _:
                self.wfile.write(body)
        if behaviour is Behaviour.stall:
            self._site.closed.wait()

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _drip(self, body: bytes) -> None:
        for position in range(len(body)):
            if self._site.closed.wait(_DRIP_SECONDS):
                break
            self.wfile.write(body[position : position + 1])

    def _reset(self) -> None:
        # A linger time of zero makes close() send RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.close()

    def _condition_holds(self, answer: Answer) -> bool:
        """RFC 9110, 13.2.2: If-None-Match decides where it was sent, If-Modified-Since only otherwise."""
        if answer.status != HTTPStatus.OK:
            return False
        ours = {name.lower(): value for name, value in answer.headers.items()}
        if (wanted := self.headers.get("If-None-Match")) is not None and "etag" in ours:
            tags = {tag.strip().removeprefix("W/") for tag in wanted.split(",")}
            return "*" in tags or ours["etag"].removeprefix("W/") in tags
        since, modified = _date(self.headers.get("If-Modified-Since")), _date(ours.get("last-modified"))
        return since is not None and modified is not None and modified <= since

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the base class's
        """Be quiet."""


def _date(text: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
