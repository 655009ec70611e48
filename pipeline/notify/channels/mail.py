"""Mail by SMTP: a message in text and HTML to one address.

The Message-ID is made of the message's id, so that it stays the same however often a mail is tried: it is the key by
which a receiver tells a repetition. A correction names the mail that it corrects in In-Reply-To and References.
"""

import html as escapes
from dataclasses import replace
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address, HeaderRegistry, UniqueUnstructuredHeader, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from typing import Any
from urllib.parse import quote, unquote

from pipeline.notify.channels.attempt import Refused
from pipeline.notify.channels.mail_server import MailServer
from pipeline.notify.settings import Delivery, Mail
from pipeline.reports.messages import data, grouping, html, text, wording
from pipeline.reports.messages.content import Message

_LIST = "watch287g"
_FOOT_STYLE = "margin:0 auto;max-width:600px;padding:0 20px 24px;font:13px/19px sans-serif;color:#595959"


class MailChannel:
    """Mail to one address of a subscriber."""

    def __init__(self, server: MailServer, address: str, subscriber: str, delivery: Delivery) -> None:
        self.lane, self.pause = server.lane, 0.0
        self._server = server
        self._address = address
        self._subscriber = subscriber
        self._most = delivery.most_events

    def send(self, message: Message) -> str:
        """Send it, with the whole report attached where the list of events had to be cut.

        Raises:
            NotSent: the server did not take it.
        """
        mail, settings = EmailMessage(_POLICY), self._server.mail
        try:
            sender, recipient = _address(settings.sender or ""), _address(self._address)
            self._head(mail, message, sender, recipient)
        except (MessageError, ValueError, IndexError):
            raise Refused("the address of the sender or the recipient is no mail address") from None
        self._body(mail, message, sender)
        return self._server.send(mail, sender.addr_spec, recipient.addr_spec)

    def _head(self, mail: EmailMessage, message: Message, sender: Address, recipient: Address) -> None:
        settings, domain = self._server.mail, sender.domain
        mail["Subject"] = wording.subject(message)
        mail["From"] = sender
        mail["To"] = recipient
        if settings.reply_to:
            mail["Reply-To"] = _address(settings.reply_to)
        mail["Date"] = _moment(message.made_at)
        mail["Message-ID"] = f"<{message.id}@{domain}>"
        if message.replies_to:
            mail["In-Reply-To"] = mail["References"] = f"<{message.replies_to}@{domain}>"
        mail["List-Id"] = _list_id(settings, domain)
        leave = _unsubscribe(settings, sender, self._subscriber)
        mail["List-Unsubscribe"] = f"<{leave}>"
        if leave.startswith("https:"):
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        mail["Auto-Submitted"] = "auto-generated"

    def _body(self, mail: EmailMessage, message: Message, sender: Address) -> None:
        cut = len(grouping.entries(message)) > self._most
        if cut:
            message = replace(message, full_report="attached to this mail, as a page and as data (JSON)")
        leave = _unsubscribe(self._server.mail, sender, self._subscriber)
        foot = [
            f"You get this because {self._address} is on the list of {self._subscriber}.",
            f"To leave it: {leave}" if leave.startswith("https:") else f"To leave it, write to {_addressee(leave)}.",
        ]
        plain = [text.render(message, self._most), *(f"{line}\n" for line in foot)]
        mail.set_content("".join(plain), cte="quoted-printable")
        mail.add_alternative(_with_foot(html.render(message, self._most), foot), subtype="html", cte="quoted-printable")
        if cut:
            whole = html.render(message, None).encode()
            mail.add_attachment(whole, "text", "html", filename=f"{message.id}.html", params={"charset": "utf-8"})
            document = data.document(message).encode()
            mail.add_attachment(document, "application", "json", filename=f"{message.id}.json")


class _Whole(UnstructuredHeader):
    """A header of addresses in angle brackets, which a line break or an encoding would break."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]  # the registry mixes BaseHeader in


class _Subject(UniqueUnstructuredHeader):
    """A subject on one line, since some programs read a space where a line was broken; an encoded one is broken."""

    def fold(self, *, policy: Policy) -> str:
        if str(self).isascii():
            return f"{self.name}: {self}{policy.linesep}"  # type: ignore[attr-defined]
        return super().fold(policy=policy)  # type: ignore[no-any-return,misc]


def _policy() -> Any:
    registry = HeaderRegistry()
    for name in ("in-reply-to", "references", "list-unsubscribe"):
        registry.map_to_type(name, _Whole)  # type: ignore[arg-type]
    registry.map_to_type("subject", _Subject)  # type: ignore[arg-type]
    return SMTP.clone(header_factory=registry, cte_type="7bit")


_POLICY = _policy()


def _address(written: str) -> Address:
    """`alerts@example.org` or `287(g) alerts <alerts@example.org>`; a name may hold what mail takes for a comment."""
    name, _, rest = written.rpartition("<")
    username, _, domain = rest.strip(" >").rpartition("@")
    return Address(name.strip(' "'), username, domain if domain.isascii() else domain.encode("idna").decode())


def _moment(iso: str) -> datetime:
    moment = datetime.fromisoformat(iso)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _list_id(settings: Mail, domain: str) -> str:
    written = settings.list_id or f"{_LIST}.{domain}"
    return written if written.endswith(">") else f"<{written}>"


def _unsubscribe(settings: Mail, sender: Address, subscriber: str) -> str:
    """The address, https or mailto, at which one leaves the list."""
    if settings.unsubscribe:
        return quote(settings.unsubscribe, safe="/:?#@!$&*+,;=%~-._'")
    return f"mailto:{quote(sender.addr_spec, safe='@+')}?subject={quote(f'unsubscribe {subscriber}')}"


def _addressee(mailto: str) -> str:
    return unquote(mailto.removeprefix("mailto:").partition("?")[0])


def _with_foot(page: str, lines: list[str]) -> str:
    """The page with lines at its end."""
    foot = "<br>".join(escapes.escape(line) for line in lines)
    styled = f'<p style="{_FOOT_STYLE}">{foot}</p>\n'
    before, body, after = page.rpartition("</body>")
    return f"{before}{styled}{body}{after}" if body else f"{page}{styled}"
