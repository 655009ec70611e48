"""Every cell of DOMAIN.md's list: what is printed, what it means, and what is said about it."""

from datetime import date, datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import ListName, Values
from pipeline.reading.dates import read_date
from pipeline.reading.links import document, unwrap
from pipeline.reading.normalize import interpret, tidy
from pipeline.reading.places import resolve_county, resolve_state, states
from pipeline.reading.workbook import Hidden, RawRow, Sheet, Value

_ROW: dict[str, Value] = {
    "state": "TEXAS",
    "agency": "Kerr County Sheriff's Office",
    "type": "County",
    "county": "Kerr County",
    "model": "Task Force Model",
    "signed": date(2025, 5, 6),
    "moa": "link",
}


def _read(link: str = "", hidden: Hidden = Hidden.NO, **cells: Value) -> tuple[Values, set[str]]:
    raw = RawRow.of(2, {**_ROW, **cells}, {"moa": link} if link else {}, hidden)
    sheet = Sheet("Sheet1", ListName.PARTICIPATING, 1, {name: name for name in _ROW}, (), (), (raw,), None, None, ())
    reading = interpret(sheet)
    return reading.listings[0].values, {finding.code for finding in reading.findings}


@pytest.mark.parametrize(
    ("printed", "postal", "finding"),
    [
        ("TEXAS ", "TX", None),
        ("Texas", "TX", None),
        ("UTAHJ", "UT", "misspelt_state"),
        ("UTAh", "UT", None),
        ("WEST VIRIGINIA", "WV", "misspelt_state"),
        ("WESt VIRGINIA", "WV", None),
        ("MCHIGAN", "MI", "misspelt_state"),
        ("GUAM", "GU", None),
        ("Commonwealth of the Northern Mariana Islands", "MP", None),
        ("D.C.", "DC", None),
        ("fl", "FL", None),
        ("AKANSAS", None, "unknown_state"),
        ("ONTARIO", None, "unknown_state"),
        ("", None, "unknown_state"),
        (None, None, "unknown_state"),
    ],
)
def test_a_misspelt_state_is_the_right_one_or_none(printed: Value, postal: str | None, finding: str | None) -> None:
    values, findings = _read(state=printed)
    assert values.state == postal
    assert findings - {"unknown_county"} == ({finding} if finding else set())


@pytest.mark.parametrize(
    ("printed", "day", "code"),
    [
        (datetime(2025, 7, 7), date(2025, 7, 7), None),  # noqa: DTZ001 - a cell has no zone
        ("05/082025", date(2025, 5, 8), "date_as_text"),
        ("7/72025", date(2025, 7, 7), "date_as_text"),
        ("8/282025", date(2025, 8, 28), "date_as_text"),
        ("8/28/25", date(2025, 8, 28), "date_as_text"),
        ("2025-08-28", date(2025, 8, 28), "date_as_text"),
        ("August 28, 2025", date(2025, 8, 28), "date_as_text"),
        (45845, date(2025, 7, 7), "date_as_number"),
        (datetime(5025, 7, 7), None, "date_impossible"),  # noqa: DTZ001
        (date(1985, 7, 7), None, "date_impossible"),
        ("13/45/2025", None, "date_unreadable"),
        ("soon", None, "date_unreadable"),
        (True, None, "date_unreadable"),
        (None, None, None),
        ("  ", None, None),
    ],
)
def test_a_signing_date_is_read_or_named(printed: Value, day: date | None, code: str | None) -> None:
    assert read_date(printed) == (day, code)


@given(st.text(max_size=30))
def test_no_text_makes_the_date_reader_fail(text: str) -> None:
    day, code = read_date(text)
    assert day is None or (day.year >= 2002 and code)


@pytest.mark.parametrize(
    ("printed", "model", "finding"),
    [
        ("Jail Enforcement Model ", "Jail Enforcement Model", None),
        ("Warrant Services Officer", "Warrant Service Officer", None),
        ("Warrant Service Office", "Warrant Service Officer", "misspelt_model"),
        ("Task Force Officer ", "Task Force Model", None),
        ("Jail Enforcment Model ", "Jail Enforcement Model", "misspelt_model"),
        ("tfm", "Task Force Model", None),
        ("Air Support Model", None, "unknown_model"),
        (None, None, "unknown_model"),
    ],
)
def test_a_model_label_is_one_of_three_or_named(printed: Value, model: str | None, finding: str | None) -> None:
    values, findings = _read(model=printed)
    assert (values.support_model, findings) == (model, {finding} if finding else set())


@pytest.mark.parametrize(
    ("state", "printed", "county"),
    [
        ("TX", "Kerr County ", "Kerr County"),
        ("FL", "Lake Conty", "Lake County"),
        ("OK", "Custer Countey", "Custer County"),
        ("KS", "Sedgqick County ", "Sedgwick County"),
        ("LA", "Saint Landry County", "St. Landry Parish"),
        ("TX", "Sebastian county ", None),
        ("MN", "Freedom County", None),
        ("VA", "Franklin County", "Franklin County"),  # there is a Franklin city, too
        ("VA", "Franklin City", "Franklin city"),
        ("VA", "Franklin", None),
        ("VA", "Fairfax Conty", "Fairfax County"),
        ("MO", "Saint Louis County", "St. Louis County"),
        ("MO", "St. Louis", None),
    ],
)
def test_a_county_is_the_census_name_or_stays_as_printed(state: str, printed: str, county: str | None) -> None:
    assert resolve_county(state, printed) == county


