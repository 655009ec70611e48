"""A real mail server and a real web server on localhost that keep what they get, and can be told to misbehave.

Both are made for many threads and for processes that are killed: `received` holds what a recipient would have seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult

from pipeline.demo.server import Answer, Behaviour
from pipeline.reports.messages.content import Evidence, Message, MessageKind, Occasion, Told
from tests.pipeline.reports.story import event

MADE_AT = "2025-06-27T14:00:00Z"

HOSTILE = {
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "newlines": "Sheriff\r\nBcc: victim@example.org\r\n\r\n.\r\nQUIT",
    "formula": '=HYPERLINK("https://evil.example","x")',
    "markdown": "*bold* _it_ `code` [x](https://evil.example) # h @everyone @here <!channel> <@U1>",
    "terminal": "\x1b]0;owned\x07\x1b[2JSheriff",
    "right to left": "Sheriff \u202eeciffO\u2066",
    "long": "Sheriff" * 1500,
    "shell": "$(touch owned) `touch owned`; touch owned",
    "null": "Sheriff\x00Office",
}
"""Names of agencies that somebody could get onto ICE's list."""


def told(agency: str = "Kerr County Sheriff's Office", number: int = 1) -> Told:
    """A termination in Kerr County."""
    shown = Evidence("participatingAgencies06272025am.xlsx", "ab" * 32, None, MADE_AT, "ab/abab.xlsx")
    before = Evidence("participatingAgencies06262025pm.xlsx", "cd" * 32, 700, MADE_AT, "cd/cdcd.xlsx")
    happened = event(agency=agency, event_id=f"e-{number:012x}", agreement_id=f"a-{number:010x}")
    return Told(happened, Occasion.TOLD, None, None, "2025-05-12", shown, before)


def message(*agencies: str, ident: str = "m-0123456789abcdef", **fields: Any) -> Message:
    """An alert about these agencies, one if none is given."""
    some = tuple(told(name, number) for number, name in enumerate(agencies or ("Kerr County Sheriff's Office",), 1))
    values = {"kind": MessageKind.ALERT, "subscriber": "texas", "made_at": MADE_AT, "told": some}
    return Message(id=ident, **(values | fields))


class Mishap(StrEnum):
    """What may happen in place of an answer."""

    hang = "hang"  # no answer
    drop = "drop"  # the connection breaks
    lose = "lose"  # at DATA: the mail is kept, and the connection breaks before that is said


@dataclass(frozen=True, slots=True)
class Step:
    """Where a conversation by SMTP is: EHLO, AUTH, MAIL, RCPT or DATA, its address, and the mails received so far."""

    stage: str
    argument: str
    received: int


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mail that was kept. `connection` is the port that it came from."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    connection: int
    encrypted: bool
    login: str | None

    @property
    def mail(self) -> EmailMessage:
        """It, read."""
        parsed = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def key(self) -> str:
        """The Message-ID, by which a repetition is told."""
        return str(self.mail["Message-ID"])


Script = Callable[[Step], str | Mishap | None]


