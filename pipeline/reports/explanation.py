"""Why a row was taken for an agreement: decisions, evidence and the rows themselves, in words."""

from collections.abc import Iterator

from db.records import Kind
from pipeline.reports.escaping import printable
from pipeline.reports.record import Comparison, ExplainedAgreement, ExplainedEvent, Judgement, PrintedRow
from pipeline.reports.text import Paint, line, plain
from pipeline.reports.wording import plural, subject

_RULES = {
    "continued": "taken for the agreement that stood there before, under changed values",
    "duplicate": "a second row for an agreement that the list has already",
    "renewed": "a new signing, in place of the agreement before",
    "returned": "an agreement that had left the list is listed again",
    "opened": "taken for an agreement of its own, not for the nearest one before",
    "ended": "no longer listed: the nearest row of the new list was not taken for it",
}
_ROWS = {
    "duplicate": ("the row it repeats", "this row"),
    "opened": ("nearest row before", "this row"),
    "ended": ("before", "nearest row after"),
}
_UNDECIDED = {
    Kind.CHANGED: "An exact match: state, agency, model and signing date are those of the row before.",
    Kind.NEW: "Nothing had to be decided: no agreement listed before came near.",
    Kind.PENDING: "Nothing had to be decided: no application listed before came near.",
    Kind.TERMINATED: "Nothing had to be decided: no row of the new list came near.",
    Kind.WITHDRAWN: "Nothing had to be decided: the days that the configuration allows for a signature are over.",
}


def event(explained: ExplainedEvent, paint: Paint = plain) -> str:
    """An event, the rows before and after it, and why they were or were not taken for one agreement."""
    told, compared = explained.event, explained.comparison
    lines = [line(told, paint), f"agreement {told.agreement_id}, seen {told.detected_at}, {told.status}"]
    if told.status_note:
        lines[-1] += f": {printable(told.status_note)}"
    if compared.judgement is None:
        lines += ["", _UNDECIDED.get(told.kind, "An exact match."), *_rows(compared)]
    else:
        lines += ["", *_judgement(compared.judgement), *_rows(compared)]
    return "\n".join(lines)


def agreement(explained: ExplainedAgreement, paint: Paint = plain) -> str:
    """An agreement and every decision about its rows, in the order of the publications."""
    told = explained.timeline
    named = subject(told.periods[-1].terms) if told.periods else told.agreement_id
    lines = [
        f"{paint(named, 'heading')}  {paint(f'[{told.agreement_id}]', 'aside')}",
        printable(f"first listed on {told.first.published_on} in {told.first.workbook_name}, row {told.first_row}"),
        f"sha256 {told.first.workbook_sha256}",
        f"listed in {plural(explained.publications, 'publication')}; {_decided(explained)}",
    ]
    for compared in explained.comparisons:
        source = compared.source
        lines += ["", paint(printable(f"{source.published_on}  {source.workbook_name}"), "heading")]
        lines += [*(_judgement(compared.judgement) if compared.judgement else ()), *_rows(compared)]
    return "\n".join(lines)


def _decided(explained: ExplainedAgreement) -> str:
    if not explained.comparisons:
        return "every row matched exactly, nothing had to be decided"
    return f"every row matched exactly but for {plural(len(explained.comparisons), 'decision')}:"


def _judgement(judgement: Judgement) -> Iterator[str]:
    side = "above" if judgement.score >= 0 else "below"
    review = "; a person should look" if judgement.review else ""
    rule = _RULES.get(judgement.rule, judgement.rule)
    yield printable(f"{judgement.rule}: {rule} ({abs(judgement.score):g} points {side} the border{review})")
    width = max(map(len, judgement.evidence), default=0)
    for name, text in judgement.evidence.items():
        yield printable(f"  {name:<{width}}  {text}")


def _rows(compared: Comparison) -> Iterator[str]:
    rule = compared.judgement.rule if compared.judgement else ""
    for label, row in zip(_ROWS.get(rule, ("before", "after")), (compared.before, compared.after), strict=True):
        yield from ("", f"{label}: no row") if row is None else _row(label, row, compared)


def _row(label: str, row: PrintedRow, compared: Comparison) -> Iterator[str]:
    """The cells as printed, in quotes so that stray spaces show; those that differ from the other row are marked.

    Cells that are empty in both are left out: the list may have no such column.
    """
    other = compared.before if row is compared.after else compared.after
    yield ""
    yield printable(f"{label}: {row.source.workbook_name}, row {row.row}, of {row.source.published_on}")
    yield f"  sha256 {row.source.workbook_sha256}"
    width = max(map(len, row.cells))
    for column, text in row.cells.items():
        beside = other.cells.get(column, "") if other else text
        if not text and not beside:
            continue
        mark = "*" if text != beside else " "
        yield f"{mark} {column:<{width}}  {printable(repr(text))}"
