"""The demonstration in words."""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from db.records import Kind, Status
from pipeline.demo.days import Told
from pipeline.demo.play import Played
from pipeline.reports.record import LoggedEvent
from pipeline.reports.text import Paint
from pipeline.reports.wording import Sentence, plural, subject, tell

_WIDTH = 100
_MARGIN = 14

OPENING = """\
This is a demonstration on a synthetic site. A page and workbooks in the shapes of ICE's are served
on this machine, and the program visits them as it would visit ICE, once for each made-up day.
Nothing outside this machine is contacted. The counties are real, so that names are told apart as in
earnest; everything that is said of them here is made up."""


def day(played: Played, paint: Paint) -> Iterator[str]:
    """The lines of a day: what happens, how the check ended, what is in the record now that was not."""
    on = played.day.on
    yield paint(f"{on:%A} {on.day} {on:%B %Y}: {played.day.title}", "heading")
    yield from wrap(played.day.story, _WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield from _entry("check", [played.checked.outcome, *played.checked.message.split("; ")], paint, "heading")
    for remark in _remarks(played):
        yield from _entry("remark", [remark], paint, "aside")
    for event in played.new:
        yield from _entry(event.kind, _parts(tell(event)), paint, event.kind)
    for event in played.revised:
        yield from _entry(event.status, _revision(event), paint, event.kind)
    for words in played.subjects:
        yield from _entry("alert", [words], paint, "aside")
    if not played.as_expected:
        yield from _entry("unexpected", _difference(played), paint, Kind.TERMINATED)


def _entry(word: str, lines: Iterable[str], paint: Paint, what: str) -> Iterator[str]:
    """A word in capitals in the margin, and lines beside it; long ones are continued with an indent."""
    margin = paint(f"  {word.upper():<{_MARGIN - 2}}", what)
    for line in lines:
        for part in wrap(line, _WIDTH - _MARGIN, subsequent_indent="  ", break_on_hyphens=False):
            yield margin + part
            margin = " " * _MARGIN


def _remarks(played: Played) -> Iterator[str]:
    """What was odd and held nothing up."""
    for step in played.checked.steps:
        for finding in step.findings:
            yield f"{step.publication.file_name}, row {finding.row}: {finding.message}"
        for result in step.results:
            if not result.ok and not result.required:
                yield result.note


def _parts(sentence: Sentence) -> Iterator[str]:
    yield sentence.subject
    yield from sentence.details


def _revision(event: LoggedEvent) -> Iterator[str]:
    """What has become of an event that was told on an earlier day."""
    yield subject(event)
    yield f"{event.kind} on {event.published_on}, now {event.status}: {event.status_note}"


def _difference(played: Played) -> Iterator[str]:
    yield f"the demonstration expects {played.day.outcome}: {_listed(played.day.told)}"
    yield f"the program came to {played.checked.outcome}: {_listed(played.told)}"


def _listed(told: Iterable[Told]) -> str:
    return ", ".join(" ".join((one.status, one.kind, one.agency, *one.classes)) for one in told) or "no event"


def closing(days: Sequence[Played], paint: Paint) -> Iterator[str]:
    """What it comes to, against what a comparison of names and rows would have made of the same days."""
    naive = sum(one.naive_ends for one in days)
    ends = [event for one in days for event in one.new if event.kind is Kind.TERMINATED]
    back = [e for one in days for e in one.revised if e.kind is Kind.TERMINATED and e.status is Status.RETRACTED]
    wrong = sum(not one.as_expected for one in days)
    yield paint(f"{plural(len(days), 'day')}, {len(days) - wrong} as expected", "heading")
    yield from wrap(
        f"  To compare files by name, row by row, would have reported {naive} agreements as ended in these days."
        f" The record says {len(ends)}, marked provisional until borne out, and took {len(back)} of them back.",
        _WIDTH,
        subsequent_indent="  ",
    )
