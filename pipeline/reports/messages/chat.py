"""A message as compact plain text for chat services, none of which finds anything to obey in what ICE wrote."""

from collections.abc import Sequence

from pipeline.reports import escaping
from pipeline.reports.messages import accounts, wording
from pipeline.reports.messages.accounts import Account
from pipeline.reports.messages.content import Affair, Evidence, Message
from pipeline.reports.messages.grouping import Entry, Sort, entries
from pipeline.reports.messages.wording import short

_HEADINGS = {Sort.PROVISIONAL: "NO LONGER LISTED (PROVISIONAL)"}
_FEET = ((True, True), (False, True), (False, False))
"""What stands below the entries, the longest first: whether the hashes, and whether the address of ICE's page."""


def title(message: Message) -> str:
    """The subject for a chat service: one line of at most 150 characters."""
    return short(escaping.chat(wording.subject(message)), wording.SUBJECT_LENGTH)


def render_chat(message: Message, limit_chars: int, most: int | None = 50) -> str:
    """The message, its title included, in at most `limit_chars` characters and with at most `most` entries.

    It is cut between two entries, with the count of the rest and where everything is. Where not even one entry and the
    hashes of its workbooks fit, the hashes are left out, then the address of ICE's page, then the entry.
    """
    found = entries(message)
    told = [accounts.account(entry) for entry in found[:most]]
    for shown in range(len(told), -1, -1):
        for hashes, page in _FEET if shown < 2 else _FEET[:1]:
            whole = _text(message, found, told[:shown], hashes=hashes, page=page)
            if len(whole) <= limit_chars:
                return whole
    return f"{whole[: max(limit_chars - 1, 0)].rstrip()}…"[:limit_chars]


def _text(message: Message, found: Sequence[Entry], told: Sequence[Account], *, hashes: bool, page: bool) -> str:
    parts = [
        *([] if message.affairs else [title(message)]),
        wording.introduction(message),
        *map(_entry, found, told),
        *map(_affair, message.affairs),
        wording.with_report(wording.rest(found[len(told) :]), message),
        *([_workbook(workbook) for workbook in accounts.workbooks(told)] if hashes else []),
        f"ICE's lists: {address}" if page and (address := escaping.chat_link(message.page_url)) else "",
    ]
    return "\n\n".join(filter(None, parts))


def _entry(entry: Entry, account: Account) -> str:
    """Every line begins with a word of ours, so that no cell can begin one."""
    said = _HEADINGS.get(entry.sort) or wording.HEADINGS[entry.sort].upper()
    proofs = "; ".join(f"{proof.words} {proof.workbook.workbook_name}" for proof in account.proofs)
    proofs = f"{proofs}; {accounts.events(account)}"
    lines = [
        escaping.chat(f"{said}: {account.agency}, {account.place}: {account.terms}"),
        escaping.chat(" ".join(account.said)),
        *(f"{link.label}: {escaping.chat_link(link.url)}" for link in account.links),
        escaping.chat(f"Evidence: {proofs}"),
    ]
    return "\n".join(lines)


def _workbook(workbook: Evidence) -> str:
    archived = escaping.chat_link(workbook.archived_at) or escaping.chat(workbook.archived_at)
    name, seen = escaping.chat(workbook.workbook_name), wording.moment(workbook.seen_at)
    digest = escaping.chat(workbook.workbook_sha256)
    return f"Workbook {name}, first seen {seen}\nSHA-256 {digest}\nArchived at {archived}"


def _affair(affair: Affair) -> str:
    since = f" (since {wording.moment(affair.since)})" if affair.since and not affair.over else ""
    lines = [
        f"watch287g: {escaping.chat(wording.affair_title(affair))}{since}",
        *(f"- {escaping.chat(wording.detail(detail))}" for detail in affair.details),
        *(f"Command: {escaping.printable(command)}" for command in affair.commands),
    ]
    return "\n".join(lines)
