"""Raw cells -> listings: clean values beside the printed ones, and a finding for whatever was odd.

Nothing is dropped: a value that cannot be read is None in the clean values, stands in the printed ones, and is named
by a finding. The forms handled are those ICE has printed in 2025 (trailing spaces, curly apostrophes, misspelt
states and models, dates as text, five ways to say that there is no county, wrapped links).
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from functools import lru_cache

from rapidfuzz.distance import OSA

from db.records import Finding, Listing, ListName, Printed, Values
from pipeline.reading import dates, links, places
from pipeline.reading.workbook import Hidden, Sheet, Value

JEM = "Jail Enforcement Model"
WSO = "Warrant Service Officer"
TFM = "Task Force Model"
MODELS = {"JEM": JEM, "WSO": WSO, "TFM": TFM}

_MODEL_NAMES = {
    "jail enforcement model": JEM,
    "jail enforcement": JEM,
    "jem": JEM,
    "warrant service officer": WSO,
    "warrant service officer model": WSO,
    "warrant services officer": WSO,
    "warrant service": WSO,
    "wso": WSO,
    "task force model": TFM,
    "task force officer": TFM,
    "task force": TFM,
    "tfm": TFM,
    "tfo": TFM,
}
_NOTHING = frozenset({"", "na", "n a", "none", "null", "nan", "tbd", "nA"})
_TYPES = {
    "county": "County",
    "municipality": "Municipality",
    "municipal": "Municipality",
    "state agency": "State Agency",
    "state": "State Agency",
}
_INVISIBLE = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_QUOTES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'", "“": '"', "”": '"', "\u2013": "-", "\u2014": "-"})
_WRAPPED = "safelinks.protection.outlook.com"
_SPELLINGS = {"link", "link pending", "pending", "link | addendum", "addendum", "addendum pending", ""}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a workbook says: its list, its listings in worksheet order, and what was odd.

    `columns` are the fields that the sheet has a column for; a value of a field without a column is None because ICE
    did not state it, which is not the same as an empty cell. `modified` is the workbook's own dcterms:modified (UTC).
    """

    list: ListName
    listings: tuple[Listing, ...]
    columns: frozenset[str]
    missing_columns: tuple[str, ...]
    findings: tuple[Finding, ...]
    modified: datetime | None


def interpret(sheet: Sheet, link_hosts: Collection[str] = ("ice.gov",)) -> Reading:
    """Turn a raw sheet into a reading.

    Rows hidden by hand are left out with a finding (they were stale wherever ICE had them); rows hidden by a filter
    are data. A link to a host that is not one of `link_hosts` or below it is not stored, and is a finding.
    """
    hosts = tuple(link_hosts)
    findings = [
        Finding("unknown_column", f"column {name!r} is not known", sheet.header_row) for name in sheet.unknown_columns
    ]
    findings += [Finding("missing_column", f"no column for {name}") for name in sheet.missing_columns]
    findings += [Finding("sheet", note) for note in sheet.notes]
    listings = []
    dated = sheet.list is ListName.PARTICIPATING
    for raw in sheet.rows:
        if raw.hidden is Hidden.BY_HAND:
            findings.append(
                Finding("hidden_row", f"left out, hidden by hand: {raw.values.get('agency')!r:.80}", raw.row)
            )
            continue
        values, printed, odd = _row(raw[2:], dated, hosts)
        if _is_note(values, printed):
            findings.append(Finding("no_listing", f"left out, a note or a header: {printed.state!r:.80}", raw.row))
            continue
        listings.append(Listing(raw.row, values, printed))
        if odd:
            findings += [Finding(code, message, raw.row, column) for code, message, column in odd]
    return Reading(
        sheet.list, tuple(listings), frozenset(sheet.columns), sheet.missing_columns, tuple(findings), sheet.modified
    )


Odd = tuple[str, str, str]
Content = tuple[tuple[Value, ...], str | None, str | None]


@lru_cache(maxsize=8192)
def _row(key: Content, dated: bool, hosts: tuple[str, ...]) -> tuple[Values, Printed, tuple[Odd, ...]]:
    """Clean one row. Cached, since a list repeats nearly all rows of the one before it."""
    cells, moa_target, addendum_target = key
    state, agency, kind, county, model, signed, moa, addendum = cells
    odd: list[Odd] = []
    postal = _state(state, odd)
    day, code = dates.read_date(signed) if dated else (None, None)
    if code:
        odd.append((code, f"SIGNED is {show(signed)!r}", "signed"))
    elif dated and day is None:
        odd.append(("date_missing", "SIGNED is blank", "signed"))
    values = Values(
        state=postal,
        agency="" if is_blank(show(agency)) else tidy(show(agency)),
        agency_type=_agency_type(show(kind), odd),
        county=_county(postal, show(county), odd),
        support_model=_model(show(model), odd),
        signed_on=day,
        moa_url=_link("moa", show(moa), show(moa_target), hosts, odd),
        addendum_url=_link("addendum", show(addendum), show(addendum_target), hosts, odd),
    )
    if not values.agency:
        odd.append(("agency_missing", "the agency is blank", "agency"))
    return values, _printed(*(show(cell) for cell in (*cells, moa_target, addendum_target))), tuple(odd)


