"""Chat services through Apprise: Slack, Discord, Teams, Telegram, Matrix, ntfy, Mastodon and many more.

Apprise offers no key by which a repetition could be told, and says of a message to several rooms only whether all of
them took it. So an address should name one room.
"""

import hashlib
import logging
import re
import threading
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pipeline.notify.channels.attempt import Refused, Unavailable
from pipeline.notify.channels.reason import one_line
from pipeline.notify.settings import Delivery
from pipeline.reports.messages import chat
from pipeline.reports.messages.content import Message

if TYPE_CHECKING:
    from apprise import AppriseResult, NotifyBase

_STATUS = re.compile(r"\berror=(\d{3})\b")
_LATER = ("408", "425", "429")
_ABOUT = "https://www.ice.gov/identify-and-arrest/287g"  # some services link the sender's name, and want an address
_TITLE_MARKUP = 24  # `<b>`, `</b>`, `<br />`, line ends: what Apprise puts around a title that stands in the body
_SECRET_LENGTH = 4
_LOADING = threading.Lock()


class ChatChannel:
    """One address of a chat service, as Apprise writes it."""

    def __init__(self, url: str, delivery: Delivery) -> None:
        self._url, self._timeout, self._most = url, delivery.timeout_seconds, delivery.most_events
        self.pause = delivery.pause_seconds
        self.lane = f"apprise:{hashlib.sha256(url.encode()).hexdigest()[:12]}"

    def send(self, message: Message) -> str:
        """Send it as plain text, cut to what the service takes in one message.

        Raises:
            NotSent: the service did not take it, or there is none at that address.
        """
        from apprise import Apprise, NotifyFormat

        service = self._service()
        title, body = _fitted(service, message, self._most)
        with Apprise(service, asset=service.asset).notify(
            body, title, body_format=NotifyFormat.TEXT, interpret_escapes=False, log_level=logging.WARNING
        ) as result:
            if not result:
                raise self._reason(service, result)
        return f"{service.service_name} took it"

    def _service(self) -> "NotifyBase":
        from apprise import OverflowMode

        service = _loaded(self._url)
        if service is None:
            raise Refused(validate(self._url) or "Apprise cannot use the address")
        service.optional = False  # else a failure would count as a success
        service.retry = 0
        service.overflow_mode = OverflowMode.UPSTREAM  # one message that fits, not several
        given = vars(service)
        service.socket_connect_timeout = given.get("socket_connect_timeout", self._timeout)
        service.socket_read_timeout = given.get("socket_read_timeout", self._timeout)
        return service

    def _reason(self, service: "NotifyBase", result: "AppriseResult") -> Refused | Unavailable:
        """What Apprise logged about the failure, which is all that it tells."""
        said = [entry.message for entry in result.logs()]
        statuses = _STATUS.findall(" ".join(said))
        words = one_line(_redacted(said[-1], self._url)) if said else "it did not say why"
        reason = f"{service.service_name} did not take it: {words}"
        final = statuses and all(status[0] in "34" and status not in _LATER for status in statuses)
        return Refused(reason) if final else Unavailable(reason, perhaps=True)


def validate(url: str) -> str | None:
    """What is wrong with an Apprise address, in a sentence that does not repeat it; None if it can be used."""
    if _loaded(url) is not None:
        return None
    from apprise.manager_plugins import NotificationManager

    scheme = url.partition("://")[0].lower()
    if scheme in NotificationManager().schemas():  # type: ignore[no-untyped-call]
        return f"is no whole {scheme}:// address, or needs a package that is not installed; see the pages of Apprise"
    return "names no service that Apprise knows; see the pages of Apprise for how the addresses are written"


def _loaded(url: str) -> "NotifyBase | None":
    with _LOADING:  # the first call imports every service
        from apprise import Apprise, AppriseAsset

        asset = AppriseAsset(
            app_id="watch287g",
            app_desc="watch287g",
            app_url=_ABOUT,
            image_url_mask="",
            image_url_logo="",
            image_path_mask="",
            secure_logging=True,
            interpret_escapes=False,
            interpret_emojis=False,
            http_redirects=False,
            default_service_retry=0,
            pgp_autogen=False,
            pem_autogen=False,
            storage_mode="memory",
            service_timeout=0,  # else it would go on in a thread of its own after it was given up
        )
        return Apprise.instantiate(url, asset=asset)


def _fitted(service: "NotifyBase", message: Message, most: int) -> tuple[str, str]:
    """Title and body that the service takes in one message, after Apprise has escaped what its markup would obey."""
    title = chat.title(message)
    room = int(service.body_maxlen)
    if service.title_maxlen <= 0 or service.overflow_amalgamate_title:
        room -= _length(service, title) + _TITLE_MARKUP
    elif len(title) > service.title_maxlen:
        title = f"{title[: service.title_maxlen - 1].rstrip()}…"
    limit = max(room, 1)
    while (excess := _length(service, body := _body(message, limit, most)) - room) > 0 and limit > 1:
        limit = max(1, min(limit, len(body)) - max(excess // 2, 1))
    return title, body


def _body(message: Message, limit: int, most: int) -> str:
    """The message without its title, which stands above it as a paragraph of its own."""
    title = f"{chat.title(message)}\n\n"
    return chat.render_chat(message, limit + len(title), most).removeprefix(title)


def _length(service: "NotifyBase", text: str) -> int:
    """How long the text is as the service gets it."""
    from apprise import NotifyFormat
    from apprise.conversion import convert_between

    target = service.resolve_format(NotifyFormat.TEXT)
    escaped = convert_between(NotifyFormat.TEXT, target, text)  # type: ignore[no-untyped-call]
    return len(service.dialect_convert(escaped, target))


def _redacted(said: str, url: str) -> str:
    """What Apprise said, without any part of the address but its scheme."""
    parts = re.split(r"[/:@?&=+,#\s]+", unquote(url.partition("://")[2]))
    for part in sorted(filter(lambda part: len(part) >= _SECRET_LENGTH, parts), key=len, reverse=True):
        said = re.sub(re.escape(part), "…", said, flags=re.IGNORECASE)
    return said
