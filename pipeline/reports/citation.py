"""A citation as text, BibTeX and JSON: whether ICE listed an agreement or an agency on a day, and what shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from db.records import ListName
from pipeline.reports import data
from pipeline.reports.cited import Asked, Citation, NotCounted, Part, Row, Says, Shown
from pipeline.reports.escaping import printable, web_link
from pipeline.reports.text import Paint, line, plain
from pipeline.reports.wording import agency, plural, subject

DATED_BY = {
    "file_name": "by its file name",
    "last_modified": "by the server's Last-Modified",
    "workbook": "by the workbook's own date of modification",
    "seen": "by the day on which it was first seen",
}
"""The clock that gives a list its date, in words."""

HEADINGS = {
    Part.OF_THE_DAY: "The list in force that day",
    Part.BEFORE: "The list before it",
    Part.AFTER: "The next list after it",
    Part.LAST_WITH: "The last list before that day that has it",
    Part.NEXT_WITH: "The first list after that day that has it",
}

_AUTHOR = "U.S. Immigration and Customs Enforcement"
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    '"': "''",
}


def sentence(citation: Citation) -> str:
    """The answer: `On 2025-07-10, ICE's participating list did not name ...`."""
    asked, shown = citation.asked, citation.shown
    verb = "listed" if citation.says is Says.LISTED else "did not list"
    where = f"the list in force was that of {shown.published_on} ({shown.workbook_name})"
    return printable(f"On {asked.on}, ICE's {asked.list} list {verb} {whom(asked)}; {where}{_seen_last(citation)}.")


def _seen_last(citation: Citation) -> str:
    """A caution where the day lies beyond what this history has seen."""
    last = citation.last_sighting[:10]
    if Part.AFTER in citation.parts or citation.asked.on <= last:
        return ""
    days = (date.fromisoformat(citation.asked.on) - date.fromisoformat(last)).days
    return f", and no list has been seen since {last}, {plural(days, 'day')} before"


def whom(asked: Asked) -> str:
    """What was asked about: an agreement with its id, or an agency."""
    if asked.terms is None:
        return printable(f"any agency named {asked.name}" + (f" ({asked.state})" if asked.state else " in any state"))
    noun = "the application of " if asked.list is ListName.PENDING else ""
    return f"{noun}{subject(asked.terms)} [{asked.agreement_id}]"


def rows_in_words(shown: Shown) -> str:
    """`row 12`, `rows 12 and 13`, or `no row among the 812 of the list`."""
    numbers = [str(row.row) for row in shown.rows]
    if not numbers:
        return f"no row for it among the {shown.rows_read:,} of the list" if shown.rows_read else "no row at all"
    return f"row {numbers[0]}" if len(numbers) == 1 else f"rows {', '.join(numbers[:-1])} and {numbers[-1]}"


def limits(citation: Citation) -> list[str]:
    """What the answer does not say, sentence by sentence."""
    asked, shown = citation.asked, citation.shown
    later = citation.parts.get(Part.AFTER)
    between = (
        f"the next list was first seen at {later.first_seen_at}"
        if later
        else f"no later list has been seen; a {asked.list} list was last seen at {citation.last_sighting}"
    )
    said = [
        "This is what ICE listed, which is not the same as what was in force in law.",
        f"A list counts from its date of publication, here {shown.published_on} {_dated(shown)}; of a day's, the last.",
        f"The workbook was seen {_when(shown)}; {between}. What ICE's page showed between two sightings is not known.",
    ]
    if asked.agreement_id:
        said.append(
            "That rows of different lists are one agreement is this program's judgement;"
            f" `watch287g explain {asked.agreement_id}` gives its reasons."
        )
    else:
        said.append(
            "A name is found by its words; whether another spelling means the same agency is for a person to say."
        )
    misnamed = [one.workbook_name for one in citation.parts.values() if _other(one.list) in one.workbook_name.lower()]
    if misnamed:
        names = ", ".join(dict.fromkeys(misnamed))
        said.append(f"Named like the other list, but the {asked.list} list by its columns: {names}.")
    if shown.left_out:
        rows = ", ".join(f"{one.row} ({one.reason})" for one in shown.left_out)
        said.append(f"Rows of that workbook that are no part of the list and were not searched: {rows}.")
    return list(map(printable, said))


def _other(name: ListName) -> str:
    return ListName.PENDING if name is ListName.PARTICIPATING else ListName.PARTICIPATING


def _when(shown: Shown) -> str:
    if shown.last_seen_at == shown.first_seen_at:
        return f"once, at {shown.first_seen_at}"
    return f"from {shown.first_seen_at} to {shown.last_seen_at}"


def _dated(shown: Shown) -> str:
    return DATED_BY.get(shown.dated_by, "")


def text(citation: Citation, paint: Paint = plain) -> str:
    """The answer, then its evidence: each workbook with rows and cells, events, lists that did not count, limits."""
    mark = citation.says.upper()
    parts = [[f"{paint(mark, 'new' if citation.says is Says.LISTED else 'terminated')}  {sentence(citation)}"]]
    parts += [[paint(HEADINGS[part], "heading"), *_publication(citation, part)] for part in citation.parts]
    if citation.elsewhere is not None:
        parts.append([f"The name stands on lists between {citation.elsewhere[0]} and {citation.elsewhere[1]}."])
    elif citation.asked.agreement_id is None:
        parts.append([f"No {citation.asked.list} list of this history has the name."])
    if citation.not_counted:
        parts.append([paint("Posted by that day, and not taken for the list in force", "heading")])
        parts[-1] += map(not_counted, citation.not_counted)
    for heading, rows in (
        ("Other rows of that list that name the agency", citation.namesakes),
        ("The rows of that list with the nearest names, for you to judge", citation.nearest),
    ):
        if rows:
            parts.append([paint(heading, "heading"), *map(brief, rows)])
    if citation.events:
        parts.append([paint("What this history tells of it", "heading")])
        parts[-1] += [f"{event.published_on}  {line(event, paint)}" for event in citation.events]
    parts.append([paint("Limits", "heading"), *(f"- {one}" for one in limits(citation))])
    return "\n\n".join("\n".join(lines) for lines in parts)


def _publication(citation: Citation, part: Part) -> Iterator[str]:
    shown = citation.parts[part]
    yield printable(f"{shown.published_on}  {shown.workbook_name}: {shown.says}, {rows_in_words(shown)}")
    yield f"  sha256 {shown.workbook_sha256}"
    if part is not Part.OF_THE_DAY:
        return
    yield from (f"  {one}" for one in facts(shown))
    for row in shown.rows:
        yield f"  row {row.row}{' (a duplicate)' if row.duplicate else ''}"
        yield from (f"    {one}" for one in cells(row))


def facts(shown: Shown) -> list[str]:
    """How a workbook is dated, when and where it was seen, and when this history learned of it."""
    first = shown.seen[0] if shown.seen else None
    where = f" at {first.url}" if first and first.url else ", its address not noted by whoever kept it"
    others = dict.fromkeys(one.file_name for one in shown.seen if one.file_name != shown.workbook_name)
    lines = [
        f"{shown.bytes:,} bytes, {plural(shown.rows_read, 'row')}",
        f"published {shown.published_on}, {_dated(shown)}",
        f"modified {shown.modified_at}, as the workbook says of itself" if shown.modified_at else "",
        f"first seen {shown.first_seen_at}{where}",
        f"last seen {shown.last_seen_at}",
        f"seen also as {', '.join(others)}" if others else "",
        f"known to this history since {shown.known_at}",
    ]
    return [printable(one) for one in lines if one]


def cells(row: Row) -> list[str]:
    """The cells that are not empty, as printed, in quotes so that stray spaces show."""
    width = max(map(len, row.cells))
    return [f"{column:<{width}}  {printable(repr(value))}" for column, value in row.cells.items() if value]


def brief(row: Row) -> str:
    """A row in one line: `row 12  Kerr County Sheriff's Office (TX), Jail Enforcement Model, 2025-05-06  [a-...]`."""
    printed = [row.cells.get(name, "").strip() for name in ("SUPPORT TYPE", "SIGNED")]
    told = ", ".join(filter(None, [agency(row.state, row.agency), *printed]))
    alike = f"  {row.likeness:g} % alike" if row.likeness is not None else ""
    return printable(f"row {row.row}  {told}  [{row.agreement_id}]{alike}")


def not_counted(one: NotCounted) -> str:
    """A held or rejected list in one line."""
    why = f"{one.verdict}: {one.reason}" if one.reason else one.verdict
    return printable(f"{one.published_on}  {one.workbook_name}, {why}; sha256 {one.workbook_sha256}")


def json(citation: Citation, version: str) -> str:
    """`{"schema": 1, "program": ..., "says": "listed", "sentence": ..., "asked": {...}, "publications": {...}, ...}`.

    `publications` maps `of_the_day`, `before`, `after`, `last_with`, `next_with` (those that exist; the last two only
    where it was not listed that day) to a workbook with `says`, `rows` (each with its printed `cells`) and `seen`.
    """
    asked = citation.asked
    return data.document(
        {
            "program": f"watch287g {version}",
            "says": citation.says,
            "sentence": sentence(citation),
            "asked": asdict(asked),
            "publications": {part: _shown(shown) for part, shown in citation.parts.items()},
            "not_counted": [asdict(one) for one in citation.not_counted],
            "events": [asdict(event) for event in citation.events],
            "namesakes": [asdict(row) for row in citation.namesakes],
            "nearest": [asdict(row) for row in citation.nearest],
            "elsewhere": citation.elsewhere,
            "last_sighting": citation.last_sighting,
            "limits": limits(citation),
        }
    )


def _shown(shown: Shown) -> Mapping[str, Any]:
    return {"says": shown.says, **asdict(shown)}


def bibtex(citation: Citation, version: str) -> str:
    """An entry for the workbook of the day: `@misc`, which BibTeX and biblatex both know."""
    shown = citation.shown
    first = next((one for one in shown.seen if one.url), None)
    link = web_link(first.url) if first else None
    note = (
        f"287(g) {shown.list} list. {sentence(citation)} {rows_in_words(shown).capitalize()}."
        f" SHA-256 {shown.workbook_sha256}. Established with watch287g {version}"
    )
    fields = {
        "author": f"{{{_AUTHOR}}}",
        "title": f"{{{latex(shown.workbook_name)}}}",
        "date": shown.published_on,
        "year": shown.published_on[:4],
        "url": link,
        "urldate": (first.seen_at if first else shown.first_seen_at)[:10],
        "note": latex(note),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    key = f"ice-287g-{shown.list}-{shown.published_on}-{shown.workbook_sha256[:8]}"
    return "\n".join([f"@misc{{{key},", *lines, "}"]) + "\n"


def latex(words: str) -> str:
    """A text that LaTeX sets as it is."""
    return "".join(_LATEX.get(character, character) for character in printable(words))
