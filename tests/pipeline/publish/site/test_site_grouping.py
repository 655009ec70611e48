"""Events in days, groups and parts; pages that are cut."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import Kind, Status
from pipeline.publish.site import pages, places
from pipeline.publish.site.changing import LATEST, latest
from pipeline.publish.site.grouping import PART, SORTS, days, parts
from pipeline.publish.site.model import Told
from pipeline.publish.site.splitting import chunks, split
from pipeline.publish.site.words import words
from tests.db.histories import COUNTIES, Posted, rows, sheriff
from tests.pipeline.publish.site import sites
from tests.pipeline.reports.story import event


def told(on: str, number: int = 1, **fields: object) -> list[Told]:
    return [Told(event(event_id=f"e-{on}-{at:04}", published_on=on, **fields), "fl-one") for at in range(number)]


@given(st.lists(st.integers(1, 400), max_size=12))
def test_parts_keep_every_event_in_its_order_and_none_is_too_long(sizes: list[int]) -> None:
    events = [one for day, size in enumerate(sizes, 1) for one in told(f"2025-07-{day:02}", size)]
    cut = parts(events)
    assert [one for some in cut for one in some] == events
    assert all(0 < len(some) <= PART for some in cut)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=12), st.integers(1, 60))
def test_a_later_day_moves_nothing_on_the_parts_before(sizes: list[int], more: int) -> None:
    events = [one for day, size in enumerate(sizes, 1) for one in told(f"2025-07-{day:02}", size)]
    before, after = parts(events), parts([*events, *told("2025-07-31", more)])
    assert after[: len(before) - 1] == before[:-1]


def test_the_most_serious_stands_first_and_a_change_of_two_fields_in_both_groups() -> None:
    changes = {"agency": ("A", "B"), "moa_url": (None, "https://www.ice.gov/a.pdf")}
    classes = {"agency": "rename", "moa_url": "link posted"}
    (day,) = days(
        [
            *told("2025-07-01", kind=Kind.CHANGED, changes=changes, change_classes=classes),
            *told("2025-07-01", kind=Kind.NEW),
            *told("2025-07-01", status=Status.RETRACTED),
            *told("2025-07-01", status=Status.PROVISIONAL),
            *told("2025-07-01"),
        ]
    )
    sorts = [group.sort for group in day.groups]
    assert sorts == ["terminated", "provisional", "retracted", "new", "corrected", "link_posted"]
    assert sorts == sorted(sorts, key=SORTS.index)


def test_the_latest_are_whole_days_without_corrections() -> None:
    events = [
        *told("2025-07-01", 3),
        *told("2025-07-02", LATEST),
        *told("2025-07-03", 5, kind=Kind.CHANGED),
        *told("2025-07-04", 2),
    ]
    assert [one.event.published_on for one in latest(events)] == ["2025-07-04"] * 2 + ["2025-07-02"] * LATEST


def test_a_page_that_is_not_cut_names_no_parts() -> None:
    ((cut, some),) = split("state/fl/", chunks([1, 2], 5), lambda number, _: words("en")("count.agreements", number))
    assert (cut.path, cut.number, cut.parts, list(some)) == ("state/fl/index.html", 1, (), [1, 2])
    assert [cut.path for cut, _ in split("a/", [], lambda *_: words("en")("nav.home"))] == ["a/index.html"]


def test_a_long_page_is_cut_and_its_parts_link_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "ROWS", 4)
    monkeypatch.setattr(pages, "ROWS", 1)
    nowhere = {**sheriff("Lee"), "STATE": "FREEDONIA", "SUPPORT TYPE": None, "SIGNED": None}
    database = sites.write(tmp_path, Posted("participating", 0, [*rows(*COUNTIES[:10]), nowhere]))
    sites.built(database, tmp_path / "site")

    assert sites.broken(tmp_path / "site") == []
    assert (tmp_path / "site" / "state" / "fl" / "3" / "index.html").exists()
    links = set(sites.links(tmp_path / "site" / "state" / "fl" / "2" / "index.html"))
    assert {"../../../state/fl/index.html", "../../../state/fl/3/index.html"} <= links
    told = sites.text(tmp_path / "site" / "agency" / "xx-lee-county-sheriffs-office" / "index.html")
    assert "model not stated" in told
    assert {str(page): sites.faults(page) for page in sites.pages(tmp_path / "site") if sites.faults(page)} == {}
