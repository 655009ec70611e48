"""Events as Markdown, for an issue, a chat or a newsletter."""

from collections.abc import Iterable, Sequence

from pipeline.reports import escaping, text
from pipeline.reports.grouping import Group, group
from pipeline.reports.record import LoggedEvent, Selection
from pipeline.reports.wording import counts, list_title, tell


def render(events: Sequence[LoggedEvent], selection: Selection) -> str:
    """The report: a heading, then a section with a bullet list for each workbook. No newline at the end."""
    heading = f"# 287(g) report\n\n{escaping.markdown(text.summary(events, selection))}"
    return "\n\n".join((heading, *("\n".join(_section(some)) for some in group(events))))


def _section(some: Group) -> Iterable[str]:
    yield f"## {some.published_on}, {list_title(some.list).lower()}: {counts(some.events)}"
    yield ""
    yield f"In {escaping.markdown(some.workbook_name)}:"
    yield ""
    for event in some.events:
        sentence = tell(event)
        details = "".join(f"; {escaping.markdown(detail)}" for detail in sentence.details)
        links = "".join(f" ([{label}]({url}))" for label, url in event_links(event))
        yield f"- **{event.kind.upper()}** {escaping.markdown(sentence.subject)}{details}{links} `{event.event_id}`"


def event_links(event: LoggedEvent) -> list[tuple[str, str]]:
    """The documents that an event says are now linked: (what it is, address), http and https only."""
    found = []
    for name, label in (("moa_url", "MOA"), ("addendum_url", "addendum")):
        if url := escaping.web_link(event.changes.get(name, (None, None))[1]):
            found.append((label, url))
    return found
