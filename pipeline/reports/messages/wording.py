"""What a message says, whatever its format: the subject, the counts, what stands above and below.

Texts that come out are printable and on one line, and cut where no name would be that long.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from db.records import Kind
from pipeline.reading.places import state_name
from pipeline.reports.escaping import printable, web_link
from pipeline.reports.messages.content import Affair, Message, MessageKind, Occasion
from pipeline.reports.messages.grouping import Entry, Sort, entries, state_of
from pipeline.reports.wording import plural

SUBJECT_LENGTH = 150
"""The longest subject, in characters."""

_NAME_LENGTH = 200
"""The longest name that is shown: ICE's longest has 76 characters."""

TEXT_LENGTH = 600
"""The longest statement that is made of notes and names."""

_LINK_LENGTH = 1000
"""The longest address that is shown; beyond it a mail or a chat message would hold nothing else."""

HEADINGS = {
    Sort.TAKEN_BACK: "Taken back",
    Sort.NEW: "New",
    Sort.PROVISIONAL: "No longer listed, provisional",
    Sort.TERMINATED: "No longer listed",
    Sort.SWITCHED: "Switched model",
    Sort.SIGNED_ANEW: "Signed anew",
    Sort.REINSTATED: "Listed again",
    Sort.AFTER_A_GAP: "Missing for a while, listed again",
    Sort.RENEWED: "Renewed",
    Sort.PENDING: "Pending",
    Sort.WITHDRAWN: "No longer pending",
    Sort.CORRECTED: "Corrected",
    Sort.LATE: "Told late, taken back since",
}
"""What stands above the entries of a sort."""

_COUNTED_AS = {Sort.PROVISIONAL: Sort.TERMINATED}
_COUNTED = {Sort.SWITCHED: ("switch of model", "switches of model"), Sort.CORRECTED: ("correction", "corrections")}

_COMMAND = "watch287g "
_MOMENT = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|\+00:00)")

_NOUNS = {
    Kind.NEW: "new agreement",
    Kind.TERMINATED: "termination",
    Kind.REINSTATED: "return",
    Kind.RENEWED: "renewal",
    Kind.PENDING: "application",
    Kind.WITHDRAWN: "withdrawal",
    Kind.CHANGED: "correction",
}


def subject(message: Message) -> str:
    """One printable line of at most 150 characters, without the name of an agency: `287(g): 3 new in Texas`."""
    test = message.kind is MessageKind.TEST
    if test and not (message.told or message.affairs):
        return "[TEST] watch287g: a test message"
    return short(f"{'[TEST] ' if test else ''}{_affairs(message) or _events(message)}", SUBJECT_LENGTH)


def _events(message: Message) -> str:
    found = entries(message)
    name = {MessageKind.DIGEST: "287(g) digest", MessageKind.CORRECTION: "287(g) correction"}
    start, where = name.get(message.kind, "287(g)"), _where(found)
    if not found:
        return f"{start}: nothing to tell"
    whole = f"{start}: {counts(found)}{where}"
    return whole if len(whole) <= SUBJECT_LENGTH else f"{start}: {plural(len(found), 'event')}{where}"


def _affairs(message: Message) -> str:
    if not message.affairs:
        return ""
    first, others = message.affairs[0], len(message.affairs) - 1
    more = f", and {others} more" if others else ""
    return f"watch287g: {short(affair_title(first), SUBJECT_LENGTH - 40)}{more}"


def affair_title(affair: Affair) -> str:
    """The title of a state of affairs, marked where it is over."""
    return short(f"{'over: ' if affair.over else ''}{affair.title}")


def affair_heading(affair: Affair) -> str:
    """The title as it stands alone, with a capital letter."""
    title = affair_title(affair)
    return f"{title[:1].upper()}{title[1:]}"


