"""The note in an evidence folder: how a third person verifies a citation with sha256sum and a spreadsheet program."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from textwrap import wrap

from pipeline.reports import never_listed
from pipeline.reports.citation import (
    brief,
    facts,
    heading_of,
    limits,
    near,
    none_has_it,
    not_counted,
    of_all_lists,
    rows_in_words,
    sentence,
    sentence_of_several,
    whom,
)
from pipeline.reports.cited import Citation, Copy, Never, Part, Row, Says, Several, Shown
from pipeline.reports.escaping import printable
from pipeline.reports.wording import plural

_WIDTH = 100


def render(citation: Citation, copies: Mapping[str, Copy], version: str) -> str:
    """The note as plain text; `copies` maps the SHA-256 of each workbook of the citation to its file here."""
    lines = [
        f"EVIDENCE: {citation.says.headline}",
        "",
        *_wrapped(sentence(citation)),
        "",
        *_check([shown for shown, _ in citation.workbooks()]),
        "",
        "2. Look into the workbooks with a spreadsheet program",
    ]
    for shown, parts in citation.workbooks():
        lines += ["", *_workbook(citation, shown, parts, copies[shown.workbook_sha256])]
    lines += ["", "3. What else bears on it", ""]
    for told in of_all_lists(citation):
        lines += _wrapped(told, "   ")
    lines += _lines("Posted by that day, and not taken for the list in force:", map(not_counted, citation.not_counted))
    namesakes = "Other rows of that day's list that are of the agency or bear its name:"
    lines += _lines(namesakes, map(brief, citation.namesakes))
    lines += _lines("Rows of that day's list with the nearest names, for you to judge:", map(brief, citation.nearest))
    lines += _lines(
        "Events (citation.txt and citation.json have them in full):",
        (f"{event.published_on} {event.kind} ({event.status}) {event.event_id}" for event in citation.events),
    )
    lines += _lines("Limits:", limits(citation))
    lines += ["", *_same_in_other_forms(version)]
    return "\n".join(lines) + "\n"


def render_several(several: Several, version: str) -> str:
    """The note above the folders of several citations, each named by the id of its agreement."""
    lines = [f"EVIDENCE: {several.says.headline}", "", *_wrapped(sentence_of_several(several)), ""]
    lines += ["A folder for each; begin with the README.txt in it:", ""]
    for one in several.citations:
        lines += [f"   {one.asked.agreement_id}", *_wrapped(f"{one.says}: {whom(one.asked)}", "     ")]
    return "\n".join([*lines, "", f"Written by watch287g {version}."]) + "\n"


def render_never(never: Never, copy: Copy, version: str) -> str:
    """The note for an agency that no list names; `copy` is the last list."""
    shown, number = never.newest, len(never.consulted)
    lines = [
        f"EVIDENCE: {never.says.headline}",
        "",
        *_wrapped(never_listed.sentence(never)),
        "",
        *_check([shown]),
        "",
        "2. See which lists were searched",
        "",
        *_wrapped(
            f"lists.csv names all {number:,}: date, workbook, SHA-256, rows, when it was seen. The archive folder of"
            " whoever wrote this holds each as the file in the column archived_as. Ask for those that you wish to"
            " check, compare their SHA-256 with lists.csv, and search them as below.",
            "   ",
        ),
        "",
        "3. Search them with a spreadsheet program; here is the last",
        "",
        printable(f"   {copy.file_name}"),
        *_kept_as(shown, copy),
        f"   SHA-256 {shown.workbook_sha256}",
        *(f"   {one}" for one in facts(shown)),
        printable(f"   Open sheet {copy.sheet!r}; the names of the columns are in row {copy.header_row}."),
        *_wrapped(_search(shown, copy), "   "),
        "",
        "4. What else bears on it",
        "",
    ]
    lines += _wrapped(none_has_it(never.searched, never.list), "   ")
    lines += _lines("Not searched, since they were held or rejected:", map(not_counted, never.not_counted))
    lines += _lines("Agencies with the nearest names, for you to judge:", map(near, never.nearest))
    lines += _lines("Limits:", never_listed.limits(never))
    lines += ["", *_same_in_other_forms(version)]
    return "\n".join(lines) + "\n"


def _check(shown: Collection[Shown]) -> Iterator[str]:
    """How to check the files; and where they are from, as far as this program knows it."""
    named = (
        "under the name that ICE gave it"
        if all(one.fetched for one in shown)
        else "under the name it was kept under; whether this program fetched it from ICE, or took it in from somebody"
        " else's collection, is said below for each"
    )
    yield "1. Check that the files are the ones that were archived"
    yield ""
    yield from _wrapped(
        "In this folder run: sha256sum -c SHA256SUMS (macOS: shasum -a 256 -c SHA256SUMS; Windows PowerShell:"
        " Get-FileHash *.xlsx, and compare). Every line must say OK. Each workbook holds the bytes that were archived,"
        f" unchanged, {named}. What its hyperlinks hold is as it stands in the file.",
        "   ",
    )


def _kept_as(shown: Shown, copy: Copy) -> Iterator[str]:
    if copy.file_name != shown.workbook_name:
        whose = "ICE's own name for it" if shown.fetched else "The name it was kept under"
        yield printable(f"   {whose}: {shown.workbook_name}")


def _same_in_other_forms(version: str) -> list[str]:
    return _wrapped(
        "citation.txt, citation.json and citation.bib say the same for people, programs and bibliographies."
        f" Written by watch287g {version}."
    )


def _wrapped(text: str, indent: str = "") -> list[str]:
    inside = wrap(printable(text), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"{indent}{one}" for one in inside]


def _lines(heading: str, told: Iterable[str]) -> list[str]:
    items = [_wrapped(one) for one in told]
    lines = [f"   {'  ' if number else '- '}{one}" for item in items for number, one in enumerate(item)]
    return [f"   {heading}", *lines] if lines else []


def _workbook(citation: Citation, shown: Shown, parts: tuple[Part, ...], copy: Copy) -> Iterator[str]:
    yield printable(f"   {copy.file_name}")
    yield f"   {'; '.join(heading_of(citation, part) for part in parts)}."
    yield from _kept_as(shown, copy)
    yield f"   SHA-256 {shown.workbook_sha256}"
    yield from (f"   {one}" for one in facts(shown))
    yield printable(f"   Open sheet {copy.sheet!r}; the names of the columns are in row {copy.header_row}.")
    if shown.says is Says.MAY_BE:
        yield from _wrapped(f"It has {rows_in_words(shown)}, which may be it: judge for yourself.", "   ")
    for row in shown.rows:
        yield from _row(row, copy)
    if shown.says is Says.NOT_LISTED:
        yield from _absence(citation, shown, copy)


def _row(row: Row, copy: Copy) -> Iterator[str]:
    hidden = (
        " (hidden by a filter of ICE's: clear the filters of the sheet to see it)" if row.row in copy.hidden else ""
    )
    again = " once more: a duplicate" if row.duplicate else ""
    yield f"   Row {row.row}{hidden} says{again}:"
    for column, text in row.cells.items():
        if text:
            where = f"{copy.letters[column]}{row.row}" if column in copy.letters else ""
            yield printable(f"     {where:<6} {column:<22}  {text!r}")
    yield "   (Dates stand here as year-month-day; the program shows them in its own way. Quotes are not in the cell.)"


def _absence(citation: Citation, shown: Shown, copy: Copy) -> Iterator[str]:
    asked = citation.asked
    alone = " No row names the agency at all." if asked.terms is None else ""
    other = (
        f" Rows that name the agency belong to other agreements (model, date or state differ): see part 3 for"
        f" {shown.published_on}."
        if Part.OF_THE_DAY in citation.parts and shown == citation.shown and citation.namesakes
        else ""
    )
    yield from _wrapped(f"It has {rows_in_words(shown)}: {whom(asked)}.{alone} {_search(shown, copy)}{other}", "   ")


def _search(shown: Shown, copy: Copy) -> str:
    """How to see for oneself that a list lacks something."""
    agency = f"column {copy.letters['LAW ENFORCEMENT AGENCY']}" if "LAW ENFORCEMENT AGENCY" in copy.letters else "it"
    clear = f"Clear all filters first: they hide {plural(len(copy.hidden), 'row')} of data. " if copy.hidden else ""
    first, last = copy.rows
    span = f"rows {first} to {last}, {shown.rows_read:,} in all" if shown.rows_read else "no rows"
    return (
        f"To check: the list has {span}. {clear}Sort or search {agency} for each word of the name and its likely"
        " misspellings, and compare state, model and date."
    )
