"""A message for programs: the JSON document that webhooks, commands and folders get, and its schema."""

import json
from dataclasses import asdict
from importlib import resources
from typing import Any

from pipeline.reports import wording as record_wording
from pipeline.reports.escaping import web_link
from pipeline.reports.messages.content import Evidence, Message, Told
from pipeline.reports.messages.grouping import entries
from pipeline.reports.messages.wording import subject

SCHEMA = 1
"""Raised when a field of the document goes or changes its meaning; a new field does not raise it."""


def document(message: Message) -> str:
    """The message as JSON, as `message.schema.json` describes it: never cut, ASCII only, the most serious first."""
    content = {
        "schema": SCHEMA,
        "message_id": message.id,
        "kind": message.kind,
        "subscriber": message.subscriber,
        "made_at": message.made_at,
        "replies_to": message.replies_to,
        "subject": subject(message),
        "full_report": message.full_report,
        "events": [_event(told) for entry in entries(message) for told in entry.events],
        "affairs": [asdict(affair) for affair in message.affairs],
    }
    return json.dumps(content, indent=2)


def schema() -> str:
    """The JSON Schema (2020-12) of the document, a description for every field."""
    return resources.files(__package__).joinpath("message.schema.json").read_text(encoding="utf-8")


def _event(told: Told) -> dict[str, Any]:
    return {
        "occasion": told.occasion,
        **asdict(told.event),
        "sentence": str(record_wording.tell(told.event)),
        "moa_url": web_link(told.moa_url),
        "addendum_url": web_link(told.addendum_url),
        "listed_since": told.listed_since,
        "listed_from_start": told.listed_from_start,
        "pending_from_start": told.pending_from_start,
        "evidence": _evidence(told.shown_in),
        "previous_evidence": told.previous and _evidence(told.previous),
    }


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return asdict(evidence)
