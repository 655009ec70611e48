"""What every channel has in common: it sends one message, once, and says how that went."""

from collections.abc import Sequence
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


class UnsetChannel:
    """A channel whose secret the environment does not have; what is for it waits until it does."""

    def __init__(self, names: Sequence[str]) -> None:
        self.lane, self.pause = "unset", 0.0
        self.why = f"the environment has no variable {', '.join(names)}"

    def send(self, message: Message) -> str:  # noqa: ARG002
        """Say what is missing.

        Raises:
            Unavailable: always.
        """
        raise Unavailable(self.why)
