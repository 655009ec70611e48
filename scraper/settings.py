"""What a crawl is told, and how that reads to Scrapy. Imports neither Scrapy nor Twisted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from scraper.fetched import Link

MAX_REDIRECTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlSettings:
    """How to crawl. Times are seconds, sizes bytes after decompression.

    An entry of `allowed_hosts` is a host name, which allows any port, or `host:port`. Subdomains are not implied.
    `retries` counts the attempts after the first. `hard_limit_seconds` bounds the whole crawl, waiting included.
    Without `log_file`, Scrapy's log goes nowhere.
    """

    page_url: str
    allowed_hosts: tuple[str, ...]
    user_agent: str
    obey_robots: bool = True
    delay_seconds: float = 1.0
    timeout_seconds: float = 60.0
    retries: int = 2
    backoff_base_seconds: float = 2.0
    backoff_cap_seconds: float = 60.0
    max_page_bytes: int = 5_000_000
    max_workbook_bytes: int = 20_000_000
    hard_limit_seconds: float = 300.0
    log_file: str | None = None
    log_level: str = "INFO"


@dataclass(frozen=True, slots=True)
class KnownWorkbook:
    """A workbook that was fetched before, with the validators it came with."""

    link: Link
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier crawl brought: the page's validators and its workbooks. Empty asks for everything anew."""

    etag: str | None = None
    last_modified: str | None = None
    workbooks: tuple[KnownWorkbook, ...] = ()


def refusal(url: str, page_url: str, allowed_hosts: tuple[str, ...]) -> str | None:
    """Why `url` must not be asked for, in a few words, or None if it may.

    https is never given up for http on the way: whoever can redirect to http can rewrite the list.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"https", urlsplit(page_url).scheme}:
        return f"{parts.scheme or 'no scheme'} is not allowed"
    allowed = {host.lower() for host in allowed_hosts}
    if parts.hostname not in allowed and parts.netloc.lower() not in allowed:
        return f"host {parts.hostname} is not allowed"
    return None


def scrapy_settings(settings: CrawlSettings) -> dict[str, Any]:
    """Scrapy's settings for one crawl."""
    return {
        **_manners(settings),
        **_limits(settings),
        **_components(),
        # Since Scrapy 2.19 both listen on a local port and execute what they are sent.
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        # Off by default in Scrapy; a list that names sheriffs must come from ICE.
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "LOG_ENABLED": settings.log_file is not None,
        "LOG_FILE": settings.log_file,
        "LOG_LEVEL": settings.log_level,
        "LOG_VERSIONS": [],
        "STATS_DUMP": False,
        # It parses the source of every callback: 50 ms for a lint.
        "WARN_ON_GENERATOR_RETURN_VALUE": False,
    }


def _manners(settings: CrawlSettings) -> dict[str, Any]:
    return {
        "USER_AGENT": settings.user_agent,
        "ROBOTSTXT_OBEY": settings.obey_robots,
        "DOWNLOAD_DELAY": settings.delay_seconds,
        # Throttling adapts the delay to the server's latency; a delay of 0 is a wish not to wait at all.
        "AUTOTHROTTLE_ENABLED": settings.delay_seconds > 0,
        "AUTOTHROTTLE_START_DELAY": settings.delay_seconds,
        # In all, and those that wait for another try count; the limit by domain does not hold back a first burst.
        "CONCURRENT_REQUESTS": 4,
        "COOKIES_ENABLED": False,
        "RETRY_TIMES": settings.retries,
        "BACKOFF_BASE": settings.backoff_base_seconds,
        "BACKOFF_CAP": settings.backoff_cap_seconds,
    }


def _limits(settings: CrawlSettings) -> dict[str, Any]:
    return {
        "PAGE_URL": settings.page_url,
        "ALLOWED_HOSTS": settings.allowed_hosts,
        "HARD_LIMIT": settings.hard_limit_seconds,
        "DOWNLOAD_TIMEOUT": settings.timeout_seconds,
        "DNS_TIMEOUT": settings.timeout_seconds,
        "DOWNLOAD_MAXSIZE": settings.max_workbook_bytes,
        "DOWNLOAD_WARNSIZE": settings.max_workbook_bytes // 2,
        "PAGE_MAXSIZE": settings.max_page_bytes,
        "REDIRECT_MAX_TIMES": MAX_REDIRECTS,
        # Failures are values here, so the spider wants to see every status.
        "HTTPERROR_ALLOW_ALL": True,
    }


def _components() -> dict[str, Mapping[str, int]]:
    """All that runs inside Scrapy, by name.

    The _BASE settings are replaced, not added to. So what a new Scrapy brings along is not on by default here (2.19
    brought a remote control), and what is off is not imported, which saves a quarter of a crawl's time. Left out on
    purpose: UrlLengthMiddleware and OffsiteMiddleware, which drop requests silently where each must end in a value.
    """
    downloader, spider = "scrapy.downloadermiddlewares.", "scrapy.spidermiddlewares."
    return {
        "EXTENSIONS_BASE": {"scrapy.extensions.throttle.AutoThrottle": 0},
        "DOWNLOADER_MIDDLEWARES_BASE": {
            # Before robots.txt: a foreign host is not even asked for that.
            "scraper.middlewares.AllowedHostsMiddleware": 50,
            downloader + "robotstxt.RobotsTxtMiddleware": 100,
            downloader + "downloadtimeout.DownloadTimeoutMiddleware": 350,
            downloader + "defaultheaders.DefaultHeadersMiddleware": 400,
            downloader + "useragent.UserAgentMiddleware": 500,
            # Sees responses after decompression, so that it can tell a block page.
            "scraper.middlewares.BackoffMiddleware": 550,
            downloader + "httpcompression.HttpCompressionMiddleware": 590,
            downloader + "redirect.RedirectMiddleware": 600,
            downloader + "httpproxy.HttpProxyMiddleware": 750,
        },
        "SPIDER_MIDDLEWARES_BASE": {
            spider + "start.StartSpiderMiddleware": 25,
            spider + "httperror.HttpErrorMiddleware": 50,
            spider + "referer.RefererMiddleware": 700,
        },
    }
