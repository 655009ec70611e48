"""A message as Markdown, for a folder of dated reports."""

from collections.abc import Iterator, Sequence

from pipeline.reports.escaping import markdown, printable
from pipeline.reports.messages import accounts, wording
from pipeline.reports.messages.accounts import Account
from pipeline.reports.messages.content import Affair, Evidence, Message
from pipeline.reports.messages.grouping import entries, sections
from pipeline.reports.messages.wording import short


def render(message: Message, most: int | None = None) -> str:
    """The message, at most `most` entries of it, with a heading a state and a list a kind; ends in a newline."""
    return "\n\n".join(_blocks(message, most)) + "\n"


def _blocks(message: Message, most: int | None) -> Iterator[str]:
    yield f"# {markdown(wording.subject(message))}"
    if introduction := wording.introduction(message):
        yield introduction
    shown, left = wording.cut(entries(message), most)
    told = accounts.tell(sections(shown))
    sources = accounts.sources(told)
    for section in told:
        yield f"## {markdown(section.title)}"
        for group in section.groups:
            yield f"### {group.title}"
            yield "\n".join(_entry(account, sources) for account in group.accounts)
    for affair in message.affairs:
        yield from _affair(affair)
    if left:
        yield markdown(wording.rest(left))
    if sources:
        yield "## Workbooks"
        yield "\n".join(_workbook(number, workbook) for number, workbook in enumerate(sources, 1))
    yield "---"
    if message.full_report:
        yield f"Full report: {_place(message.full_report)}"
    yield markdown(wording.signature(message))


def _entry(account: Account, sources: Sequence[Evidence]) -> str:
    links = "".join(f" [{link.label}]({link.url})." for link in account.links)
    proofs = markdown(accounts.evidence(account, sources))
    lines = [
        f"- **{markdown(account.agency)}**, {markdown(account.place)}: {markdown(account.terms)}",
        f"{markdown(' '.join(account.statements))}{links}",
        f"Evidence: {proofs}",
    ]
    return "  \n  ".join(lines)


def _workbook(number: int, workbook: Evidence) -> str:
    digest = markdown(workbook.workbook_sha256)
    seen = wording.moment(workbook.seen_at)
    name = markdown(workbook.workbook_name)
    return f"{number}. {name}, first seen {seen}, SHA-256 {digest}, archived at {_place(workbook.archived_at)}"


def _affair(affair: Affair) -> Iterator[str]:
    since = f" (since {wording.moment(affair.since)})" if affair.since else ""
    yield f"**{markdown(wording.affair_heading(affair))}**{since}"
    if affair.details:
        yield "\n".join(f"- {markdown(short(detail, wording.TEXT_LENGTH))}" for detail in affair.details)
    if affair.commands:
        yield "\n".join(("```sh", *map(printable, affair.commands), "```"))


def _place(text: str) -> str:
    """A web address as a link, anything else as a text."""
    link = wording.document_link(text)
    return f"<{link}>" if link else markdown(text)
