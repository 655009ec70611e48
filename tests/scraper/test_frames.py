"""What a killed process had written is read up to the frame it was writing."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from scraper.fetched import Fetched, Link, Result, Target, Totals
from scraper.frames import read_frames, write_frame

LINK = Link("https://x.org/p.xlsx", "Participating “agencies”", "participating", known_shape=True)
NOW = datetime(2026, 1, 5, 12, 0, 0, 123, tzinfo=UTC)
PAGE = Fetched(
    Target.page,
    "https://x.org/",
    "https://x.org/287g",
    Result.ok,
    NOW,
    200,
    {"etag": '"1"'},
    b"<html>\n{}\n",
    links=(LINK,),
    totals=Totals(5, None, 1, {"Task Force Model": 5}),
)
WORKBOOK = Fetched(
    Target.workbook, LINK.url, LINK.url, Result.ok, NOW, 200, {}, bytes(range(256)), file_name="p.xlsx", link=LINK
)
FAILURE = Fetched(
    Target.workbook, LINK.url, LINK.url, Result.timeout, NOW, link=LINK, message="too late", excerpt="<a>\ufffd"
)
ALL = [PAGE, WORKBOOK, FAILURE]


def written() -> bytes:
    stream = io.BytesIO()
    for fetched in ALL:
        write_frame(stream, fetched)
    return stream.getvalue()


def test_values_survive_the_way_between_processes() -> None:
    assert list(read_frames(io.BytesIO(written()))) == ALL


def test_a_frame_cut_anywhere_is_no_frame_and_spoils_no_other() -> None:
    whole = written()
    for length in range(len(whole)):
        came = list(read_frames(io.BytesIO(whole[:length])))
        assert came == ALL[: len(came)]
        assert len(came) < len(ALL)
