"""A feed as Atom 1.0 (RFC 4287)."""

from xml.etree import ElementTree as ET

from pipeline.reports.feeds import json_feed
from pipeline.reports.feeds.entries import MAKER, SUBTITLE, Entry, Feed

SUFFIX = ".atom"
MEDIA_TYPE = "application/atom+xml"


def render(feed: Feed) -> bytes:
    """The feed as an XML document in UTF-8; the same bytes for the same entries."""
    root = ET.Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": "en"})
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "subtitle", SUBTITLE)
    _text(root, "updated", feed.updated)
    _text(ET.SubElement(root, "author"), "name", MAKER)
    _text(root, "generator", MAKER)
    _link(root, "self", MEDIA_TYPE, feed.address(SUFFIX))
    _link(root, "alternate", "text/html", feed.home)
    _link(root, "alternate", json_feed.MEDIA_TYPE, feed.address(json_feed.SUFFIX))
    for entry in feed.entries:
        _entry(ET.SubElement(root, "entry"), entry)
    ET.indent(root, " ")
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _entry(parent: ET.Element, entry: Entry) -> None:
    _text(parent, "id", entry.id)
    _text(parent, "title", entry.title)
    _text(parent, "published", entry.published)
    _text(parent, "updated", entry.updated)
    for category in entry.categories:
        ET.SubElement(parent, "category", term=category.term, label=category.label)
    _text(parent, "summary", entry.summary)
    _text(parent, "content", entry.content).set("type", "html")


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    element = ET.SubElement(parent, name)
    element.text = text
    return element


def _link(parent: ET.Element, relation: str, media_type: str, address: str | None) -> None:
    if address:
        ET.SubElement(parent, "link", rel=relation, type=media_type, href=address)
