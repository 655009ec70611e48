"""What every channel has in common: it sends one message, once, and says how that went."""

from typing import Protocol

from pipeline.reports.messages.content import Message


class NotSent(Exception):  # noqa: N818 - how an attempt ended
    """The message was not taken; the message of the exception is one line, without secrets."""


class Unavailable(NotSent):
    """The other side cannot take it now.

    `retry_after` is the seconds that it asked to be left alone, if it did. `whole_lane` says that nothing else can be
    sent in the lane either: the server is down. `perhaps` says that there was no answer: the other side may have it.
    """

    def __init__(
        self, reason: str, retry_after: float | None = None, *, whole_lane: bool = False, perhaps: bool = False
    ) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        self.whole_lane = whole_lane
        self.perhaps = perhaps


class Refused(NotSent):
    """The other side will not take it, now or later, as things are: no such mailbox, a wrong secret, a 404."""


class Channel(Protocol):
    """A way to one recipient.

    `lane` names what is shared with other channels (a mail server): what shares a lane is sent one after another, with
    `pause` seconds between two messages.
    """

    lane: str
    pause: float

    def send(self, message: Message) -> str:
        """Send a message; returns the other side's answer in one line, without secrets.

        Raises:
            NotSent: it was not taken.
        """
        ...