def _printed(*cells: str) -> Printed:
    """The cells as printed. A wrapped link typed as text names a staff mailbox: it goes where the targets are."""
    printed = Printed(*cells)
    if _WRAPPED in printed.moa:
        target = printed.moa_target or printed.moa
        printed = replace(printed, moa=links.unwrap(printed.moa) or "", moa_target=target)
    if _WRAPPED in printed.addendum:
        target = printed.addendum_target or printed.addendum
        printed = replace(printed, addendum=links.unwrap(printed.addendum) or "", addendum_target=target)
    return printed


def _is_note(values: Values, printed: Printed) -> bool:
    """A row that names neither agency nor model, or says the header again."""
    return values.support_model is None and (
        not values.agency or places.fold(printed.agency) in ("law enforcement agency", "agency")
    )


def show(value: Value) -> str:
    """A cell as a text, nothing trimmed: dates as ISO 8601, blank as the empty string."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def tidy(text: str) -> str:
    """Typography only: straight quotes, plain single spaces, no invisible or control characters, trimmed."""
    plain = unicodedata.normalize("NFC", text).translate(_QUOTES)
    return " ".join(_INVISIBLE.sub("", plain.replace("\t", " ").replace("\n", " ")).split()).strip(" ,;")


def is_blank(text: str) -> bool:
    """Whether a cell says that there is nothing: empty, `N/A`, `#NA`, Excel's `#N/A` and their misspellings."""
    return places.fold(text.replace("#", "").replace("/", " ").replace("?", " ").replace("!", "")) in _NOTHING


def _state(value: Value, odd: list[Odd]) -> str | None:
    text = show(value)
    match = places.resolve_state(text)
    if match is None:
        odd.append(("unknown_state", f"STATE {text[:60]!r} cannot be resolved", "state"))
        return None
    if match.corrected:
        odd.append(("misspelt_state", f"STATE {text[:60]!r} read as {match.postal}", "state"))
    return match.postal


def _agency_type(text: str, odd: list[Odd]) -> str | None:
    if is_blank(text):
        return None
    folded = places.fold(text)
    for name, clean in _TYPES.items():
        if folded == name or (len(folded) > 5 and OSA.distance(folded, name) <= 2):
            return clean
    odd.append(("unknown_type", f"TYPE {text[:60]!r} is not known", "type"))
    return tidy(text)


def _county(state: str | None, text: str, odd: list[Odd]) -> str | None:
    if is_blank(text):
        return None
    clean = tidy(text)
    resolved = places.resolve_county(state, clean)
    if resolved is None:
        odd.append(("unknown_county", f"COUNTY {text[:60]!r} is not a county of {state}", "county"))
        return clean
    return resolved


def _model(text: str, odd: list[Odd]) -> str | None:
    folded = places.fold(text)
    if (model := _MODEL_NAMES.get(folded)) is not None:
        return model
    near = {model for name, model in _MODEL_NAMES.items() if len(name) > 9 and OSA.distance(folded, name) <= 2}
    if len(near) == 1:
        odd.append(("misspelt_model", f"SUPPORT TYPE {text[:60]!r} read as {min(near)}", "model"))
        return min(near)
    odd.append(("unknown_model", f"SUPPORT TYPE {text[:60]!r} is not known", "model"))
    return None


def support_model(text: str) -> str | None:
    """The full name of a printed support model, usual abbreviations and slips included; None where it is none."""
    return _model(text, [])


def _link(column: str, text: str, target: str, hosts: tuple[str, ...], odd: list[Odd]) -> str | None:
    words = tidy(text)
    bare = words if words.lower().startswith(("http:", "https:")) else ""
    if not bare and words.casefold() not in _SPELLINGS:
        odd.append(("unknown_link_text", f"{column.upper()} says {words[:60]!r}", column))
    if not (target or bare):
        return None
    url = links.unwrap(target or bare)
    if url is None:
        odd.append(("unreadable_link", f"{column.upper()} links to no web address", column))
        return None
    host = links.host(url)
    if not any(host == allowed or host.endswith("." + allowed) for allowed in hosts):
        odd.append(("foreign_link", f"{column.upper()} links to another host", column))
        return None
    return url
