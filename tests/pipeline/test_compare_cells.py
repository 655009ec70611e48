"""Cells of other trackers' lists: models and dates in forms that ICE does not use."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.comparing.cells import day_first, models, signing_date
from pipeline.reading.normalize import JEM, TFM, WSO


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Task Force Model (TFM)", (TFM,)),
        ("JEM - Jail Enforcement Model", (JEM,)),
        ("Jail", (JEM,)),
        ("warrant", (WSO,)),
        ("Task Force", (TFM,)),
        ("287(g) Task Force Model", (TFM,)),
        ("Warrant Services Officer", (WSO,)),
        ("JEM, WSO", (JEM, WSO)),
        ("TFM/WSO", (TFM, WSO)),
        ("WSO TFM", (WSO, TFM)),
        ("Jail & Warrant", (JEM, WSO)),
        ("Jail Enforcement; Task Force and Warrant Service Officer", (JEM, TFM, WSO)),
        ("TFM, Task Force Model", (TFM,)),
        ("All three", (JEM, WSO, TFM)),
        ("all 3 models", (JEM, WSO, TFM)),
        ("JEM, something", ()),
        ("Task", ()),
        ("?", ()),
        ("", ()),
    ],
)
def test_a_cell_names_one_model_or_several_or_cannot_be_read(text: str, named: tuple[str, ...]) -> None:
    assert models(text) == named


@given(st.text())
def test_any_text_gives_known_models_once(text: str) -> None:
    found = models(text)
    assert set(found) <= {JEM, WSO, TFM}
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("column", "first"),
    [
        (["24.02.2025", "05.03.2025"], True),
        (["2/24/2025", "3/5/2025"], False),
        (["3/5/2025"], None),
        (["24/2/2025", "2/24/2025"], None),
        (["2025-02-24", None, 45000], None),
    ],
)
def test_a_column_tells_whether_the_day_comes_first(column: list[str | int | None], first: bool | None) -> None:
    assert day_first(column) is first


@pytest.mark.parametrize(
    ("cell", "is_day_first", "day"),
    [
        ("24.02.2025", None, date(2025, 2, 24)),
        ("03.04.2025", None, date(2025, 4, 3)),
        ("03.04.2025", False, date(2025, 3, 4)),
        ("3/4/2025", None, date(2025, 3, 4)),
        ("3/4/2025", True, date(2025, 4, 3)),
        ("3/4/25", True, date(2025, 4, 3)),
        ("24/02/2025", None, date(2025, 2, 24)),
        ("02/24/2025", True, date(2025, 2, 24)),
        ("45000", None, date(2023, 3, 15)),
        (45000, None, date(2023, 3, 15)),
        (45000.0, None, date(2023, 3, 15)),
        (datetime(2025, 3, 4), True, date(2025, 3, 4)),  # noqa: DTZ001 - a cell has no time zone
        ("2025-03-04", True, date(2025, 3, 4)),
    ],
)
def test_a_date_is_read_as_its_column_has_it(
    cell: str | float | datetime, is_day_first: bool | None, day: date
) -> None:
    assert signing_date(cell, is_day_first) == (day, True)


@pytest.mark.parametrize("cell", ["31/31/2025", "39999", "70000", "soon", "2"])
def test_what_is_no_date_cannot_be_read(cell: str) -> None:
    assert signing_date(cell, None) == (None, False)


def test_a_blank_cell_is_read_and_has_no_date() -> None:
    assert signing_date(None, None) == signing_date(" ", True) == (None, True)


@given(st.dates(date(2009, 7, 6), date(2064, 4, 8)), st.booleans())
def test_every_day_is_read_back_in_every_form(day: date, is_day_first: bool) -> None:
    serial = str((day - date(1899, 12, 30)) // timedelta(days=1))
    slashed = f"{day:%d/%m/%Y}" if is_day_first else f"{day:%m/%d/%Y}"
    for text in (serial, slashed, day.isoformat()):
        assert signing_date(text, is_day_first) == (day, True)
