"""Events as Markdown, for an issue, a chat or a newsletter."""

from collections.abc import Iterable, Sequence

from pipeline.reports import escaping, text
from pipeline.reports.grouping import Group, group
from pipeline.reports.record import LoggedEvent, Reach, Selection
from pipeline.reports.wording import KEY, counts, coverage, evidence, list_title, tell, title


def render(events: Sequence[LoggedEvent], selection: Selection, reach: Reach | None = None) -> str:
    """The report: a title, what it covers, a section with a list for each workbook, a key. No newline at the end."""
    head = (f"# {title(selection, reach)}", escaping.markdown(text.summary(events, selection, reach)), coverage(reach))
    sections = ("\n".join(_section(some)) for some in group(events, selection))
    key = "\n".join(("---", "", *(f"- *{word}*: {meaning}" for word, meaning in KEY)))
    return "\n\n".join(filter(None, (*head, *sections, key if events else "")))


def _section(some: Group) -> Iterable[str]:
    yield f"## {some.published_on}, {list_title(some.list).lower()}: {counts(some.events)}"
    yield ""
    late = f", told on {some.told_on}" if some.told_on else ""
    yield f"In {escaping.markdown(some.workbook_name)}{late}:"
    yield ""
    for event in some.events:
        sentence = tell(event)
        details = "".join(f"; {escaping.markdown(detail)}" for detail in (*sentence.details, evidence(event)) if detail)
        links = "".join(f" ([{label}]({url}))" for label, url in event_links(event))
        yield f"- **{event.kind.upper()}** {escaping.markdown(sentence.subject)}{details}{links} `{event.event_id}`"


def event_links(event: LoggedEvent) -> list[tuple[str, str]]:
    """The documents that an event says are now linked: (what it is, address), http and https only."""
    found = []
    for name, label in (("moa_url", "MOA"), ("addendum_url", "addendum")):
        if url := escaping.web_link(event.changes.get(name, (None, None))[1]):
            found.append((label, url))
    return found