@pytest.mark.parametrize("printed", ["#N/A", "#NA", "N/A", "", None, "#n?A", "  "])
def test_no_county_in_five_spellings_is_no_county(printed: Value) -> None:
    assert _read(county=printed)[0].county is None


@pytest.mark.parametrize(
    ("printed", "clean"),
    [
        ("Kerr County Sheriff’s Office", "Kerr County Sheriff's Office"),
        ("Kerr\u00a0County  Sheriff's Office ", "Kerr County Sheriff's Office"),
        ("Kerr\nCounty\tSheriff's\u200b Office,", "Kerr County Sheriff's Office"),
        ("\u202eeciffO", "eciffO"),
    ],
)
def test_typography_is_no_part_of_a_name(printed: str, clean: str) -> None:
    values, _ = _read(agency=printed)
    assert values.agency == clean


@given(st.text(max_size=60))
def test_a_tidied_name_is_one_printable_line_and_stays_itself(text: str) -> None:
    once = tidy(text)
    assert once == tidy(once)
    assert "\n" not in once
    assert "\x1b" not in once


_MOA = "https://www.ice.gov/doclib/287gMOA/KerrCoTX_JEM_MOA_05022025.pdf"


@pytest.mark.parametrize(
    ("target", "url"),
    [
        (_MOA, _MOA),
        (_MOA.replace("https", "http"), _MOA),
        (_MOA.replace("https://", "https:/"), _MOA),
        (f"chrome-extension://efaidnbmnnnibpcajpcglclefindmkaj/{_MOA}", _MOA),
        (
            f"https://gcc02.safelinks.protection.outlook.com/?url={quote(_MOA, safe='')}&data=name%40example.gov%7C0",
            _MOA,
        ),
        ("https://www.ice.gov/doclib/A B.pdf", "https://www.ice.gov/doclib/A%20B.pdf"),
        ("https://user:secret@www.ice.gov/a.pdf#page=2", "https://www.ice.gov/a.pdf"),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("mailto:someone@example.gov", None),
        ("https://", None),
        ("http://[::1", None),
        ("", None),
    ],
)
def test_a_link_is_the_bare_document_or_nothing(target: str, url: str | None) -> None:
    assert unwrap(target) == url


@given(st.text(max_size=80))
def test_no_target_makes_unwrapping_fail_or_leaks_a_mailbox(text: str) -> None:
    url = unwrap(f"https://gcc02.safelinks.protection.outlook.com/?url={text}&data=name%40example.gov")
    assert url is None or "name@example.gov" not in url


def test_links_to_one_file_under_other_folders_and_encodings_are_one_document() -> None:
    assert document("https://www.ice.gov/a/Kerr%20Co.PDF") == document("https://www.ice.gov/b/kerr co.pdf")


def test_a_link_to_another_host_is_not_published() -> None:
    values, findings = _read(link="https://evil.example/moa.pdf")
    assert (values.moa_url, findings) == (None, {"foreign_link"})


def test_an_address_typed_as_text_is_a_link() -> None:
    assert _read(moa=_MOA)[0].moa_url == _MOA


def test_link_and_addendum_in_one_cell_is_no_oddity() -> None:
    assert _read(moa="link\u00a0|\u00a0addendum") == (_read()[0], set())


def test_a_row_hidden_by_a_filter_is_data_and_one_hidden_by_hand_is_named() -> None:
    assert _read(hidden=Hidden.BY_FILTER)[0].agency
    raw = RawRow.of(2, _ROW, {}, Hidden.BY_HAND)
    sheet = Sheet("Sheet1", ListName.PARTICIPATING, 1, {name: name for name in _ROW}, (), (), (raw,), None, None, ())
    reading = interpret(sheet)
    assert (reading.listings, [f.code for f in reading.findings]) == ((), ["hidden_row"])


def test_the_printed_cells_are_kept_to_the_letter() -> None:
    raw = RawRow.of(
        7, {**_ROW, "state": " UTAHJ ", "signed": "7/72025"}, {"moa": "https:/www.ice.gov/x.pdf"}, Hidden.NO
    )
    sheet = Sheet("Sheet1", ListName.PARTICIPATING, 1, {name: name for name in _ROW}, (), (), (raw,), None, None, ())
    printed = interpret(sheet).listings[0].printed
    assert (printed.state, printed.signed, printed.moa_target) == (" UTAHJ ", "7/72025", "https:/www.ice.gov/x.pdf")


@given(st.sampled_from(sorted(s.name for s in states().values())), st.integers(0, 30), st.characters(categories=["Lu"]))
def test_one_wrong_letter_never_makes_a_state_another_one(name: str, at: int, letter: str) -> None:
    at %= len(name)
    match = resolve_state(f"{name[:at]}{letter}{name[at + 1 :]}")
    assert match is None or states()[match.postal].name == name or not match.corrected
