"""A message as plain text for a mail: wrapped, in sections, complete in itself."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from pipeline.reports.escaping import printable
from pipeline.reports.messages import accounts, wording
from pipeline.reports.messages.accounts import Account, Block
from pipeline.reports.messages.content import Affair, Evidence, Message
from pipeline.reports.messages.grouping import entries, sections
from pipeline.reports.messages.legend import TITLE, legend

_WIDTH = 76


def render(message: Message, most: int | None = 50) -> str:
    """The message, at most `most` entries of it. Lines are wrapped, but for addresses and hashes; ends in a newline."""
    return "\n\n".join("\n".join(block) for block in _blocks(message, most)) + "\n"


def _blocks(message: Message, most: int | None) -> Iterator[Iterable[str]]:
    """The paragraphs, each as its lines."""
    if not message.affairs:
        yield _wrapped(wording.subject(message))
    if introduction := wording.introduction(message):
        yield _wrapped(introduction)
    shown, left = wording.cut(entries(message), most)
    told = accounts.tell(sections(shown))
    sources = accounts.sources(told)
    for section in told:
        yield _title(section.title)
        for group in section.groups:
            yield [group.title]
            yield from (_block(block, sources) for block in group.blocks)
    for affair in message.affairs:
        yield _affair(affair)
        if affair.commands:
            yield (f"    {printable(command)}" for command in affair.commands)
    if left:
        yield _wrapped(wording.with_report(wording.rest(left), message))
    if terms := legend(told):
        yield _title(TITLE)
        yield (line for word, means in terms for line in _wrapped(f"{word}: {means}", "", "  "))
    if sources:
        yield _title("Workbooks")
        yield from (_workbook(number, workbook) for number, workbook in enumerate(sources, 1))
    yield _foot(message, cut=bool(left))


def _title(text: str) -> Iterator[str]:
    yield text.upper()
    yield "=" * len(text)


def _block(block: Block, sources: Sequence[Evidence]) -> Iterator[str]:
    yield from _wrapped(block.agency, "* ", "  ")
    yield from _wrapped(block.place, "  ", "  ")
    several = len(block.accounts) > 1
    for account in block.accounts:
        yield from _wrapped(account.terms, "  - " if several else "  ", "    " if several else "  ")
        yield from _account(account, sources, "    " if several else "  ")
    yield from _wrapped(block.left, "  ", "  ")


def _account(account: Account, sources: Sequence[Evidence], margin: str) -> Iterator[str]:
    yield from _wrapped(" ".join(account.said), margin, margin)
    for link in account.links:
        yield f"{margin}{link.label}: {link.url}"
    yield from _wrapped(f"Evidence: {accounts.evidence(account, sources)}", margin, f"{margin}  ")


def _workbook(number: int, workbook: Evidence) -> Iterator[str]:
    yield f"[{number}] {workbook.workbook_name}"
    yield f"    first seen {wording.moment(workbook.seen_at)}"
    yield f"    SHA-256 {printable(workbook.workbook_sha256)}"
    yield f"    archived at {accounts.archived_at(workbook)}"


def _affair(affair: Affair) -> Iterator[str]:
    yield from _wrapped(wording.affair_heading(affair))
    if affair.since and not affair.over:
        yield f"Since {wording.moment(affair.since)}."
    for detail in affair.details:
        yield from _wrapped(wording.detail(detail), "- ", "  ")


def _foot(message: Message, *, cut: bool) -> Iterator[str]:
    yield "-- "
    if (report := wording.report_link(message)) and not cut:
        yield f"Full report: {report}"
    if page := wording.page_link(message):
        yield f"ICE's lists: {page}"
    yield from _wrapped(wording.signature(message))


def _wrapped(text: str, first: str = "", then: str = "") -> list[str]:
    """A paragraph in lines; a word that is longer than a line, such as an address, stays whole."""
    return textwrap.wrap(
        text, _WIDTH, initial_indent=first, subsequent_indent=then, break_long_words=False, break_on_hyphens=False
    )
