"""The made-up publisher: a page and two workbooks on a local site, posted in the ways in which ICE posts them."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime

from db.records import ListName
from pipeline.demo import lists
from pipeline.demo.lists import JEM, TFM, WSO, Row
from pipeline.demo.server import Answer, Site

PAGE = "/identify-and-arrest/287g"
_FOLDER = "/doclib/about/offices/ero/287g/"
_ROUTE = "/file-download/download/public/"
_UPLOAD = timedelta(hours=1)
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BLOCK_PAGE = b"""<html><head><title>Access Denied</title></head><body><h1>Access Denied</h1>
You don't have permission to access this page on this server.<p>Reference #18.2d</body></html>
"""


@dataclass(frozen=True, slots=True)
class Posted:
    """A workbook at an address, under a name, with its rows; `label` is the list that its link promises."""

    label: ListName
    path: str
    file_name: str
    rows: tuple[Row, ...]
    answer: Answer


class Publisher:
    """What the made-up publisher has: the rows of the two lists, and what it has put on its site.

    `posted` is the file that holds each list now, `on` those that were posted as new files on a day, `linked` the files
    that a visitor finds on the page.
    """

    def __init__(self, site: Site) -> None:
        self.agreements = list(lists.first_agreements())
        self.applications = list(lists.first_applications())
        self.posted: Mapping[ListName, Posted] = {}
        self.linked: Collection[Posted] = ()
        self.on: dict[date, Mapping[ListName, Posted]] = {}
        self._site = site

    def post(
        self, day: date, *, route: int | None = None, swapped: bool = False, rows: Sequence[Row] | None = None
    ) -> None:
        """Post both lists as new files of that day, and link them from the page.

        Args:
            route: the number of an address that tells no name; the name is then in Content-Disposition.
            swapped: each list goes under the other's name.
            rows: the participating list's rows, where they are not the agreements that the page counts.
        """
        labels = [*reversed(ListName)] if swapped else [*ListName]
        contents = tuple(self.agreements if rows is None else rows), tuple(self.applications)
        posted = {}
        for number, (name, label, content) in enumerate(zip(ListName, labels, contents, strict=True)):
            file_name = f"{label}Agencies{day:%m%d%Y}am.xlsx"
            path = _FOLDER + file_name if route is None else f"{_ROUTE}{route + number}"
            posted[name] = _file(name, label, path, file_name, content, day)
        self.on[day] = posted
        self.link(posted)

    def overwrite(self, day: date) -> None:
        """Post the participating list of that day at the address, and under the name, that it has already.

        The page does not change with it.
        """
        before = self.posted[ListName.PARTICIPATING]
        after = _file(before.label, before.label, before.path, before.file_name, tuple(self.agreements), day)
        self.posted = {**self.posted, ListName.PARTICIPATING: after}
        self._site.pages[after.path] = after.answer

    def link(self, posted: Mapping[ListName, Posted]) -> None:
        """Have these files on the site and link them from the page, and no others."""
        self.posted = posted
        self._site.pages |= {one.path: one.answer for one in posted.values()}
        self._show(posted.values())

    def unlink(self) -> None:
        """Show the page without a link to either list."""
        self._show(())

    def block(self) -> None:
        """Refuse everything, as ICE's server does with some visitors."""
        self.linked = ()
        refusal = Answer(403, {"Content-Type": "text/html"}, _BLOCK_PAGE)
        self._site.pages |= dict.fromkeys([PAGE, *(one.path for one in self.posted.values())], refusal)

    def replace(self, old: Row, *new: Row) -> None:
        """Put rows, or none, in the place of a row of the participating list."""
        at = self.agreements.index(old)
        self.agreements[at : at + 1] = new

    def _show(self, linked: Collection[Posted]) -> None:
        self.linked = linked
        html = _page(self.agreements, linked).encode()
        headers = {"Content-Type": "text/html; charset=utf-8", "ETag": _tag(html)}
        self._site.pages[PAGE] = Answer(headers=headers, body=html)


def _modified(day: date) -> datetime:
    return datetime.combine(day, time(13), tzinfo=UTC)


def _file(name: ListName, label: ListName, path: str, file_name: str, rows: tuple[Row, ...], day: date) -> Posted:
    make = lists.participating if name is ListName.PARTICIPATING else lists.pending
    content = make(rows, _modified(day))
    headers = {
        "Content-Type": _XLSX,
        "Content-Disposition": f'attachment; filename="{file_name}"',
        "ETag": _tag(content),
        "Last-Modified": format_datetime(_modified(day) + _UPLOAD, usegmt=True),
    }
    return Posted(label, path, file_name, rows, Answer(headers=headers, body=content))


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:16]}"'


def _page(agreements: Sequence[Row], linked: Collection[Posted]) -> str:
    """The page, with totals and links in ICE's words."""
    counts = [sum(row.model == model for row in agreements) for model in (JEM, WSO, TFM)]
    states = len({row.state for row in agreements})
    links = "".join(f'<li><a href="{one.path}">View 287(g) {one.label.title()} Agencies</a></li>' for one in linked)
    return f"""<!DOCTYPE html>
<html lang="en"><head><title>A made-up page about 287(g)</title></head><body>
<p>This page was made up for a demonstration. It says nothing about any agency.</p>
<p>ICE has signed {len(agreements)} Memorandums of Agreement for 287(g) programs covering {states} states and 0 U.S.
territories. That is {counts[0]} agreements under the Jail Enforcement Model, {counts[1]} under the Warrant Service
Officer and {counts[2]} under the Task Force Model.</p>
<ul>{links}</ul>
</body></html>
"""
