"""What a message to a subscriber or an operator holds, as values; the modules beside this one render them.

Times are ISO 8601 texts in UTC, to the second; dates are ISO 8601. Texts are as ICE gave them, hostile ones included:
each renderer makes them harmless for its format.
"""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.reports.record import LoggedEvent


class MessageKind(StrEnum):
    """Why a message is sent. A `correction` takes back what an earlier message told."""

    ALERT = "alert"
    DIGEST = "digest"
    CORRECTION = "correction"
    OPERATOR = "operator"
    TEST = "test"


class Occasion(StrEnum):
    """Why an event is told: for the first time, or because it is taken back."""

    TOLD = "told"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A workbook that shows something: its row (None for what it does not list), when it was first seen, where it is.

    `archived_at` is a web address where the archive is published, else the file's path below the archive's folder.
    """

    workbook_name: str
    workbook_sha256: str
    row: int | None
    seen_at: str
    archived_at: str


@dataclass(frozen=True, slots=True)
class Told:
    """An event as it is told, with its documents and its evidence.

    `event` is the event as it stood at that moment. The URLs are those in force after it (before it, for what ended).
    `listed_since` is the date of the first list that had the agreement or application. Where that is the first list
    that the history has (`listed_from_start`), ICE may have listed it before; the same holds for the event's
    `pending_since` (`pending_from_start`). `previous` is the accepted list before the one that shows the event, None
    where there was none.
    """

    event: LoggedEvent
    occasion: Occasion
    moa_url: str | None
    addendum_url: str | None
    listed_since: str | None
    shown_in: Evidence
    previous: Evidence | None
    listed_from_start: bool = False
    pending_from_start: bool = False


@dataclass(frozen=True, slots=True)
class Affair:
    """A state of affairs that an operator hears of once: what is wrong, or that it is over.

    `title` is one line; `details` are further lines; `commands` are what decides or mends it.
    """

    key: str
    title: str
    details: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    since: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one target.

    `id` (`m-` and 16 hexadecimal digits) stays the same however often it is tried. `replies_to` is the id of the
    message that this one corrects. `full_report` says where everything is where a list has to be cut: a web address,
    a command or words. `told` is in no order. `page_url` is the page that ICE publishes its
    lists on. `subscriber` is the subscriber's name, or `operators`.
    """

    id: str
    kind: MessageKind
    subscriber: str
    made_at: str
    told: tuple[Told, ...] = ()
    affairs: tuple[Affair, ...] = ()
    replies_to: str | None = None
    full_report: str = ""
    page_url: str = ""
