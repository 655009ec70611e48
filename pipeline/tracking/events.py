"""Ids of events."""

import hashlib

from db.records import Kind, ListName


def event_id(kind: Kind, name: ListName, *evidence: object) -> str:
    """An id made of what the event says and where it shows, so that a rebuild gives the same."""
    text = "|".join(str(part) for part in (kind, name, *evidence))
    return f"e-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
