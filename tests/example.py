"""The example history of docs/recipes.md: five months of lists of a few states, small enough to reckon by hand.

Lists up to 28 April 2025 are backfilled on 10 June; later ones are seen as they come. All of Florida signs on 26
February 2025.

- Bay is misspelt for a while; Bradford's signing date is corrected; Brevard has its MOA posted, and withdrawn later.
- Broward leaves and is listed again weeks later; Calhoun is missing from one list only; Charlotte leaves for good;
  Duval is missing from the last list.
- Citrus signs anew; Clay stands twice on a list.
- Hall County, Georgia, takes a second model; Kerr County, Texas, switches models.
- Cobb, Kerr and Gwinnett apply and sign; Augusta applies and does not; Levy waits.
- The list of 14 July is cut off, and so held, and rejected when the next one does not bear it out.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from db.connect import transaction
from db.records import Outcome, Trigger
from db.write import add_check
from tests.db.histories import COUNTIES, FIRST_DAY, History, Posted, Row, rows, sheriff, write_folder

JEM, WSO, TFM = "Jail Enforcement Model", "Warrant Service Officer", "Task Force Model"
LIVE_FROM = date(2025, 5, 12)
BACKFILLED = datetime(2025, 6, 10, 9, tzinfo=UTC)
_MOA = "https://www.ice.gov/doclib/287gMOA/{}.pdf"


def _at(day: str) -> int:
    return (date.fromisoformat(day) - FIRST_DAY.date()).days


def _signed(day: str) -> datetime:
    return datetime.fromisoformat(day)


def _georgia(county: str, model: str, day: str) -> Row:
    return sheriff(county, state="GEORGIA", model=model, signed=_signed(day), moa=_MOA.format(f"{county}CoGA_{day}"))


_FLORIDA = {county: sheriff(county) for county in COUNTIES[:20]}
_HALL = _georgia("Hall", JEM, "2019-10-28")
_HALL_WSO = _georgia("Hall", WSO, "2025-03-19")
_SUSSEX = sheriff("Sussex", state="DELAWARE", model=WSO, signed=_signed("2025-02-24"))
_DPS = sheriff("", state="GEORGIA", agency="Georgia Department of Public Safety", type="State Agency") | {
    "COUNTY": "#N/A",
    "SIGNED": _signed("2020-07-31"),
}
_COBB = _georgia("Cobb", WSO, "2025-03-07")
_BARTOW = _georgia("Bartow", TFM, "2025-05-30")
_GWINNETT = _georgia("Gwinnett", JEM, "2025-07-11")
_KERR = sheriff("Kerr", state="TEXAS", signed=_signed("2025-03-20"))
_KERR_JEM = sheriff("Kerr", state="TEXAS", model=JEM, signed=_signed("2025-05-16"))


def _lists() -> list[Posted]:
    """The participating lists in their order; `now` is what ICE lists, by a name of the row's own."""
    now: dict[str, Row] = {**_FLORIDA, "Hall": _HALL, "DPS": _DPS, "Sussex": _SUSSEX}
    posted: list[Posted] = []

    def post(day: str, *gone: str, only: int | None = None, **changed: Row) -> None:
        for name in gone:
            del now[name]
        now.update(changed)
        posted.append(Posted("participating", _at(day), list(now.values())[:only]))

    brevard = sheriff("Brevard", moa=_MOA.format("BrevardCoFL"))
    post("2025-03-03")
    post("2025-03-10", Cobb=_COBB, Bay=sheriff("Bay", agency="Bay County Sherriffs Office"))
    post("2025-03-24", Kerr=_KERR, HallWSO=_HALL_WSO, Brevard=brevard)
    post("2025-04-14", "Broward", Bay=sheriff("Bay"), Bradford=sheriff("Bradford", signed=_signed("2025-02-25")))
    post("2025-04-28", "Charlotte")
    post("2025-05-12", "Calhoun")
    post("2025-05-19", "Kerr", Calhoun=sheriff("Calhoun"), KerrJEM=_KERR_JEM)
    post("2025-06-02", Bartow=_BARTOW, Broward=sheriff("Broward"))
    renewed = sheriff("Citrus", signed=_signed("2025-06-25"), moa=_MOA.format("CitrusCoFL_06252025"))
    post("2025-06-30", Citrus=renewed, Brevard=sheriff("Brevard", moa="link pending"), ClayAgain=sheriff("Clay"))
    post("2025-07-14", "ClayAgain", only=6)
    post("2025-07-15", Gwinnett=_GWINNETT)
    post("2025-08-04", "Duval")
    return posted


def _applications() -> list[Posted]:
    cobb = sheriff("Cobb", state="GEORGIA", model=WSO)
    kerr, augusta = sheriff("Kerr", state="TEXAS"), sheriff("Augusta", state="VIRGINIA")
    gwinnett = sheriff("Gwinnett", state="GEORGIA", model=JEM)
    return [
        Posted("pending", _at("2025-03-03"), [cobb, kerr]),
        Posted("pending", _at("2025-03-17"), [kerr, augusta]),
        Posted("pending", _at("2025-04-14"), rows("Levy")),
        Posted("pending", _at("2025-06-02"), [*rows("Levy"), gwinnett]),
        Posted("pending", _at("2025-07-15"), rows("Levy")),
    ]


def _seen(posted: Posted) -> date:
    return posted.seen_at.date()


def write(folder: Path) -> Path:
    """The history; gives the database."""
    posted = sorted((*_lists(), *_applications()), key=lambda one: (one.day, one.list))
    early = [one for one in posted if _seen(one) < LIVE_FROM]
    live = [one for one in posted if _seen(one) >= LIVE_FROM]
    with History(folder) as history:
        for number, one in enumerate(live):
            if one.seen_at > BACKFILLED and early:
                history.backfill(write_folder(folder / "early", early), BACKFILLED)
                early = []
            history.backfill(write_folder(folder / f"live-{number}", [one]), one.seen_at)
        with transaction(history.connection):
            for number, outcome in enumerate((Outcome.UNCHANGED, Outcome.FAILED, Outcome.UNCHANGED)):
                now = live[-1].seen_at.replace(hour=18 + number)
                add_check(history.connection, now, now, Trigger.SCHEDULE, outcome, {"page": 304}, "")
    return folder / "history.db"