def counts(found: Iterable[Entry]) -> str:
    """How many entries there are of each sort, the most serious first: `3 new, 1 switch of model, 4 corrections`."""
    found = list(found)
    words = []
    for sort in Sort:
        some = [entry for entry in found if _COUNTED_AS.get(entry.sort, entry.sort) is sort]
        if not some:
            continue
        if sort is Sort.TAKEN_BACK:
            words.append(f"{nouns(some)} {sort}")
        else:
            one, many = _COUNTED.get(sort, (sort, sort))
            words.append(f"{len(some):,} {one if len(some) == 1 else many}")
    return ", ".join(words)


def nouns(some: Iterable[Entry]) -> str:
    """What was told before, counted: `2 terminations, 1 renewal`."""
    number = Counter(entry.told.event.kind for entry in some)
    return ", ".join(plural(number[kind], noun) for kind, noun in _NOUNS.items() if number[kind])


def _where(found: Sequence[Entry]) -> str:
    """The states, the one with the most entries first: ` in Texas`, ` in Texas and Florida`, ` in 7 states`."""
    number = Counter(map(state_of, found))
    names = sorted(number, key=lambda name: (-number[name], name))
    if names == [state_name(None)]:
        return f", {names[0]}"
    if len(names) > 2:
        return f" in {len(names)} states"
    return f" in {' and '.join('an unknown state' if name == state_name(None) else short(name, 50) for name in names)}"


def cut(found: Sequence[Entry], most: int | None) -> tuple[Sequence[Entry], Sequence[Entry]]:
    """The `most` most serious entries, and those that are left out."""
    return found[:most], () if most is None else found[most:]


def rest(left: Sequence[Entry]) -> str:
    """How many entries are left out, and of what sorts: `and 123 more: 100 new, 23 corrections`; empty for none."""
    return f"and {len(left):,} more: {counts(left)}" if left else ""


def with_report(words: str, message: Message) -> str:
    """Words, and where everything is; empty where there are none. A subscriber can run no command: the operator can."""
    report = printable(message.full_report)
    if not words or not report:
        return words
    if report.startswith(_COMMAND):
        return f"{words} (the operator can run: {report})"
    return f"{words}; full report: {report}"


def report_link(message: Message) -> str | None:
    """The address of the full report, if it is one on the web."""
    return document_link(message.full_report)


def page_link(message: Message) -> str | None:
    """The address of the page that ICE publishes its lists on, if it is given."""
    return document_link(message.page_url)


def introduction(message: Message) -> str:
    """What a reader has to know before the entries; empty where the entries say it all."""
    occasions = {told.occasion for told in message.told}
    words = []
    if message.kind is MessageKind.TEST:
        words.append("This is a test: nothing has happened, and nothing needs to be done.")
    if Occasion.RETRACTED in occasions:
        words.append("Something that we wrote before does not hold. If you published it, please correct it.")
    return " ".join(words)


def document_link(url: str | None) -> str | None:
    """The address of a document as it may be shown: http or https, percent-encoded, of a length that can be read."""
    link = web_link(url)
    return link if link and len(link) <= _LINK_LENGTH else None


def moment(text: str) -> str:
    """A time as people read it: `2025-06-27 14:00 UTC`."""
    plain = printable(text)
    if len(plain) >= 16 and plain[10] == "T" and plain.endswith(("Z", "+00:00")):
        return f"{plain[:10]} {plain[11:16]} UTC"
    return short(plain)


def detail(text: str) -> str:
    """A further line of a state of affairs, with times as people read them."""
    return short(_MOMENT.sub(lambda found: moment(found[0]), text), TEXT_LENGTH)


def signature(message: Message) -> str:
    """Who wrote to whom, and when: `watch287g to texas-coalition, 2025-06-27 14:00 UTC, message m-…`."""
    return f"watch287g to {printable(message.subscriber)}, {moment(message.made_at)}, message {message.id}"


def short(text: str, most: int = _NAME_LENGTH) -> str:
    """A text, printable and on one line, cut with an ellipsis where it has more than `most` characters."""
    plain = printable(text)
    return plain if len(plain) <= most else f"{plain[: most - 1].rstrip()}…"
