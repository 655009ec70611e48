"""The agreements that an id or a name may mean, for a person to choose from."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from db.records import ListName
from pipeline.citing.days import NothingKnown, of_the_day
from pipeline.citing.queries import CANDIDATES, LISTED_AMONG, MEMBERS, ROWS, SPELLINGS
from pipeline.citing.sought import Sought, spellings_of


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agreement or application that may be meant, as it last stood; `left_on` is None while it is listed."""

    agreement_id: str
    list: ListName
    state: str | None
    agency: str
    support_model: str | None
    signed_on: str | None
    agency_id: str | None
    first_listed_on: str
    left_on: str | None


def candidates(connection: sqlite3.Connection, ids: Sequence[str]) -> list[Candidate]:
    """Agreements and applications by their ids, the participating list's first."""
    rows = connection.execute(CANDIDATES, {"ids": json.dumps(ids)})
    return [Candidate(**{**row, "list": ListName(row["list"])}) for row in map(dict, rows)]


def of_agency(connection: sqlite3.Connection, agency_id: str) -> list[str]:
    """The ids of the agreements and applications of an agency, by its own id; empty if there is no such agency."""
    return [row[0] for row in connection.execute(MEMBERS, (agency_id,))]


def listed_among(
    connection: sqlite3.Connection, list_name: ListName, agreement_ids: Sequence[str], on: date
) -> set[str]:
    """Which of these agreements the list in force on a day has.

    Raises:
        NothingKnown: the history has no such list for that day.
    """
    day = of_the_day(connection, list_name, on.isoformat())
    return {row[0] for row in connection.execute(LISTED_AMONG, (day["id"], json.dumps(agreement_ids)))}


def bearing(connection: sqlite3.Connection, name: str, state: str | None, list_name: ListName, on: date) -> list[str]:
    """The ids of the agreements on the list of a day that bear a name in full there, or bore it on another day.

    Empty if the history has no such list for that day.
    """
    try:
        day = of_the_day(connection, list_name, on.isoformat())
    except NothingKnown:
        return []
    sought = Sought(name, state)
    bore = {row["agreement_id"] for row in connection.execute(SPELLINGS) if sought.is_name(row["agency"], row["state"])}
    found = [
        row["agreement_id"]
        for row in connection.execute(ROWS, (day["id"],))
        if row["agreement_id"] in bore or any(sought.is_name(one, row["state"]) for one in spellings_of(row))
    ]
    return list(dict.fromkeys(found))
