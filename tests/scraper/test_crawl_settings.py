"""The manners and limits that a crawl is told are those that Scrapy gets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from scrapy.settings import Settings, default_settings

from scraper.settings import CrawlSettings, refusal, scrapy_settings

ICE = "https://www.ice.gov/identify-and-arrest/287g"


def test_scrapy_gets_the_manners_and_limits(settings: Callable[..., CrawlSettings]) -> None:
    scrapy = scrapy_settings(settings(delay_seconds=3.0, retries=4))

    assert scrapy["ROBOTSTXT_OBEY"] is scrapy["AUTOTHROTTLE_ENABLED"] is scrapy["DOWNLOAD_VERIFY_CERTIFICATES"] is True
    assert scrapy["TELNETCONSOLE_ENABLED"] is scrapy["REMOTE_CONTROL_ENABLED"] is scrapy["COOKIES_ENABLED"] is False
    assert scrapy["DOWNLOAD_DELAY"] == scrapy["AUTOTHROTTLE_START_DELAY"] == 3.0
    assert scrapy["RETRY_TIMES"] == 4
    assert "ITEM_PIPELINES" not in scrapy


def test_no_setting_is_misspelt(settings: Callable[..., CrawlSettings]) -> None:
    ours = {"PAGE_URL", "PAGE_MAXSIZE", "ALLOWED_HOSTS", "HARD_LIMIT", "BACKOFF_BASE", "BACKOFF_CAP"}

    assert set(scrapy_settings(settings())) - set(dir(default_settings)) == ours


def test_what_a_new_scrapy_brings_along_is_not_switched_on(settings: Callable[..., CrawlSettings]) -> None:
    scrapy = Settings(scrapy_settings(settings()))

    extensions = scrapy.get_component_priority_dict_with_base("EXTENSIONS")

    assert list(extensions) == ["scrapy.extensions.throttle.AutoThrottle"]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://www.ice.gov/doclib/p.xlsx", None),
        ("HTTPS://WWW.ICE.GOV:443/doclib/p.xlsx", None),
        ("https://files.example.gov:8443/p.xlsx", None),
        ("https://files.example.gov/p.xlsx", "host files.example.gov is not allowed"),
        ("http://www.ice.gov/doclib/p.xlsx", "http is not allowed"),
        ("https://ice.gov/p.xlsx", "host ice.gov is not allowed"),
        ("https://www.ice.gov.example.org/p.xlsx", "host www.ice.gov.example.org is not allowed"),
        ("https://www.ice.gov@example.org/p.xlsx", "host example.org is not allowed"),
        ("https:///p.xlsx", "host None is not allowed"),
        ("file:///etc/passwd", "file is not allowed"),
        ("/p.xlsx", "no scheme is not allowed"),
    ],
)
def test_only_the_allowed_hosts_are_asked_and_https_is_not_given_up(url: str, reason: str | None) -> None:
    assert refusal(url, ICE, ("www.ice.gov", "files.example.gov:8443")) == reason
