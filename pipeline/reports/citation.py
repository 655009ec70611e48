"""A citation as text, BibTeX and JSON: whether ICE listed an agreement or an agency on a day, and what shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from db.records import ListName
from pipeline.reports import data
from pipeline.reports.cited import (
    Asked,
    Citation,
    Near,
    NotCounted,
    Origin,
    Part,
    Row,
    Says,
    Searched,
    Seen,
    Several,
    Shown,
)
from pipeline.reports.escaping import printable, web_link
from pipeline.reports.text import Paint, line, plain
from pipeline.reports.wording import agency, plural, subject

DATED_BY = {
    "file_name": "by its file name",
    "last_modified": "by the server's Last-Modified",
    "workbook": "by the workbook's own date of modification",
    "seen": "by the day on which it was first seen",
    "list_before": "by the list before it, since its own date lies before that one's",
}
"""The clock that gives a list its date, in words."""

_HEADINGS = {
    Part.OF_THE_DAY: "The list in force that day",
    Part.BEFORE: "The list before it",
    Part.AFTER: "The next list after it",
    Part.LAST_WITH: "The last list before that day that has it",
    Part.NEXT_WITH: "The first list after that day that has it",
}

NAME_LIMIT = (
    "A name is searched for as written, and for near spellings of it and like names of the same place;"
    " whether yet another name means the same agency is for a person to say."
)

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


def heading_of(citation: Citation, part: Part) -> str:
    """What a publication is to a citation, as a heading."""
    return "The last list known" if part is Part.OF_THE_DAY and not citation.says.certain else _HEADINGS[part]


def sentence(citation: Citation) -> str:
    """The answer: `On 2025-07-10, ICE's participating list did not list ...`, or that nobody knows."""
    asked, shown = citation.asked, citation.shown
    return printable(_said(citation, f"{'listed' if shown.rows else 'did not list'} {whom(asked)}"))


def _said(citation: Citation, what: str) -> str:
    """That the list of the day says something, or the last one known does, and the day lies beyond it."""
    asked, shown = citation.asked, citation.shown
    which = f"that of {shown.published_on} ({shown.workbook_name})"
    if citation.says.certain:
        return f"On {asked.on}, ICE's {asked.list} list {what}; the list in force was {which}."
    last = citation.last_sighting[:10]
    days = (date.fromisoformat(asked.on) - date.fromisoformat(last)).days
    return (
        f"What ICE's {asked.list} list said on {asked.on} is not known: none has been seen since {last},"
        f" {plural(days, 'day')} before. The last one known, {which}, {what}."
    )


def sentence_of_several(several: Several) -> str:
    """The answer for an agency with several agreements."""
    first, number = several.citations[0], len(several.citations)
    noun = "application" if first.asked.list is ListName.PENDING else "agreement"
    if several.name is not None:
        agencies = len({one.asked.agency_id for one in several.citations})
        name = agency(first.asked.state, several.name)
        which = f"{plural(number, noun)} of {agencies} agencies that bear the name {name}, then or on another day"
        what = f"listed {several.listed} of the {which}" if several.listed else f"listed none of the {which}"
        return printable(_said(first, what))
    name = agency(first.asked.state, first.asked.name or "")
    what = (
        f"listed {name} with {several.listed} of the {plural(number, noun)} that this history has of it"
        if several.listed
        else f"did not list {name}: none of its {plural(number, noun)}"
    )
    return printable(_said(first, what))


def none_has_it(searched: Searched, list_name: ListName) -> str:
    """`None of the 209 participating lists from 2025-02-11 to 2025-12-12 has it.`"""
    if searched.lists == 1:
        return f"The only {list_name} list of this history, that of {searched.first}, does not have it."
    return f"None of the {searched.lists:,} {list_name} lists from {searched.first} to {searched.last} has it."


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
        f"The next list was first seen at {later.first_seen_at}"
        if later
        else f"No later list has been seen; a {asked.list} list was last seen at {citation.last_sighting}"
    )
    said = [
        "This is what ICE listed, which is not the same as what was in force in law.",
        f"A list counts from its date of publication, here {shown.published_on} {_dated(shown)}; of a day's, the last.",
        f"{_when(shown)} {between}. What ICE's page showed between two sightings is not known.",
    ]
    if asked.agreement_id:
        said.append(
            "That rows of different lists are one agreement is this program's judgement;"
            f" `watch287g explain {asked.agreement_id}` gives its reasons."
        )
    else:
        said.append(NAME_LIMIT)
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
    """When a workbook was seen, by whomever."""
    seen = [one for one in shown.seen if one.origin is not Origin.FILE]
    if not seen:
        return f"Nobody has noted when the workbook was seen; it was last modified at {shown.modified_at}."
    first, last = min(one.seen_at for one in seen), max(one.last_seen_at for one in seen)
    return f"The workbook was seen {f'once, at {first}' if first == last else f'from {first} to {last}'}."


def provenance(shown: Shown) -> list[str]:
    """Where a workbook came from: who says that it was seen and when, a sentence for each kind of source."""
    firsts = {one.origin: one for one in reversed(shown.seen)}
    return [printable(_came(firsts[origin], shown.fetched)) for origin in Origin if origin in firsts]


def _came(seen: Seen, fetched: bool) -> str:
    if seen.origin is Origin.FETCHED:
        return f"fetched from {seen.url} at {seen.seen_at}"
    how = "also" if fetched else "not fetched by this program:"
    taken = f"{how} taken in on {seen.recorded_at[:10]} from a collection"
    if seen.origin is Origin.COLLECTION:
        return f"{taken} that says it was seen at {seen.seen_at}"
    return f"{taken}; its time there, {seen.seen_at}, is the file's own time of modification, not a sighting"


def _dated(shown: Shown) -> str:
    return DATED_BY.get(shown.dated_by, "")


def text(citation: Citation, paint: Paint = plain) -> str:
    """The answer, then its evidence: each workbook with rows and cells, events, lists that did not count, limits."""
    parts = [[f"{mark(citation.says, paint)}  {sentence(citation)}"]]
    parts += [[paint(heading_of(citation, part), "heading"), *_publication(citation, part)] for part in citation.parts]
    parts += [[one] for one in of_all_lists(citation)]
    if citation.not_counted:
        parts.append([paint("Posted by that day, and not taken for the list in force", "heading")])
        parts[-1] += map(not_counted, citation.not_counted)
    for heading, rows in (
        ("Other rows of that list that are of the agency or bear its name", citation.namesakes),
        ("The rows of that list with the nearest names, for you to judge", citation.nearest),
    ):
        if rows:
            parts.append([paint(heading, "heading"), *map(brief, rows)])
    if citation.events:
        parts.append([paint("What this history tells of it", "heading")])
        parts[-1] += [f"{event.published_on}  {line(event, paint)}" for event in citation.events]
    parts.append([paint("Limits", "heading"), *(f"- {one}" for one in limits(citation))])
    return "\n\n".join("\n".join(lines) for lines in parts)


def text_of_several(several: Several, paint: Paint = plain) -> str:
    """The answer for an agency, then a section for each of its agreements."""
    said = [f"{one.says}: {whom(one.asked)}" for one in several.citations]
    parts = ["\n".join([f"{mark(several.says, paint)}  {sentence_of_several(several)}", *map(printable, said)])]
    number = len(several.citations)
    for place, one in enumerate(several.citations, 1):
        parts.append(paint(f"--- {place} of {number}: {one.asked.agreement_id} ---", "heading"))
        parts.append(text(one, paint))
    return "\n\n".join(parts)


def mark(says: Says, paint: Paint) -> str:
    """The verdict as it stands first."""
    colour = {Says.LISTED: "new", Says.NOT_LISTED: "terminated", Says.NEVER: "terminated"}.get(says, "pending")
    return paint(says.headline, colour)


def of_all_lists(citation: Citation) -> list[str]:
    """What all lists of the history say of a name; nothing where an agreement was asked about."""
    said = []
    if citation.elsewhere is not None:
        said.append(f"The name stands on lists between {citation.elsewhere[0]} and {citation.elsewhere[1]}.")
    if citation.alike:
        said.append(f"Lists of other days have what may be it: {'; '.join(map(near, citation.alike))}.")
    if not said and citation.searched:
        said.append(none_has_it(citation.searched, citation.asked.list))
    return said


def near(one: Near) -> str:
    """An agency in one line: `Bay County Sheriff's Office (FL), listed 2025-02-11 to 2025-03-04  [...]  71 % alike`."""
    told = f"{agency(one.state, one.agency)}, listed {one.since} to {one.until}"
    return printable(f"{told}  [{one.agency_id}]  {one.likeness:g} % alike")


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
    others = dict.fromkeys(one.file_name for one in shown.seen if one.file_name != shown.workbook_name)
    lines = [
        f"{shown.bytes:,} bytes, {plural(shown.rows_read, 'row')}",
        f"published {shown.published_on}, {_dated(shown)}",
        f"modified {shown.modified_at}, as the workbook says of itself" if shown.modified_at else "",
        *provenance(shown),
        f"last seen {shown.last_seen_at}" if shown.last_seen_at != shown.first_seen_at else "",
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
    return data.document({"program": f"watch287g {version}", **_content(citation)})


def json_of_several(several: Several, version: str) -> str:
    """`{"schema": 1, "program": ..., "says": ..., "sentence": ..., "asked": {...}, "citations": [...]}`.

    Each of the citations has what the document for one agreement has, but `schema` and `program`.
    """
    asked = several.citations[0].asked
    return data.document(
        {
            "program": f"watch287g {version}",
            "says": several.says,
            "sentence": sentence_of_several(several),
            "asked": {
                **{name: getattr(asked, name) for name in ("on", "list", "agency_id", "name", "state")},
                **({"agency_id": None, "name": several.name} if several.name is not None else {}),
            },
            "citations": [_content(one) for one in several.citations],
        }
    )


def _content(citation: Citation) -> dict[str, Any]:
    return {
        "says": citation.says,
        "sentence": sentence(citation),
        "asked": asdict(citation.asked),
        "publications": {part: shown_json(shown) for part, shown in citation.parts.items()},
        "not_counted": [asdict(one) for one in citation.not_counted],
        "events": [asdict(event) for event in citation.events],
        "namesakes": [asdict(row) for row in citation.namesakes],
        "nearest": [asdict(row) for row in citation.nearest],
        "elsewhere": citation.elsewhere,
        "alike": [asdict(one) for one in citation.alike],
        "searched": asdict(citation.searched) if citation.searched else None,
        "last_sighting": citation.last_sighting,
        "limits": limits(citation),
    }


def shown_json(shown: Shown) -> Mapping[str, Any]:
    """A publication for other programs."""
    return {"says": shown.says, "provenance": provenance(shown), **asdict(shown)}


def bibtex_of_several(several: Several, version: str) -> str:
    """An entry for each agreement, with its id in the key."""
    return "\n".join(bibtex(one, version, f"-{one.asked.agreement_id}") for one in several.citations)


def bibtex(citation: Citation, version: str, suffix: str = "") -> str:
    """An entry for the workbook of the day: `@misc`, which BibTeX and biblatex both know."""
    shown = citation.shown
    first = next((one for one in shown.seen if one.url), None)
    link = web_link(first.url) if first else None
    came = "" if shown.fetched else "".join(f" {capital(one)}." for one in provenance(shown))
    note = (
        f"287(g) {shown.list} list. {sentence(citation)} {capital(rows_in_words(shown))}."
        f" SHA-256 {shown.workbook_sha256}.{came} Established with watch287g {version}"
    )
    key = f"ice-287g-{shown.list}-{shown.published_on}-{shown.workbook_sha256[:8]}{suffix}"
    return entry(key, shown.workbook_name, shown.published_on, note, (link, first.seen_at) if first else None)


def capital(words: str) -> str:
    """A text that begins a sentence."""
    return words[:1].upper() + words[1:]


def entry(key: str, title: str, day: str, note: str, seen: tuple[str | None, str] | None = None) -> str:
    """A BibTeX entry for something of ICE's; `seen` is the address at which this program saw it, and when."""
    link, when = seen or (None, "")
    fields = {
        "author": f"{{{_AUTHOR}}}",
        "title": f"{{{latex(title)}}}",
        "date": day,
        "year": day[:4],
        "url": link,
        "urldate": when[:10] if link else None,
        "note": latex(note),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@misc{{{key},", *lines, "}"]) + "\n"


def latex(words: str) -> str:
    """A text that LaTeX sets as it is."""
    return "".join(_LATEX.get(character, character) for character in printable(words))
