"""A message as an HTML mail: safe to open, readable where clients take most of it away, and on a telephone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zlib
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from db.records import Status
from pipeline.reports.messages import html
from pipeline.reports.messages.content import Message, MessageKind, Occasion
from tests.pipeline.reports.messages.message_values import (
    HELD,
    JAIL,
    PAGE,
    TASK,
    WARRANT,
    everything,
    gap,
    message,
    new,
    taken_back,
    told,
)

LONG = message(
    [
        told(agency="Sheriff" * 40, county="County" * 40, workbook_name=f"{'x' * 300}.xlsx", status=Status.PROVISIONAL),
        new("A County Sheriff's Office of an ordinary length"),
    ]
)
SHOWN = {
    "digest": everything(),
    "correction": message([taken_back()], MessageKind.CORRECTION),
    "operator": message(kind=MessageKind.OPERATOR, affairs=(HELD,)),
    "several": message([told(event_id=f"e-{model}", support_model=model) for model in (JAIL, TASK, WARRANT)]),
    "taken back": message(gap(Occasion.RETRACTED), MessageKind.CORRECTION),
    "long names": LONG,
}
_EVERY = pytest.mark.parametrize("some", SHOWN.values(), ids=SHOWN)


_ELEMENTS = {
    *("html", "head", "meta", "title", "body", "table", "tr", "td"),
    *("h1", "h2", "h3", "p", "div", "a", "bdi", "span"),
}


class _Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


@_EVERY
def test_it_loads_nothing_runs_nothing_and_needs_no_style_sheet(some: Message) -> None:
    tags = _Tags(html.render(some)).found

    assert {tag for tag, _ in tags} <= _ELEMENTS
    assert {
        name for _, attributes in tags for name in attributes if name in ("src", "class", "id", "background")
    } == set()
    assert [name for _, attributes in tags for name in attributes if name.startswith("on")] == []
    assert "url(" not in html.render(some)


@_EVERY
def test_links_lead_to_the_web_and_take_nothing_along(some: Message) -> None:
    links = [attributes for tag, attributes in _Tags(html.render(some)).found if tag == "a"]

    assert links
    assert all(one["href"].startswith("https://") and one["rel"] == "noopener noreferrer" for one in links)


@_EVERY
def test_every_colour_can_be_read_on_its_ground(some: Message) -> None:
    grounds = ("#ffffff", "#f2f2f0")
    inks = set(re.findall(r"(?<![-\w])color:(#[0-9a-f]{6})", html.render(some)))

    assert inks
    assert [(ink, on) for ink in inks for on in grounds if _contrast(ink, on) < 4.5] == []


def _contrast(one: str, other: str) -> float:
    """The ratio of contrast of two colours (WCAG 2.2)."""
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_a_long_list_is_cut_with_a_count_and_a_link() -> None:
    page = html.render(message([new(f"Agency {number}") for number in range(120)]), 50)

    assert page.count("<bdi>Agency ") == 50
    assert re.search(r"and 70 more: 70 new; full report: <a href=\"https://reports\.example\.org/287g\"", page)
    assert html.render(message([new(f"Agency {number}") for number in range(120)]), None).count("<bdi>Agency ") == 120


def test_an_agency_is_named_once_for_agreements_that_end_together() -> None:
    page = html.render(SHOWN["several"])

    assert page.count("Kerr County Sheriff") == 1
    assert page.count("No other agreement of this agency is listed.") == 1
    assert page.count("Evidence: ") == 3


def test_every_event_is_named() -> None:
    some = everything()
    shown = unescape(html.render(some))

    assert [one.event.event_id for one in some.told if one.event.event_id not in shown] == []


def test_a_command_is_the_operators() -> None:
    some = message([new("A"), new("B")], full_report="watch287g report --since 2025-06-27")

    assert "and 1 more: 1 new (the operator can run: watch287g report --since 2025-06-27)" in html.render(some, 1)
    assert "watch287g report" not in html.render(some)


def test_ices_page_is_linked_and_what_is_over_orders_nothing() -> None:
    over = replace(HELD, over=True, commands=(), details=("It was so until 2025-04-22T14:00:00Z at the latest.",))
    page = html.render(message(kind=MessageKind.OPERATOR, affairs=(over,)))

    assert f'ICE&#39;s lists: <a href="{PAGE}"' in page or f'ICE\'s lists: <a href="{PAGE}"' in page
    assert "2025-04-22 14:00 UTC" in re.sub(r"<[^>]*>", "", page)
    assert "What decides or mends it" not in page
    assert "Since 2025" not in page


def test_the_whole_hash_and_the_rows_are_there() -> None:
    page = html.render(message([told()]))

    assert f"SHA-256 {'ab' * 32}" in page
    assert "row 700 of the list before, participatingAgencies06262025pm.xlsx [2]" in page
    assert "first seen 2025-06-27 14:00 UTC" in page


def _chromium() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: the rendering is not looked at")
    return found


def _browse(folder: Path, page: Path, *arguments: str) -> str:
    command = [_chromium(), "--headless", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}"]
    return subprocess.run(
        [*command, *arguments, page.as_uri()], check=True, capture_output=True, text=True, timeout=120
    ).stdout


def _bytes_drawn(png: bytes) -> int:
    """How many different bytes the picture of a PNG file has; a blank page has a handful."""
    at, data = 8, b""
    while at < len(png):
        size = int.from_bytes(png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += size + 12
    return len(set(zlib.decompress(data)))


_MEASURING = """<!doctype html><iframe width={width} height=1600 style="border:0"></iframe><script>
const frame = document.querySelector("iframe");
frame.onload = () => {{
  const ends = [...frame.contentDocument.querySelectorAll("body *")].map(one => one.getBoundingClientRect().right);
  document.title = `widest ${{Math.ceil(Math.max(...ends))}}`;
}};
frame.srcdoc = {page};
</script>"""
"""A page of its own, since the window of a headless Chromium is never narrower than 500 pixels for a script."""


@pytest.mark.parametrize("width", [1200, 390])
@_EVERY
def test_it_is_drawn_and_no_wider_than_the_window(some: Message, width: int, tmp_path: Path) -> None:
    mail, measuring, picture = tmp_path / "mail.html", tmp_path / "measuring.html", tmp_path / "mail.png"
    mail.write_text(html.render(some), encoding="utf-8")
    measuring.write_text(_MEASURING.format(width=width, page=json.dumps(html.render(some))), encoding="utf-8")
    _browse(tmp_path, mail, f"--window-size={width},1600", f"--screenshot={picture}")
    found = re.search(
        r"<title>widest (\d+)</title>", _browse(tmp_path, measuring, "--window-size=1300,1700", "--dump-dom")
    )

    assert _bytes_drawn(picture.read_bytes()) > 40
    assert found
    assert 300 < int(found[1]) <= width
