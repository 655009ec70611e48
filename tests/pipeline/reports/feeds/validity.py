"""Feeds as a strict reader takes them: against the schema of each format, and the rules that no schema can say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"

_HERE = Path(__file__).parent


@cache
def _atom_schema() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(_HERE / "atom.rng"))


@cache
def _json_schema() -> jsonschema.Draft202012Validator:
    schema = json.loads((_HERE / "json_feed.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def read_atom(document: bytes) -> etree._Element:
    """The feed's element, if it is valid."""
    root = etree.fromstring(document)
    _atom_schema().assertValid(root)
    entries = root.findall(f"{ATOM}entry")
    _ids_are_unique([entry.findtext(f"{ATOM}id") for entry in entries])
    links = [(link.get("rel"), link.get("type"), link.get("hreflang")) for link in root.findall(f"{ATOM}link")]
    assert len(set(links)) == len(links), "two alternates of a type (RFC 4287, 4.1.1)"
    for entry in entries:
        assert _moment(entry.findtext(f"{ATOM}published")) <= _moment(entry.findtext(f"{ATOM}updated"))
    newest = max((_moment(entry.findtext(f"{ATOM}updated")) for entry in entries), default=None)
    assert newest in (None, _moment(root.findtext(f"{ATOM}updated")))
    return root


def read_json_feed(document: bytes) -> dict[str, Any]:
    """The feed's object, if it is valid."""
    feed: dict[str, Any] = json.loads(document)
    _json_schema().validate(feed)
    _ids_are_unique([item["id"] for item in feed["items"]])
    for item in feed["items"]:
        assert _moment(item["date_published"]) <= _moment(item["date_modified"])
    return feed


def _ids_are_unique(ids: list[str | None]) -> None:
    assert len(set(ids)) == len(ids)


def _moment(text: str | None) -> datetime:
    """An instant of RFC 3339, in UTC as all of ours are."""
    assert text is not None
    moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - the Z is checked
    return moment.replace(tzinfo=UTC)
