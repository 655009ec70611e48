"""A server in trouble is asked again, later and not too often; a server that refuses is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from synthetic import WORKBOOK, page

from pipeline.demo.server import Answer, Behaviour, Site
from scraper.crawl import crawl
from scraper.fetched import Result
from scraper.middlewares import backoff_seconds, retry_after_seconds
from scraper.settings import CrawlSettings

Settings = Callable[..., CrawlSettings]
NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def test_what_fails_once_is_asked_again_after_the_pause_that_the_server_wants(site: Site, settings: Settings) -> None:
    whole = Answer(body=WORKBOOK)
    troubles = {
        "busy": Answer(503, {"Retry-After": "1"}),
        "many": Answer(429, {"Retry-After": "1"}),
        "lost": Answer(behaviour=Behaviour.reset),
        "cut": Answer(body=WORKBOOK, behaviour=Behaviour.cut),
        "gone": Answer(404),
    }
    site.pages["/287g"] = [Answer(502), page(*(f"/{name}.xlsx" for name in troubles))]
    site.pages |= {f"/{name}.xlsx": [trouble, whole] for name, trouble in troubles.items()}

    fetched = crawl(settings())

    assert [one.result for one in fetched] == [Result.ok] * 5 + [Result.not_found]
    for name in ("busy", "many"):
        first, second = site.asked_for(f"/{name}.xlsx")
        assert 1 <= second.at - first.at < 5
    # While those wait, the others do not.
    assert site.asked_for("/cut.xlsx")[-1].at < site.asked_for("/busy.xlsx")[-1].at


def test_a_pause_longer_than_the_crawl_may_take_is_not_begun(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = Answer(503, {"Retry-After": "3600"})

    (fetched,) = crawl(settings(hard_limit_seconds=20.0))

    assert fetched.result is Result.server_error
    assert fetched.message == "503 Service Unavailable; the server asks to wait: 3600"
    assert len(site.asked_for("/287g")) == 1


def test_retries_come_later_each_time_and_end(site: Site, settings: Settings) -> None:
    site.pages["/287g"] = Answer(500)

    (fetched,) = crawl(settings(retries=3, backoff_base_seconds=0.1, backoff_cap_seconds=0.2))

    first, second, third, fourth = (asked.at for asked in site.asked_for("/287g"))
    assert second - first >= 0.1
    assert third - second >= 0.2
    assert 0.2 <= fourth - third < 2
    assert fetched.result is Result.server_error


@pytest.mark.parametrize(("attempts", "seconds"), [(0, 2.0), (1, 4.0), (2, 8.0), (5, 60.0), (100_000, 60.0)])
def test_backoff_doubles_up_to_its_cap(attempts: int, seconds: float) -> None:
    assert backoff_seconds(attempts, base=2.0, cap=60.0) == seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("9" * 400, 999_999_999.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        ("Mon, 05 Jan 2026 12:00:30 -0000", 30.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("²", 0.0),
        ("soon", 0.0),
        ("Mon, 99 Jan 2026 99:00:30 GMT", 0.0),
        ("", 0.0),
    ],
)
def test_retry_after_is_read_in_both_its_forms_and_nonsense_asks_for_nothing(header: str, seconds: float) -> None:
    assert retry_after_seconds(header, NOW) == seconds
