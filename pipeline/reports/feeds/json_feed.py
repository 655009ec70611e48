"""A feed as JSON Feed 1.1 (https://jsonfeed.org/version/1.1)."""

import json
from typing import Any

from pipeline.reports.feeds.entries import MAKER, SUBTITLE, Entry, Feed

SUFFIX = ".json"
MEDIA_TYPE = "application/feed+json"


def render(feed: Feed) -> bytes:
    """The feed as a JSON document in ASCII, without indentation since readers fetch it often; ends in a newline."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": SUBTITLE,
        "language": "en",
        "authors": [{"name": MAKER}],
        **_given(home_page_url=feed.home, feed_url=feed.address(SUFFIX)),
        "items": [_item(entry) for entry in feed.entries],
    }
    return json.dumps(document, separators=(",", ":")).encode("ascii") + b"\n"


def _given(**addresses: str | None) -> dict[str, str]:
    return {name: address for name, address in addresses.items() if address}


def _item(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "title": entry.title,
        "date_published": entry.published,
        "date_modified": entry.updated,
        "summary": entry.summary,
        "content_html": entry.content,
        "tags": [category.label for category in entry.categories],
    }