class MailSink:
    """A mail server on 127.0.0.1 for as long as the `with` block lasts.

    Args:
        script: what is answered at a step, such as `550 5.1.1 no such user`; None where all is well. It may be changed
            at any time.
        tls: with it, the server speaks TLS from the start, or demands STARTTLS if `starttls`.
        login: the name and password that it demands.
    """

    def __init__(
        self,
        script: Script = lambda _: None,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: bool = False,
        login: tuple[str, str] | None = None,
    ) -> None:
        self.script = script
        self.received: list[Mailed] = []
        self.steps: list[Step] = []
        self.port = 0
        self._tls, self._starttls, self._login = tls, starttls, login
        self._servers: list[SMTP] = []
        self._changed = threading.Condition()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def wait_for(self, number: int, seconds: float = 10.0) -> bool:
        """Wait until so many mails were received."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.received) >= number, seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def drop_all(self) -> None:
        """Break every connection that is open."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (self._abort(), done.set()))
        done.wait(10)

    def _abort(self) -> None:
        for server in self._servers:
            if server.transport is not None:
                server.transport.abort()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        wrapped = None if self._starttls else self._tls
        server = await self._loop.create_server(self._server, "127.0.0.1", 0, ssl=wrapped, backlog=64)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        self._abort()
        await asyncio.sleep(0)

    def _server(self) -> SMTP:
        server = SMTP(
            _Hooks(self),
            hostname="sink.example",
            enable_SMTPUTF8=True,
            tls_context=self._tls if self._starttls else None,
            require_starttls=self._starttls,
            authenticator=self._authenticate,
            auth_required=self._login is not None and self._starttls,
            auth_require_tls=self._starttls,
            loop=self._loop,
        )
        self._servers.append(server)
        return server

    def _authenticate(self, _server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        said = self.scripted("AUTH", data.login.decode())
        if isinstance(said, str) and not isinstance(said, Mishap):
            return AuthResult(success=False, handled=False, message=said)
        right = (data.login.decode(), data.password.decode()) == self._login
        return AuthResult(success=right, handled=False, auth_data=data.login.decode())

    def scripted(self, stage: str, argument: str) -> str | Mishap | None:
        """Note a step, and return what is to be answered."""
        step = Step(stage, argument, len(self.received))
        self.steps.append(step)
        return self.script(step)

    def keep(self, mailed: Mailed) -> None:
        """Receive a mail."""
        with self._changed:
            self.received.append(mailed)
            self._changed.notify_all()


class _Hooks:
    """What aiosmtpd asks at each step."""

    def __init__(self, sink: MailSink) -> None:
        self._sink = sink

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        said = await self._said(server, "EHLO", hostname)
        session.host_name = hostname
        return [said] if said else responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if said := await self._said(server, "MAIL", address):
            return said
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        if said := await self._said(server, "RCPT", address):
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        said = self._sink.scripted("DATA", envelope.mail_from)
        if said in (None, Mishap.lose):
            mailed = Mailed(
                envelope.mail_from,
                tuple(envelope.rcpt_tos),
                envelope.original_content,
                session.peer[1],
                server.transport.get_extra_info("sslcontext") is not None,
                session.auth_data if session.authenticated else None,
            )
            self._sink.keep(mailed)
        return await self._done(server, said) or f"250 OK kept as {len(self._sink.received)}"

    async def _said(self, server: SMTP, stage: str, argument: str) -> str | None:
        return await self._done(server, self._sink.scripted(stage, argument))

    @staticmethod
    async def _done(server: SMTP, said: str | Mishap | None) -> str | None:
        match said:
            case Mishap.hang:
                await asyncio.Event().wait()
            case Mishap.drop | Mishap.lose:
                server.transport.abort()
                return "421 gone"
            case _:
                return said
        return None


@dataclass(frozen=True, slots=True)
class Posted:
    """A request as it arrived, header names in lower case, and what was answered."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float  # of time.monotonic()

    @property
    def key(self) -> str:
        """The message's id, by which a repetition is told."""
        return self.headers.get("idempotency-key", "")


class WebSink:
    """A web server on 127.0.0.1 that keeps what is posted to it, for as long as the `with` block lasts.

    `answer` gives the answer to a request, and may be changed at any time. `requests` are all that came whole;
    `received` those that were answered with 200 to 299 or, having been taken, got no answer for `reset`.
    """

    def __init__(self, answer: Callable[[Posted], Answer] = lambda _: Answer(204)) -> None:
        self.answer = answer
        self.requests: list[Posted] = []
        self.received: list[Posted] = []
        self.closed = threading.Event()
        self._changed = threading.Condition()
        self._scheme = "http"
        self._server = _WebServer(self)
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

    def wait_for(self, number: int, seconds: float = 10.0) -> bool:
        """Wait until so many requests were received."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.received) >= number, seconds)

    def take(self, posted: Posted) -> Answer:
        """Record a request, and return its answer."""
        answer = self.answer(posted)
        with self._changed:
            self.requests.append(posted)
            if 200 <= answer.status < 300 and answer.behaviour is not Behaviour.hang:
                self.received.append(posted)
            self._changed.notify_all()
        return answer

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


class _WebServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, sink: WebSink) -> None:
        self.sink = sink
        super().__init__(("127.0.0.1", 0), _WebHandler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are what this server is for."""


class _WebHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60.0

    def do_POST(self) -> None:
        sink = self.server.sink  # type: ignore[attr-defined]
        headers = {name.lower(): value for name, value in self.headers.items()}
        length = int(headers.get("content-length", 0))
        body = self.rfile.read(length)
        if len(body) < length:  # the client was killed half way
            self.close_connection = True
            return
        answer = sink.take(Posted(self.command, self.path, headers, body, time.monotonic()))
        match answer.behaviour:
            case Behaviour.hang:
                sink.closed.wait()
                self.close_connection = True
            case Behaviour.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                with contextlib.suppress(OSError):
                    self.connection.close()
            case _:
                self._respond(answer, sink)

    do_GET = do_PUT = do_POST  # noqa: N815

    def _respond(self, answer: Answer, sink: WebSink) -> None:
        self.send_response(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if answer.behaviour is Behaviour.drip:
            for byte in answer.body:
                if sink.closed.wait(0.05):
                    break
                self.wfile.write(bytes([byte]))
        else:
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Be quiet."""


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that nobody vouches for: what a server needs, and a client that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now, day = datetime.now(UTC), timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem = folder / "sink.pem"
    private = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(key.private_bytes(*private) + signed.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    return server, ssl.create_default_context(cafile=str(pem))
