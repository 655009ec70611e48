"""Mail to a real server: what arrives, and what becomes of it when the server will not."""

from __future__ import annotations

import gc
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.notify.channels.attempt import NotSent, Refused, Unavailable
from pipeline.notify.channels.mail import MailChannel
from pipeline.notify.channels.mail_server import MailServer
from pipeline.notify.settings import Delivery, Mail
from pipeline.reports.messages.content import Affair, MessageKind
from pipeline.settings_file import Filled
from tests.pipeline.notify.sinks import HOSTILE, MailSink, Mishap, certificate, message

SENDER = "287(g) alerts <alerts@example.org>"
TO = "reader@example.net"
PASSWORD = "correct horse battery"
LOGIN = {"username": "watch", "password": Filled(PASSWORD)}


@pytest.fixture
def sink() -> Iterator[MailSink]:
    with MailSink() as running:
        yield running
    gc.collect()


def settings(sink: MailSink, **fields: Any) -> Mail:
    return Mail(**{"host": "127.0.0.1", "port": sink.port, "security": "none", "sender": SENDER} | fields)


def channel(
    sink: MailSink,
    tls: ssl.SSLContext | None = None,
    *,
    to: str = TO,
    most: int = 50,
    seconds: float = 10,
    **fields: Any,
) -> MailChannel:
    delivery = Delivery(timeout_seconds=seconds, most_events=most)
    return MailChannel(MailServer(settings(sink, **fields), delivery, keeps=False, tls=tls), to, "texas", delivery)


def test_a_mail_says_everything_in_text_and_in_html(sink: MailSink) -> None:
    answer = channel(sink).send(message())

    (received,) = sink.received
    mail = received.mail
    assert answer == "250 OK kept as 1"
    assert (received.sender, received.recipients) == ("alerts@example.org", (TO,))
    assert mail.get_content_type() == "multipart/alternative"
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "Kerr County Sheriff" in body.get_content()
        assert "reader@example.net is on the list of texas" in body.get_content()
    assert max(map(len, received.content.split(b"\r\n"))) <= 998


def test_the_headers_say_whose_list_it_is_and_how_to_leave(sink: MailSink) -> None:
    channel(sink, reply_to="Desk <desk@example.org>").send(message())

    mail = sink.received[0].mail
    assert mail["From"].addresses[0].addr_spec == "alerts@example.org"
    assert mail["From"].addresses[0].display_name == "287(g) alerts"
    assert mail["To"] == TO
    assert mail["Reply-To"] == "Desk <desk@example.org>"
    assert mail["Subject"] == "287(g): 1 terminated in Texas"
    assert mail["Message-ID"] == "<m-0123456789abcdef@example.org>"
    assert parsedate_to_datetime(mail["Date"]).isoformat() == "2025-06-27T14:00:00+00:00"
    assert mail["List-Id"] == "<watch287g.example.org>"
    assert mail["List-Unsubscribe"] == "<mailto:alerts@example.org?subject=unsubscribe%20texas>"
    assert mail["List-Unsubscribe-Post"] is None
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["In-Reply-To"] is None


def test_a_link_to_leave_is_one_click_and_is_not_broken_by_its_length(sink: MailSink) -> None:
    link = f"https://example.org/leave?token={'x' * 200}"

    channel(sink, unsubscribe=link, list_id="Alerts <a.example.org>").send(message())

    mail = sink.received[0].mail
    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == "Alerts <a.example.org>"


