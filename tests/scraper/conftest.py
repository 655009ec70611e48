"""A real site on localhost, and settings to crawl it without waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline.demo.server import Site
from scraper.settings import CrawlSettings


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


@pytest.fixture
def settings(site: Site) -> Callable[..., CrawlSettings]:
    """Settings for a crawl of `site`: nothing waits, and what is not said is like this."""

    def build(**changes: Any) -> CrawlSettings:
        usual: dict[str, Any] = {
            "page_url": site.url + "/287g",
            "allowed_hosts": ("127.0.0.1",),
            "user_agent": "watch287g-tests (+https://example.org/contact)",
            "delay_seconds": 0.0,
            "timeout_seconds": 10.0,
            "retries": 1,
            "backoff_base_seconds": 0.0,
            "hard_limit_seconds": 30.0,
        }
        return CrawlSettings(**usual | changes)

    return build
