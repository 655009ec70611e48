"""The mail server by SMTP: its connection, and what its answers mean for a mail."""

import smtplib
import ssl
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from functools import partial
from types import TracebackType
from typing import Any, Self

from pipeline.notify.channels.attempt import Refused, Unavailable
from pipeline.notify.channels.reason import one_line
from pipeline.notify.settings import Delivery, Mail


class MailServer:
    """The mail server of a run: its connection is opened when it is needed, and kept for the mails that follow.

    A thread that hangs in it stops no other: a connection is used by one mail at a time, and closed after any failure.
    Whoever makes it closes it, unless it `keeps` no connection: then each mail has one of its own.
    """

    def __init__(
        self, mail: Mail, delivery: Delivery, *, keeps: bool = True, tls: ssl.SSLContext | None = None
    ) -> None:
        self.mail = mail
        self.lane = f"mail:{mail.host}:{mail.port}"
        self._timeout = delivery.timeout_seconds
        self._tls = tls
        self._keeps = keeps
        self._kept: deque[_Client] = deque(maxlen=1)

    def send(self, mail: EmailMessage, sender: str, recipient: str) -> str:
        """Hand over a mail; returns the server's answer.

        Raises:
            NotSent: the server did not take it.
        """
        with self._reasons(opening=True):
            client = self._kept_one() or self._opened()
        with self._reasons():
            try:
                client.send_message(mail, sender, [recipient])
            except BaseException:
                client.close()
                raise
        if self._keeps and not self._kept:
            self._kept.append(client)
        else:
            client.leave()
        return client.answer

    def close(self) -> None:
        """Take leave of the server; mails that still come have connections of their own."""
        self._keeps = False
        while self._kept:
            self._kept.pop().leave()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _kept_one(self) -> "_Client | None":
        """The connection of the mail before, if the server still answers on it."""
        try:
            client = self._kept.pop()
        except IndexError:
            return None
        if client.is_alive():
            return client
        client.close()
        return None

    def _opened(self) -> "_Client":
        mail = self.mail
        client = self._greeted()
        try:
            if mail.security == "starttls":
                client.starttls(context=self._context())
            if mail.username is not None and mail.password is not None:
                client.login(mail.username, mail.password.get_secret_value())
        except BaseException:
            client.close()
            raise
        return client

    def _greeted(self) -> "_Client":
        host = self.mail.host or ""
        if self.mail.security == "tls":
            return _TlsClient(host, self.mail.port, timeout=self._timeout, context=self._context())
        return _Client(host, self.mail.port, timeout=self._timeout)

    def _context(self) -> ssl.SSLContext:
        return self._tls or ssl.create_default_context()

    @contextmanager
    def _reasons(self, *, opening: bool = False) -> Iterator[None]:
        """Errors of SMTP, TLS and the network as what they mean for the mail.

        While the connection is opened, they mean that the server is down; later, that it may have the mail.
        """
        unavailable = partial(Unavailable, whole_lane=True, perhaps=not opening)
        server = f"{self.mail.host}:{self.mail.port}"
        try:
            yield
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise self._rejected(f"{server} refuses the recipient", code, said) from None
        except smtplib.SMTPResponseException as error:
            raise self._rejected(
                f"{server} refuses {_refused_part(error)}", error.smtp_code, error.smtp_error, opening
            ) from None
        except smtplib.SMTPNotSupportedError as error:
            raise Refused(f"{server} lacks what is needed: {self._clean(str(error))}") from None
        except (smtplib.SMTPServerDisconnected, TimeoutError) as error:
            late = isinstance(error.__context__ or error, TimeoutError)
            what = f"gave no answer within {self._timeout:g} seconds" if late else "closed the connection"
            raise unavailable(f"{server} {what}") from None
        except ssl.SSLCertVerificationError as error:
            raise unavailable(
                f"{server} has no certificate that is valid: {self._clean(error.verify_message)}"
            ) from None
        except ssl.SSLError as error:
            raise unavailable(f"{server}: TLS failed: {self._clean(error.reason or 'the connection broke')}") from None
        except (smtplib.SMTPException, OSError) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise unavailable(f"{server}: {self._clean(why)}") from None
        except UnicodeError:
            raise Refused(f"{server}: an address, the username or the password has letters that SMTP lacks") from None

    def _rejected(self, what: str, code: int, said: bytes | str, opening: bool = False) -> Refused | Unavailable:
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        reason = f"{what}: {self._clean(f'{code} {words}')}"
        return Refused(reason) if 500 <= code < 600 else Unavailable(reason, whole_lane=opening)

    def _clean(self, said: str) -> str:
        password = self.mail.password.get_secret_value() if self.mail.password else ""
        return one_line(said.replace(password, "…") if password else said)


_LONGER_AFTER_DATA = 4


class _Client(smtplib.SMTP):
    """A connection that remembers what the server said to the last mail."""

    answer = ""

    def data(self, msg: Any) -> tuple[int, bytes]:
        # A server may look at a mail for minutes before it takes it (RFC 5321, 4.5.3.2.6).
        if self.sock is not None and self.timeout:
            self.sock.settimeout(self.timeout * _LONGER_AFTER_DATA)
        code, said = super().data(msg)
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        self.answer = one_line(f"{code} {said.decode('utf-8', 'replace')}")
        return code, said

    def leave(self) -> None:
        """Close the connection, after a word to the server."""
        with suppress(smtplib.SMTPException, OSError):
            self.quit()
        self.close()

    def is_alive(self) -> bool:
        """Whether the server still answers."""
        try:
            return self.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False


class _TlsClient(_Client, smtplib.SMTP_SSL):
    """The same, with TLS from the start."""


def _refused_part(error: smtplib.SMTPResponseException) -> str:
    match error:
        case smtplib.SMTPAuthenticationError():
            return "the username or password"
        case smtplib.SMTPSenderRefused():
            return "the sender"
        case smtplib.SMTPDataError():
            return "the mail"
        case _:
            return "the connection"