def test_a_long_subject_stands_on_one_line_unless_it_is_encoded(sink: MailSink) -> None:
    for title in ("a state of affairs of many words " * 3, "Peñasco: a state of affairs of many words " * 3):
        affair = Affair(key="k", title=title.strip())
        channel(sink).send(message(kind=MessageKind.OPERATOR, told=(), affairs=(affair,)))

    plain, encoded = sink.received
    lines = plain.content.split(b"\r\n")
    (subject,) = [line for line in lines if line.startswith(b"Subject:")]
    assert subject.decode() == f"Subject: {plain.mail['Subject']}"
    assert len(subject) > 100
    assert b"=?utf-8?" in encoded.content
    assert "Peñasco" in encoded.mail["Subject"]
    assert max(map(len, encoded.content.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 78


def test_a_correction_threads_under_what_it_corrects(sink: MailSink) -> None:
    channel(sink).send(message(replies_to="m-fedcba9876543210"))

    mail = sink.received[0].mail
    assert mail["In-Reply-To"] == mail["References"] == "<m-fedcba9876543210@example.org>"


def test_a_mail_that_is_tried_again_has_the_same_key(sink: MailSink) -> None:
    sink.script = lambda step: Mishap.lose if step.stage == "DATA" and not step.received else None
    way = channel(sink)
    with pytest.raises(Unavailable):
        way.send(message())

    way.send(message())

    first, second = sink.received
    assert first.key == second.key
    assert first.mail["Date"] == second.mail["Date"]


def test_what_was_cut_is_attached_whole(sink: MailSink) -> None:
    names = [f"Agency {number}" for number in range(9)]

    channel(sink, most=3).send(message(*names))

    mail = sink.received[0].mail
    page, data = mail.iter_attachments()
    shown = mail.get_body(("plain",))
    assert shown is not None
    assert "full report: attached to this mail" in " ".join(shown.get_content().split())
    assert "Agency 8" not in shown.get_content()
    assert all(name in page.get_content() for name in names)
    assert (page.get_filename(), page.get_content_type()) == ("m-0123456789abcdef.html", "text/html")
    assert len(json.loads(data.get_content())["events"]) == 9


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_stays_a_name(sink: MailSink, name: str) -> None:
    channel(sink).send(message(name))

    (received,) = sink.received
    mail = received.mail
    assert received.recipients == (TO,)
    assert mail["Bcc"] is None
    assert not mail.defects
    assert max(map(len, received.content.split(b"\r\n"))) <= 998
    assert received.content.isascii()
    page = mail.get_body(("html",))
    assert page is not None
    assert "<script" not in page.get_content()
    assert "<img" not in page.get_content()
    assert not {"\x1b", "\x00", "\u202e"} & set(page.get_content() + received.content.decode())


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(("code", "error"), [("550", Refused), ("451", Unavailable)])
def test_a_server_that_says_no_is_quoted_in_one_line(
    sink: MailSink, stage: str, code: str, error: type[NotSent]
) -> None:
    sink.script = lambda step: f"{code} 5.7.1 not \x1b[2Jhere" if step.stage == stage else None

    with pytest.raises(error) as caught:
        channel(sink).send(message())

    assert f"{code} 5.7.1 not" in str(caught.value)
    assert str(caught.value).isprintable()
    assert sink.received == []


@pytest.mark.parametrize("stage", ["EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("mishap", "says"), [(Mishap.hang, "gave no answer within 0.3 seconds"), (Mishap.drop, "closed the connection")]
)
def test_a_server_that_hangs_or_breaks_off_is_tried_later(
    sink: MailSink, stage: str, mishap: Mishap, says: str
) -> None:
    sink.script = lambda step: mishap if step.stage == stage else None

    with pytest.raises(Unavailable, match=says):
        channel(sink, seconds=0.3).send(message())


def test_where_nobody_listens_the_mail_waits(sink: MailSink) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(Unavailable, match=rf"127\.0\.0\.1:{port}: Connection refused"):
        channel(sink, port=port).send(message())


@pytest.mark.parametrize(
    ("greeting", "error"),
    [(b"554 no service\r\n", Refused), (b"421 busy\r\n", Unavailable), (b"hello\r\n", Unavailable), (b"", Unavailable)],
)
def test_a_server_that_does_not_greet_gets_no_mail(sink: MailSink, greeting: bytes, error: type[NotSent]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            with listening.accept()[0] as connection:
                connection.sendall(greeting)

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(error):
            channel(sink, port=listening.getsockname()[1]).send(message())
        thread.join()


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_encrypted_and_with_a_login(tmp_path: Path, security: str) -> None:
    server, client = certificate(tmp_path)
    login = ("watch", PASSWORD) if security == "starttls" else None  # aiosmtpd cannot ask for one under TLS alone

    with MailSink(tls=server, starttls=security == "starttls", login=login) as sink:
        channel(sink, client, security=security, **(LOGIN if login else {})).send(message())

        (received,) = sink.received
        assert received.encrypted
        assert received.login == (login and "watch")


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_gets_neither_mail_nor_password(tmp_path: Path, security: str) -> None:
    server, _ = certificate(tmp_path)

    with MailSink(tls=server, starttls=security == "starttls", login=("watch", PASSWORD)) as sink:
        with pytest.raises(Unavailable, match="has no certificate that is valid"):
            channel(sink, security=security, **LOGIN).send(message())

        assert {step.stage for step in sink.steps} <= {"EHLO"}


def test_a_server_without_starttls_gets_neither_mail_nor_password(sink: MailSink) -> None:
    with pytest.raises(Refused, match="STARTTLS extension not supported"):
        channel(sink, security="starttls", **LOGIN).send(message())

    assert {step.stage for step in sink.steps} == {"EHLO"}


@pytest.mark.parametrize(
    ("said", "error"), [(f"535 wrong: {PASSWORD}", Refused), ("454 not now", Unavailable)], ids=["535", "454"]
)
def test_a_login_that_fails_is_told_without_the_password(sink: MailSink, said: str, error: type[NotSent]) -> None:
    sink.script = lambda step: said if step.stage == "AUTH" else None

    with pytest.raises(error, match="refuses the username or password") as caught:
        channel(sink, **LOGIN).send(message())

    assert PASSWORD not in str(caught.value)


def test_a_password_that_smtp_cannot_carry_is_told_as_that(sink: MailSink) -> None:
    with pytest.raises(Refused, match="letters that SMTP lacks"):
        channel(sink, username="watch", password=Filled("pässword")).send(message())


def test_an_address_with_other_letters_goes_to_a_server_that_takes_them(sink: MailSink) -> None:
    channel(sink, to="lesér@exämple.net").send(message())

    assert sink.received[0].recipients == ("lesér@xn--exmple-cua.net",)


def test_what_is_no_address_is_refused_and_not_sent(sink: MailSink) -> None:
    with pytest.raises(Refused, match="is no mail address"):
        channel(sink, to=f"reader@{'é' * 70}.net").send(message())


def test_mails_of_a_run_share_a_connection_and_one_that_failed_is_not_used_again(sink: MailSink) -> None:
    delivery = Delivery(timeout_seconds=10)
    sink.script = lambda step: "451 later" if (step.stage, step.argument) == ("RCPT", "bad@example.net") else None

    with MailServer(settings(sink), delivery) as server:
        for address in ("a@example.net", "b@example.net"):
            MailChannel(server, address, "texas", delivery).send(message())
        with pytest.raises(Unavailable):
            MailChannel(server, "bad@example.net", "texas", delivery).send(message())
        MailChannel(server, "c@example.net", "texas", delivery).send(message())

    first, second, third = [received.connection for received in sink.received]
    assert first == second != third


def test_a_connection_that_the_server_has_dropped_meanwhile_is_opened_anew(sink: MailSink) -> None:
    delivery = Delivery(timeout_seconds=10)

    with MailServer(settings(sink), delivery) as server:
        way = MailChannel(server, TO, "texas", delivery)
        way.send(message())
        sink.drop_all()
        way.send(message())

    assert len({received.connection for received in sink.received}) == 2


def test_a_mail_that_hangs_holds_up_no_other(sink: MailSink) -> None:
    delivery = Delivery(timeout_seconds=5)
    hanging = threading.Event()

    def script(step: Any) -> Mishap | None:
        if step.argument != "bad@example.net":
            return None
        hanging.set()
        return Mishap.hang

    sink.script = script
    with MailServer(settings(sink), delivery) as server:
        slow = MailChannel(server, "bad@example.net", "texas", delivery)
        ended: list[BaseException] = []

        def send() -> None:
            try:
                slow.send(message())
            except NotSent as error:
                ended.append(error)

        thread = threading.Thread(target=send)
        thread.start()
        assert hanging.wait(5)
        MailChannel(server, TO, "texas", delivery).send(message())
        sink.drop_all()
        thread.join()

    assert [received.recipients for received in sink.received] == [(TO,)]
    assert len(ended) == 1
