"""A message as Markdown, for a folder of dated reports."""

from collections.abc import Iterator, Sequence

from pipeline.reports.escaping import markdown, printable
from pipeline.reports.messages import accounts, wording
from pipeline.reports.messages.accounts import Account, Block
from pipeline.reports.messages.content import Affair, Evidence, Message
from pipeline.reports.messages.grouping import entries, sections
from pipeline.reports.messages.legend import TITLE, legend


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
            yield "\n".join(_block(block, sources) for block in group.blocks)
    for affair in message.affairs:
        yield from _affair(affair)
    report = wording.report_link(message)
    if left:
        rest = wording.rest(left)
        yield markdown(rest if report else wording.with_report(rest, message))
    if terms := legend(told):
        yield f"## {TITLE}"
        yield "\n".join(f"- {word}: {means}" for word, means in terms)
    if sources:
        yield "## Workbooks"
        yield "\n".join(_workbook(number, workbook) for number, workbook in enumerate(sources, 1))
    yield "---"
    if report:
        yield f"Full report: <{report}>"
    if page := wording.page_link(message):
        yield f"ICE's lists: <{page}>"
    yield markdown(wording.signature(message))


def _block(block: Block, sources: Sequence[Evidence]) -> str:
    whom = f"- **{markdown(block.agency)}**, {markdown(block.place)}:"
    if len(block.accounts) == 1:
        return f"{whom} {_account(block.accounts[0], sources, '  ')}"
    agreements = (f"  - {_account(account, sources, '    ')}" for account in block.accounts)
    return "\n".join([whom, *agreements, *([f"\n  {markdown(block.left)}"] if block.left else [])])


def _account(account: Account, sources: Sequence[Evidence], margin: str) -> str:
    links = "".join(f" [{link.label}]({link.url})." for link in account.links)
    proofs = markdown(accounts.evidence(account, sources))
    lines = [markdown(account.terms), f"{markdown(' '.join(account.said))}{links}", f"Evidence: {proofs}"]
    return f"  \n{margin}".join(lines)


def _workbook(number: int, workbook: Evidence) -> str:
    digest = markdown(workbook.workbook_sha256)
    seen = wording.moment(workbook.seen_at)
    name = markdown(workbook.workbook_name)
    return f"{number}. {name}, first seen {seen}, SHA-256 {digest}, archived at {_place(workbook.archived_at)}"


def _affair(affair: Affair) -> Iterator[str]:
    since = f" (since {wording.moment(affair.since)})" if affair.since and not affair.over else ""
    yield f"**{markdown(wording.affair_heading(affair))}**{since}"
    if affair.details:
        yield "\n".join(f"- {markdown(wording.detail(detail))}" for detail in affair.details)
    if affair.commands:
        yield "\n".join(("```sh", *map(printable, affair.commands), "```"))


def _place(text: str) -> str:
    """A web address as a link, anything else as a text."""
    link = wording.document_link(text)
    return f"<{link}>" if link else markdown(text)
