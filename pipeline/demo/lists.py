"""The made-up agreements, and the two lists as ICE shapes them: workbooks built in code, the same for the same rows."""

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

_COUNTIES = {
    "FLORIDA": ("Baker", "Bay", "Calhoun", "Clay", "Gulf", "Lake"),
    "GEORGIA": ("Bartow", "Coweta", "Floyd", "Gilmer", "Hall", "Pickens"),
    "KANSAS": ("Barton", "Ellis", "Finney", "Kearny", "Pratt", "Reno"),
    "MICHIGAN": ("Alcona", "Calhoun", "Iosco", "Jackson", "Lenawee", "Mason"),
    "NEVADA": ("Elko", "Lander", "Lyon", "Mineral", "Nye", "Washoe"),
    "NORTH CAROLINA": ("Avery", "Burke", "Duplin", "Gaston", "Rowan", "Yancey"),
    "TEXAS": ("Archer", "Ellis", "Kerr", "Lamb", "Nueces", "Smith"),
    "UTAH": ("Beaver", "Cache", "Kane", "Piute", "Utah", "Washington"),
}
_APPLICANTS = {
    "FLORIDA": ("Union",),
    "KANSAS": ("Gove",),
    "NEVADA": ("Storey",),
    "TEXAS": ("Real", "Young"),
    "UTAH": ("Rich",),
}
"""Counties that exist, in states that exist, so that names and counties are resolved as on ICE's lists."""

TFM, WSO, JEM = "Task Force Model", "Warrant Service Officer", "Jail Enforcement Model"
_MODELS = (TFM, WSO, TFM, JEM)
_FIRST_SIGNED, _DAYS_BETWEEN = date(2025, 2, 24), 6
_UNPOSTED = 5
"""One MOA in so many is not linked yet."""

_PENDING = ("STATE", "LAW ENFORCEMENT AGENCY", "TYPE", "COUNTY", "SUPPORT TYPE", "MOA")
_PARTICIPATING = (*_PENDING[:-1], "SIGNED", "MOA", "ADDENDUM")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a list as printed. `signed` is None on the pending list, `moa` (an address) while none is linked."""

    state: str
    agency: str
    county: str
    model: str
    signed: date | None = None
    moa: str | None = None


def sheriff(state: str, county: str, model: str = TFM, signed: date | None = None, moa: str | None = None) -> Row:
    """A row of a county's sheriff."""
    return Row(state, f"{county} County Sheriff's Office", f"{county} County", model, signed, moa)


def first_agreements() -> tuple[Row, ...]:
    """The agreements on the first list: six counties in each of eight states, signed six days apart."""
    places = [(state, county) for state, counties in _COUNTIES.items() for county in counties]
    rows = []
    for number, (state, county) in enumerate(places):
        signed = _FIRST_SIGNED + timedelta(days=_DAYS_BETWEEN * number)
        row = sheriff(state, county, _MODELS[number % len(_MODELS)], signed)
        rows.append(row if number % _UNPOSTED == _UNPOSTED - 1 else with_moa(row))
    return tuple(rows)


def first_applications() -> tuple[Row, ...]:
    """The applications on the first pending list."""
    return tuple(sheriff(state, county) for state, counties in _APPLICANTS.items() for county in counties)


def with_moa(row: Row) -> Row:
    """The row with its MOA linked, named as ICE names such files."""
    name = f"{row.county.replace(' ', '')}{row.state.title().replace(' ', '')}_{row.signed:%m%d%Y}.pdf"
    return Row(row.state, row.agency, row.county, row.model, row.signed, f"https://www.ice.gov/doclib/287gMOA/{name}")


def participating(rows: Iterable[Row], modified: datetime) -> bytes:
    """The workbook of the participating list, last modified at that time (UTC)."""
    return _workbook("Participating", _PARTICIPATING, rows, modified)


def pending(rows: Iterable[Row], modified: datetime) -> bytes:
    """The workbook of the pending list, last modified at that time (UTC)."""
    return _workbook("Pending", _PENDING, rows, modified)


def _workbook(title: str, columns: Sequence[str], rows: Iterable[Row], modified: datetime) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    sheet.append(list(columns))
    # In the order of the printed text, as ICE sorts them: a misspelling moves a row.
    for row in sorted(rows, key=lambda row: (row.state, row.agency, row.model)):
        _write(sheet, row, columns)
    sheet.auto_filter.ref = sheet.dimensions
    book.properties.created = modified.replace(tzinfo=None)
    saved = io.BytesIO()
    book.save(saved)
    return _dated(saved, modified)


def _write(sheet: Worksheet, row: Row, columns: Sequence[str]) -> None:
    cells = {
        "STATE": row.state,
        "LAW ENFORCEMENT AGENCY": row.agency,
        "TYPE": "County",
        "COUNTY": row.county,
        "SUPPORT TYPE": row.model,
        "SIGNED": row.signed,
        "MOA": "link" if row.moa else "link pending",
    }
    sheet.append([cells.get(column) for column in columns])
    if row.moa:
        sheet.cell(sheet.max_row, columns.index("MOA") + 1).hyperlink = row.moa


def _dated(saved: io.BytesIO, modified: datetime) -> bytes:
    """The workbook with this dcterms:modified; openpyxl writes the present time there and into the zip."""
    stamp = modified.strftime(r"\g<1>%Y-%m-%dT%H:%M:%SZ").encode()
    dated = io.BytesIO()
    with zipfile.ZipFile(saved) as package, zipfile.ZipFile(dated, "w") as copy:
        for name in package.namelist():
            part = package.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", stamp, part)
            copy.writestr(zipfile.ZipInfo(name, _ZIP_TIME), part, zipfile.ZIP_DEFLATED)
    return dated.getvalue()
