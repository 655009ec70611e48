"""Events of the history -> what is told of them: with their documents and their evidence, as it stands now.

What is told is kept as JSON, so that what people heard stays known whatever becomes of the history.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from db.records import Kind, ListName, Status
from pipeline.queries import events_by_id
from pipeline.reports.messages.content import Affair, Evidence, Occasion, Told
from pipeline.reports.record import LoggedEvent

_BESIDE = """
select e.public_id, v.moa_url, v.addendum_url, f.published_on as listed_since,
       p.first_seen_at as seen_at, pp.first_seen_at as previous_seen_at,
       f.id = (select min(id) from publication where list = e.list and verdict = 'accepted') as listed_from_start,
       coalesce(e.pending_since <= (select min(published_on) from publication
                                    where list = 'pending' and verdict = 'accepted'), 0) as pending_from_start
from event e
join agreement a on a.id = e.agreement_id
join publication f on f.id = a.first_publication_id
join publication p on p.id = e.publication_id
left join publication pp on pp.id = e.previous_publication_id
left join version v on v.id = (
    select max(id) from version where agreement_id = e.agreement_id and from_publication_id <= e.publication_id)
where e.public_id in (select value from json_each(?))
"""
"""What the public view does not have: documents in force at the event, first listing, when the workbooks were seen."""


def tell(connection: sqlite3.Connection, ids: Sequence[str], occasion: Occasion) -> list[Told]:
    """What is to be told of these events, in the order in which they were found."""
    beside = {row["public_id"]: row for row in connection.execute(_BESIDE, (json.dumps(ids),))}
    return [_told(event, occasion, beside[event.event_id]) for event in events_by_id(connection, ids)]


def _told(event: LoggedEvent, occasion: Occasion, beside: sqlite3.Row) -> Told:
    shown_in = _evidence(event.workbook_name, event.workbook_sha256, event.row, beside["seen_at"])
    previous = None
    if event.previous_workbook_sha256 is not None:
        name, seen_at = event.previous_workbook_name or "", beside["previous_seen_at"]
        previous = _evidence(name, event.previous_workbook_sha256, event.previous_row, seen_at)
    return Told(
        event,
        occasion,
        beside["moa_url"],
        beside["addendum_url"],
        beside["listed_since"],
        shown_in,
        previous,
        bool(beside["listed_from_start"]),
        bool(beside["pending_from_start"]),
    )


def _evidence(name: str, sha256: str, row: int | None, seen_at: str) -> Evidence:
    return Evidence(name, sha256, row, seen_at, f"{sha256[:2]}/{sha256}.xlsx")


def taken_back(told: Told, why: str) -> Told:
    """What was told of an event that the history no longer has, taken back."""
    event = replace(told.event, status=Status.RETRACTED, status_note=why)
    return replace(told, event=event, occasion=Occasion.RETRACTED)


def told_json(told: Told) -> str:
    """What is told, to be kept."""
    return json.dumps(asdict(told), ensure_ascii=False, separators=(",", ":"))


def told_from(text: str, archive_url: str | None = None) -> Told:
    """What was kept; `archive_url` is the public address of the archive, if it has one."""
    kept = json.loads(text)
    event = kept.pop("event")
    changes = {name: (before, after) for name, (before, after) in event.pop("changes").items()}
    still_listed = event.pop("still_listed")
    return Told(
        **_known(Told, kept)
        | {
            "event": LoggedEvent(
                **_known(LoggedEvent, event)
                | {
                    "kind": Kind(event["kind"]),
                    "status": Status(event["status"]),
                    "list": ListName(event["list"]),
                    "changes": changes,
                    "still_listed": None if still_listed is None else tuple(still_listed),
                }
            ),
            "occasion": Occasion(kept["occasion"]),
            "shown_in": _evidence_from(kept["shown_in"], archive_url),
            "previous": _evidence_from(kept["previous"], archive_url) if kept["previous"] else None,
        }
    )


def _known(kind: type[Any], kept: Mapping[str, Any]) -> dict[str, Any]:
    """What this version knows of what perhaps a later one has kept."""
    return {field.name: kept[field.name] for field in fields(kind) if field.name in kept}


def _evidence_from(kept: dict[str, str], archive_url: str | None) -> Evidence:
    place = kept["archived_at"]
    return Evidence(
        **_known(Evidence, kept) | {"archived_at": f"{archive_url.rstrip('/')}/{place}" if archive_url else place}
    )


def affair_json(affair: Affair) -> str:
    """A state of affairs, to be kept."""
    return json.dumps(asdict(affair), ensure_ascii=False, separators=(",", ":"))


def affair_from(text: str) -> Affair:
    """A state of affairs that was kept."""
    kept = _known(Affair, json.loads(text))
    return Affair(**kept | {"details": tuple(kept["details"]), "commands": tuple(kept["commands"])})
