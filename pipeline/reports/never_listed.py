"""That no list of the history names an agency: as text, JSON, BibTeX, and the lists that were searched as CSV."""

from dataclasses import asdict

from db.records import ListName
from pipeline.reports import data
from pipeline.reports.citation import NAME_LIMIT, entry, mark, near, none_has_it, not_counted, provenance, shown_json
from pipeline.reports.cited import Consulted, Never
from pipeline.reports.escaping import printable
from pipeline.reports.text import Paint, plain
from pipeline.reports.wording import plural

_COLUMNS = (
    *("list", "published_on", "dated_by", "workbook_name", "workbook_sha256", "bytes", "rows", "first_seen_at"),
    *("last_seen_at", "known_at", "fetched", "archived_as"),
)


def sentence(never: Never) -> str:
    """The answer: `No participating list that this history has names any agency Boston Police Department (MA). ...`."""
    where = f" ({never.state})" if never.state else " in any state"
    return printable(
        f"No {never.list} list that this history has names any agency {never.name}{where}."
        f" {none_has_it(never.searched, never.list)}"
    )


def limits(never: Never) -> list[str]:
    """What the answer does not say, sentence by sentence."""
    searched = never.searched
    said = [
        f"Only lists dated {searched.first} to {searched.last} were searched; ICE may have had others.",
        f"A {never.list} list was last seen at {never.last_sighting}.",
        NAME_LIMIT,
    ]
    if other := never.other:
        kind = ListName.PENDING if never.list is ListName.PARTICIPATING else ListName.PARTICIPATING
        said.append(f"The {kind} list names it, between {other[0]} and {other[1]}; ask with --list {kind}.")
    if never.not_counted:
        said.append(f"Held or rejected, and not searched: {plural(len(never.not_counted), 'list')}.")
    kept = sum(not one.fetched for one in never.consulted)
    if kept == len(never.consulted):
        said.append("None of these lists was fetched by this program: all were taken in from somebody's collection.")
    elif kept:
        said.append(
            f"Of the {len(never.consulted):,} lists, {kept:,} were not fetched by this program but taken in from"
            " somebody's collection; lists.csv says which."
        )
    return list(map(printable, said))


def text(never: Never, paint: Paint = plain) -> str:
    """The answer, the last list as an example of its evidence, the nearest names, and limits."""
    shown = never.newest
    last = [printable(f"{shown.published_on}  {shown.workbook_name}"), f"  sha256 {shown.workbook_sha256}"]
    parts = [
        [f"{mark(never.says, paint)}  {sentence(never)}"],
        [paint("The last of these lists", "heading"), *last, *(f"  {one}" for one in provenance(shown))],
    ]
    for heading, told in (
        ("Not searched, since they were held or rejected", [not_counted(one) for one in never.not_counted]),
        ("Agencies with the nearest names, for you to judge", [near(one) for one in never.nearest]),
    ):
        if told:
            parts.append([paint(heading, "heading"), *told])
    parts.append(["All the lists with their SHA-256 are in lists.csv of the folder that --folder writes."])
    parts.append([paint("Limits", "heading"), *(f"- {one}" for one in limits(never))])
    return "\n\n".join("\n".join(lines) for lines in parts)


def json(never: Never, version: str) -> str:
    """`{"schema": 1, "program": ..., "says": "never listed", "sentence": ..., "asked": {...}, "searched": {...}, ...}`.

    `lists` are all that were searched, from the oldest to the newest; `newest` is the last in full.
    """
    return data.document(
        {
            "program": f"watch287g {version}",
            "says": never.says,
            "sentence": sentence(never),
            "asked": {"on": None, "list": never.list, "name": never.name, "state": never.state},
            "searched": asdict(never.searched),
            "lists": [asdict(one) for one in never.consulted],
            "newest": shown_json(never.newest),
            "not_counted": [asdict(one) for one in never.not_counted],
            "nearest": [asdict(one) for one in never.nearest],
            "other_list": never.other,
            "last_sighting": never.last_sighting,
            "limits": limits(never),
        }
    )


def bibtex(never: Never, version: str) -> str:
    """An entry for all the lists together."""
    searched = never.searched
    title = f"287(g) {never.list} lists, {searched.lists:,} workbooks, {searched.first} to {searched.last}"
    note = f"{sentence(never)} Established with watch287g {version}"
    return entry(f"ice-287g-{never.list}-{searched.first}-{searched.last}", title, searched.last, note)


def lists_csv(never: Never) -> str:
    """A row for each list that was searched; `archived_as` is its file below the archive folder."""
    return data.table_csv(_COLUMNS, (_line(never.list, one) for one in never.consulted))


def _line(name: ListName, one: Consulted) -> tuple[data.Scalar, ...]:
    values = {**asdict(one), "list": name, "fetched": "yes" if one.fetched else "no"}
    values["archived_as"] = f"{one.workbook_sha256[:2]}/{one.workbook_sha256}.xlsx"
    return tuple(values[column] for column in _COLUMNS)
