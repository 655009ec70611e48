"""A fortnight of lists in which everything happens once, as a database, and the commands run on it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from click.testing import CliRunner, Result

from db.records import Kind, ListName, Status
from pipeline.cli.entry import cli
from pipeline.reports.record import LoggedEvent
from tests.db.histories import COUNTIES, History, Posted, rows, sheriff, write_folder

WSO = "Warrant Service Officer"
MOA = "https://www.ice.gov/doclib/287gMOA/ClayCoFL_TFM_MOA_02262025.pdf"

_REST = [county for county in COUNTIES[:40] if county not in {"Bay", "Clay", "Lake", "Lee", "Leon", "Levy"}]
_SIGNED = datetime(2025, 3, 4)  # noqa: DTZ001 - a cell has no time zone
_CORRECTED = datetime(2025, 2, 25)  # noqa: DTZ001

LISTS = (
    Posted("pending", 0, [sheriff("Polk"), sheriff("Orange")]),
    Posted("participating", 0, rows(*_REST, "Bay", "Clay", "Lake", "Lee", "Leon", "Levy")),
    Posted("pending", 2, [sheriff("Orange")]),
    Posted(
        "participating",
        2,
        [
            *rows(*_REST, "Lake", "Lee", "Leon", "Levy"),
            sheriff("Bay", signed=_CORRECTED),
            sheriff("Clay", moa=MOA),
            sheriff("Polk", signed=_SIGNED),
        ],
    ),
    Posted(
        "participating",
        4,
        [
            *rows(*_REST, "Levy"),
            sheriff("Bay", signed=_CORRECTED),
            sheriff("Clay", moa=MOA, agency="Clay Conty Sheriffs Office"),
            sheriff("Polk", signed=_SIGNED),
            sheriff("Lake", model=WSO, signed=datetime(2025, 3, 6)),  # noqa: DTZ001
        ],
    ),
    Posted(
        "participating",
        6,
        [
            *rows(*_REST, "Leon"),
            sheriff("Bay", signed=_CORRECTED),
            sheriff("Clay", moa=MOA, agency="Clay Conty Sheriffs Office"),
            sheriff("Polk", signed=_SIGNED),
            sheriff("Lake", model=WSO, signed=datetime(2025, 3, 6)),  # noqa: DTZ001
        ],
    ),
)
"""Polk applies and signs; Bay's date is corrected; Clay's MOA is posted, then its name misspelt; Lake switches models;
Lee leaves; Leon is missing once; Levy is gone from the last list. Orange waits."""


def write(folder: Path) -> Path:
    """The history of `LISTS`; gives the database."""
    with History(folder) as history:
        history.backfill(write_folder(folder / "lists", LISTS))
    return folder / "history.db"


def run(database: Path, *arguments: str, colour: bool = False) -> Result:
    """Run a command on a history; a Failure ends as `result.exception`."""
    return CliRunner().invoke(cli, ["--db", str(database), *arguments], color=colour)


def event(**fields: object) -> LoggedEvent:
    """A termination in Kerr County, varied."""
    values = {
        "event_id": "e-000000000001",
        "kind": Kind.TERMINATED,
        "status": Status.CONFIRMED,
        "status_note": "",
        "status_changed_at": None,
        "list": ListName.PARTICIPATING,
        "published_on": "2025-06-27",
        "detected_at": "2025-06-27T14:00:00Z",
        "agreement_id": "a-0000000001",
        "related_agreement_id": None,
        "state": "TX",
        "agency": "Kerr County Sheriff's Office",
        "county": "Kerr County",
        "support_model": "Jail Enforcement Model",
        "signed_on": "2025-05-06",
        "pending_since": None,
        "changes": {},
        "change_classes": {},
        "workbook_name": "participatingAgencies06272025am.xlsx",
        "workbook_sha256": "ab" * 32,
        "row": None,
        "previous_workbook_name": "participatingAgencies06262025pm.xlsx",
        "previous_workbook_sha256": "cd" * 32,
        "previous_row": 700,
        "note": "listed since 2025-05-12, absent from participatingAgencies06272025am.xlsx",
    }
    return LoggedEvent(**(values | fields))  # type: ignore[arg-type]
