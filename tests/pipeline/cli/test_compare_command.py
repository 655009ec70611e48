"""`watch287g compare`: another tracker's list beside ours."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests import workbooks
from tests.archive import needs_archive
from tests.db.histories import History, Posted, rows, sheriff
from tests.pipeline.reports import story
from tests.pipeline.test_backfill import whole

__all__ = ["whole"]

TFM, WSO = "Task Force Model", "Warrant Service Officer"
HEADER = "State,Agency,Model,Signed,County"
SIGNED = datetime(2025, 3, 4)  # noqa: DTZ001 - a cell has no time zone


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bay and Lee, Polk under two models, Clay misspelt."""
    folder = tmp_path_factory.mktemp("history")
    listed = [
        *rows("Bay", "Lee"),
        sheriff("Polk"),
        sheriff("Polk", model=WSO),
        sheriff("Clay", agency="Clay Conty Sheriffs Office"),
    ]
    with History(folder) as history:
        history.post(Posted("participating", 0, listed), Posted("participating", 2, [*listed, sheriff("Levy")]))
    return folder / "history.db"


ALL = (
    "FL,Bay County Sheriff's Office,TFM,2025-02-26,Bay",
    "Florida,LEE COUNTY SHERIFFS OFFICE,Task Force Model,2/26/2025,Lee County",
    'florida,Polk Co. Sheriff\'s Office,task force,"February 26, 2025",',
    "FL,Polk County SO,Warrant Services Officer,2025-02-26,Polk",
    "FL,Clay Conty Sheriff's Office,TFM,2025-02-26,Clay",
    "FL,Levy County Sheriff's Office,TFM,2025-02-26,Levy",
)


def _file(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "theirs.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def _compare(database: Path, path: Path, *options: str) -> Result:
    return story.run(database, "compare", str(path), *options)


def _document(database: Path, path: Path, *options: str) -> dict[str, Any]:
    result = _compare(database, path, "--format", "json", *options)
    assert result.exit_code in (0, 3), result.exception
    document: dict[str, Any] = json.loads(result.output)
    return document


def test_abbreviations_cases_and_forms_of_dates_are_no_difference(database: Path, tmp_path: Path) -> None:
    document = _document(database, _file(tmp_path, *ALL))
    assert document["same"] == 4
    assert not document["only_there"] + document["only_here"] + document["unsettled"] + document["file"]["odd"]
    assert {tuple(one["differences"]) for one in document["differing"]} == {("agency",)}


def test_lists_that_say_the_same_end_with_0_and_others_with_3(database: Path, tmp_path: Path) -> None:
    same = [line.replace("Polk Co.", "Polk County").replace("County SO", "County Sheriffs Office") for line in ALL]
    result = _compare(database, _file(tmp_path, *same))
    assert result.exit_code == 0, result.output
    there, here, counts = result.output.splitlines()
    assert there.startswith(
        "There: 6 rows in theirs.csv (state = 'State', agency = 'Agency', model = 'Model', signed ="
    )
    assert here == "Here: 6 agreements on the participating list of 2025-03-05 (participatingAgencies03052025am.xlsx)"
    assert counts == "6 the same, 0 differing, 0 only there, 0 only here, 0 unsettled"
    result = _compare(database, _file(tmp_path, *same), "--on", "2025-03-04")
    assert result.exit_code == 3
    assert "Only there\nLevy County Sheriff's Office (FL), Task Force Model, signed 2025-02-26  [row 7 there]" in (
        result.output
    )


@pytest.mark.parametrize(
    ("line", "differences"),
    [
        ("FL,Bay County Sheriff's Office,TFM,2025-02-27,Bay", {"signed": ["2025-02-27", "2025-02-26"]}),
        ("FL,Bay County Sheriff's Office,WSO,2025-02-26,Bay", {"model": [WSO, TFM]}),
        ("FL,Bay County Sheriff's Office,TFM,2025-02-26,Lee", {"county": ["Lee County", "Bay County"]}),
        (
            "FL,Bay County Sherriff Office,TFM,2025-02-26,Bay",
            {"agency": ["Bay County Sherriff Office", "Bay County Sheriff's Office"]},
        ),
    ],
)
def test_a_difference_is_told_by_its_field(
    database: Path, tmp_path: Path, line: str, differences: dict[str, Any]
) -> None:
    document = _document(database, _file(tmp_path, line, *ALL[1:]))
    (bay,) = [one for one in document["differing"] if one["here"]["agency"].startswith("Bay")]
    assert bay["differences"] == differences
    assert bay["there"]["row"] == 2
    assert not document["only_there"] + document["only_here"] + document["unsettled"]


def test_a_misspelling_is_found_only_where_it_can_mean_one(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        listed = [sheriff("Okeechobee"), sheriff("Bay", agency="Alachua Police Department")]
        history.post(Posted("participating", 0, listed))
    database = tmp_path / "history.db"
    theirs = _file(tmp_path, "FL,Okechobee County Sheriff's Office,TFM,,", "FL,Alachau Police Department,TFM,,")
    document = _document(database, theirs)
    assert [one["differences"]["agency"][1] for one in document["differing"]] == [
        "Okeechobee County Sheriff's Office",
        "Alachua Police Department",
    ]


def test_two_that_may_be_meant_are_shown_together_and_not_guessed(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        names = ("Brookfield Police Department", "Brookfeld Police Department")
        history.post(Posted("participating", 0, [sheriff("Bay", agency=name) for name in names]))
    document = _document(tmp_path / "history.db", _file(tmp_path, "FL,Broookfield Police Department,TFM,2025-01-01,"))
    (group,) = document["unsettled"]
    assert [entry["row"] for entry in group["there"]] == [2]
    assert sorted(item["agency"] for item in group["here"]) == sorted(names)
    assert not document["only_there"] + document["only_here"] + document["differing"]
    told = _compare(tmp_path / "history.db", tmp_path / "theirs.csv").output
    assert "Unsettled: more than one may be meant\nBroookfield Police Department (FL)" in told


def test_neighbouring_counties_are_not_each_others_misspelling(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows("Bay", "Lake")))
    document = _document(
        tmp_path / "history.db",
        _file(tmp_path, "FL,Clay County Sheriff's Office,TFM,,Clay", "FL,Baker County Sheriff's Office,TFM,,Baker"),
    )
    assert len(document["only_there"]) == len(document["only_here"]) == 2


@pytest.mark.parametrize(
    "line", ["FL,Bay County Sheriff's Office,TFM,,Bay", "FL,Bay County Sheriff's Office,TFM,2025-02-26,"]
)
def test_an_empty_cell_is_no_difference(database: Path, tmp_path: Path, line: str) -> None:
    document = _document(database, _file(tmp_path, line, *ALL[1:]))
    assert document["same"] == 4
    assert not document["only_there"] + document["only_here"] + document["unsettled"]


def test_a_repeated_row_is_called_so_and_is_not_only_there(database: Path, tmp_path: Path) -> None:
    path = _file(tmp_path, *ALL, ALL[0], ALL[0])
    document = _document(database, path)
    assert not document["only_there"] + document["only_here"] + document["unsettled"]
    assert [(entry["row"], entry["repeats_row"]) for entry in document["repeated"]] == [(8, 2), (9, 2)]
    told = _compare(database, path).output
    assert "0 unsettled, 2 repeated there" in told
    assert (
        "Repeated there\nBay County Sheriff's Office (FL), Task Force Model, signed 2025-02-26  [row 8 there]"
        " repeats row 2\n" in told
    )
    found = list(csv.DictReader(io.StringIO(_compare(database, path, "--format", "csv").output)))
    assert [row["repeats_row"] for row in found if row["found"] == "repeated"] == ["2", "2"]


def test_two_rows_that_say_the_same_are_two_where_ours_has_two(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, [sheriff("Polk"), sheriff("Polk", signed=SIGNED)]))
    document = _document(tmp_path / "history.db", _file(tmp_path, *["FL,Polk County Sheriff's Office,TFM,,"] * 3))
    assert document["same"] == 2
    assert [entry["repeats_row"] for entry in document["repeated"]] == [2]
    dated = _document(
        tmp_path / "history.db", _file(tmp_path, *["FL,Polk County Sheriff's Office,TFM,2025-03-04,"] * 2)
    )
    assert dated["same"] == len(dated["only_here"]) == len(dated["repeated"]) == 1


def test_a_model_that_cannot_be_read_is_unsettled_between_what_is_left(database: Path, tmp_path: Path) -> None:
    path = _file(tmp_path, *ALL[:2], "FL,Polk County Sheriff's Office,287,,", *ALL[4:])
    document = _document(database, path)
    (group,) = document["unsettled"]
    assert [entry["row"] for entry in group["there"]] == [4]
    assert sorted(item["support_model"] for item in group["here"]) == [TFM, WSO]
    assert not document["only_there"] + document["only_here"]


@pytest.mark.parametrize(
    "line",
    [
        "FL,Polk County Sheriff's Office,?,2025-02-26,",
        "FL,Polk County Sheriff's Office,,2025-03-09,",
        "FL,Polck County Sheriff's Office,unknown,,",
    ],
)
def test_a_model_that_cannot_be_read_is_that_of_the_only_one_left(database: Path, tmp_path: Path, line: str) -> None:
    """Polk's other agreement is there under its own model."""
    path = _file(tmp_path, *ALL[:3], line, *ALL[4:])
    document = _document(database, path)
    (polk,) = [one for one in document["differing"] if "model" in one["differences"]]
    assert polk["differences"]["model"] == [None, WSO]
    assert not document["only_there"] + document["only_here"] + document["unsettled"]
    assert "model: '' there, 'Warrant Service Officer' here" in _compare(database, path).output


def test_of_several_left_the_one_signed_on_that_day_is_meant(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, [sheriff("Polk"), sheriff("Polk", model=WSO, signed=SIGNED)]))
    document = _document(tmp_path / "history.db", _file(tmp_path, "FL,Polk County Sheriff's Office,?,2025-03-04,"))
    assert [one["differences"] for one in document["differing"]] == [{"model": [None, WSO]}]
    assert [one["support_model"] for one in document["only_here"]] == [TFM]


@pytest.mark.parametrize("cell", ["TFM/WSO", '"WSO, TFM"', "Task Force Model (TFM) and Warrant Service Officer (WSO)"])
def test_a_cell_that_names_several_models_stands_for_an_agreement_of_each(
    database: Path, tmp_path: Path, cell: str
) -> None:
    path = _file(tmp_path, *ALL[:2], f"FL,Polk County Sheriff's Office,{cell},2025-02-26,", *ALL[4:])
    document = _document(database, path)
    assert document["file"]["rows"] == 5
    assert document["same"] == 6
    assert not document["only_there"] + document["only_here"] + document["unsettled"]
    document = _document(database, _file(tmp_path, "FL,Polk County Sheriff's Office,All three,,"))
    assert document["same"] == 2
    assert [(entry["row"], entry["support_model"]) for entry in document["only_there"]] == [
        (2, "Jail Enforcement Model")
    ]


@pytest.fixture(scope="module")
def two_states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("states")
    listed = [*rows("Bay", "Lee"), sheriff("Hall", state="GEORGIA"), sheriff("Cobb", state="GEORGIA")]
    with History(folder) as history:
        history.post(Posted("participating", 0, listed))
    return folder / "history.db"


def test_a_file_of_few_states_is_said_to_be_and_others_can_be_left_out(two_states: Path, tmp_path: Path) -> None:
    path = _file(tmp_path, "GA,Hall County Sheriff's Office,TFM,,", "GA,Cobb County Sheriff's Office,TFM,,")
    told = _compare(two_states, path).output
    assert "the file has only GA; --state GA leaves out the others\n" in told
    result = _compare(two_states, path, "--state", "Georgia")
    assert result.exit_code == 0
    assert "the file has only" not in result.output
    assert "Here: 2 of 4 agreements on the participating list" in result.output
    path = _file(tmp_path, *ALL[:2], "GA,Hall County Sheriff's Office,TFM,,", "Nowhere,X,TFM,,")
    document = _document(two_states, path, "--state", "FL")
    assert document["states"] == ["FL"]
    assert [entry["row"] for entry in document["only_there"]] == [5]
    assert not document["only_here"]
    assert "There: 3 of 4 rows in theirs.csv" in _compare(two_states, path, "--state", "FL").output
    both = _document(two_states, path, "--state", "FL", "--state", "GA")
    assert [item["agency"] for item in both["only_here"]] == ["Cobb County Sheriff's Office"]


def test_sections_come_in_the_order_of_what_they_ask_of_a_reader(database: Path, tmp_path: Path) -> None:
    changed = "FL,Bay County Sheriff's Office,TFM,2025-02-27,Bay"
    path = _file(tmp_path, changed, "FL,Desoto PD,TFM,31/31/2025,", "FL,Polk County Sheriff,?,,", ALL[4], ALL[4])
    told = _compare(database, path).output
    headings = ("Differing", "Only there", "Unsettled: more than one may be meant", "Only here", "Repeated there")
    places = [told.index(f"\n{heading}\n") for heading in headings]
    assert places == sorted(places)
    assert "2 cells there could not be read" in told.split("\n\n", maxsplit=1)[0]
    assert "signed '31/31/2025'" in told.split("\nNot read\n")[1]
    lines = csv.DictReader(io.StringIO(_compare(database, path, "--format", "csv").output))
    kinds = list(dict.fromkeys(row["found"] for row in lines))
    assert kinds == ["differing", "only there", "unsettled", "only here", "repeated"]


def test_what_is_only_there_shows_what_is_near_it_here(database: Path, tmp_path: Path) -> None:
    path = _file(tmp_path, *ALL, "FL,Polk County Jail,TFM,2025-03-09,", "FL,Quincy Police Department,TFM,,")
    polk, quincy = _document(database, path)["only_there"]
    assert polk["nearest"]["agency"] == "Polk County Sheriff's Office"
    assert polk["nearest"]["support_model"] == TFM
    assert quincy["nearest"] is None
    told = _compare(database, path).output
    assert "  nearest here: Polk County Sheriff's Office (FL), Task Force Model, signed 2025-02-26  [a-" in told
    found = list(csv.DictReader(io.StringIO(_compare(database, path, "--format", "csv").output)))
    near = [row["nearest"] for row in found if row["found"] == "only there"]
    assert near == ["Polk County Sheriff's Office", ""]


@pytest.mark.parametrize("text", ["26.02.2025", "26/02/2025", "45714", "45714.0", "26-Feb-2025", "02/26/2025"])
def test_dates_are_read_in_the_forms_that_trackers_use(database: Path, tmp_path: Path, text: str) -> None:
    document = _document(database, _file(tmp_path, f"FL,Bay County Sheriff's Office,TFM,{text},Bay"))
    assert document["same"] == 1
    assert not document["file"]["odd"]


@pytest.mark.parametrize("header", ["Jurisdiction", "LEA", "Department"])
@pytest.mark.parametrize("model", ["Type of agreement", "Program", "Agreement type"])
def test_usual_headers_are_found(database: Path, tmp_path: Path, header: str, model: str) -> None:
    path = _file(tmp_path, "FL,Bay County Sheriff's Office,TFM", header=f"State,{header},{model}")
    assert _document(database, path)["same"] == 1


def test_two_agreements_of_one_agency_and_model_are_told_apart_by_date_or_left_open(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, [sheriff("Polk"), sheriff("Polk", signed=SIGNED)]))
    database = tmp_path / "history.db"
    both = ("FL,Polk County Sheriff's Office,TFM,2025-03-04,", "FL,Polk County Sheriff's Office,TFM,2025-02-26,")
    assert _document(database, _file(tmp_path, *both))["same"] == 2
    one = _document(database, _file(tmp_path, "FL,Polk County Sheriff's Office,TFM,2025-03-09,"))
    assert len(one["unsettled"][0]["here"]) == 2
    shifted = _document(database, _file(tmp_path, both[0], "FL,Polk County Sheriff's Office,TFM,2025-03-09,"))
    assert [pair["differences"] for pair in shifted["differing"]] == [{"signed": ["2025-03-09", "2025-02-26"]}]


def test_a_change_of_model_on_another_day_is_two_agreements(database: Path, tmp_path: Path) -> None:
    document = _document(database, _file(tmp_path, "FL,Bay County Sheriff's Office,WSO,2025-03-09,Bay", *ALL[1:]))
    assert len(document["only_there"]) == len(document["only_here"]) == 1


def test_what_cannot_be_read_is_said_and_the_row_is_still_there(database: Path, tmp_path: Path) -> None:
    document = _document(database, _file(tmp_path, "Nowhere,Bay County,Something,31/31/2025,", *ALL))
    assert document["file"]["odd"] == [
        "row 2: state 'Nowhere'",
        "row 2: model 'Something'",
        "row 2: signed '31/31/2025'",
    ]
    assert [entry["row"] for entry in document["only_there"]] == [2]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_usual_delimiters_and_encodings_are_told(database: Path, tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=delimiter)
    writer.writerow(("Notes; of, all\tkinds", "State", "Law Enforcement Agency", "Support Type"))
    writer.writerow(("", "FL", "Bay County Sheriff’s Office", "TFM"))
    path = tmp_path / "theirs.csv"
    path.write_bytes(lines.getvalue().encode(encoding))
    assert _document(database, path)["same"] == 1


def test_columns_can_be_named_and_a_title_may_stand_above_them(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "theirs.csv"
    path.write_text(
        '287(g) agreements\n\nWhere,"Who, exactly",What,State\nFL,Bay County Sheriff,TFM,x\n', encoding="utf-8"
    )
    options = ("--columns", 'state=Where,agency="Who, exactly"', "--columns", "model=what")
    document = _document(database, path, *options)
    assert document["file"]["columns"] == {"state": "Where", "agency": "Who, exactly", "model": "What"}
    assert [one["there"]["row"] for one in document["differing"]] == [4]


def test_a_workbook_is_read_from_the_sheet_that_fits_or_is_named(database: Path, tmp_path: Path) -> None:
    def add(book: Any) -> None:
        other = book.create_sheet("Other")
        other.append(["State", "Agency", "Program"])
        other.append(["FL", "Lee County Sheriff's Office", "TFM"])
        book.worksheets[0].cell(1, 12, "Notes")

    path = tmp_path / "theirs.xlsx"
    path.write_bytes(workbooks.participating(rows("Bay"), change=add))
    assert _document(database, path)["file"]["columns"]["signed"] == "SIGNED"
    document = _document(database, path, "--sheet", "other")
    assert document["file"]["columns"] == {"state": "State", "agency": "Agency", "model": "Program"}
    result = _compare(database, path, "--sheet", "Third")
    assert "has no sheet 'Third'; it has 'Sheet1', 'Other'" in str(result.exception)


def test_every_format_tells_the_same_differences(database: Path, tmp_path: Path) -> None:
    path = _file(tmp_path, ALL[0], "FL,=HYPERLINK(1),TFM,2025-02-26,|x|", *ALL[2:])
    document = _document(database, path)
    found = list(csv.DictReader(io.StringIO(_compare(database, path, "--format", "csv").output)))
    number = len(document["only_there"]) + len(document["only_here"])
    number += sum(len(one["differences"]) for one in document["differing"])
    assert len(found) == number
    assert {row["found"] for row in found} == {"only there", "only here", "differing"}
    assert not [row for row in found if row["agency"].startswith("=")]
    table = _compare(database, path, "--format", "markdown").output
    assert table.count("\n| ") - 1 == number + 1
    assert r"\|x\|" in table


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"State,Agency\nFL,x\n", "no column that looks like the model; name it with --columns model=..."),
        (b"a,b\n1,2\n", "no column that looks like the state"),
        (b"<html><table>", "is neither CSV nor XLSX"),
        (b'{"state": 1}', "is neither CSV nor XLSX"),
        (b"State,Agency,Model\0\n", "is neither CSV nor XLSX"),
        (b"PK\x03\x04rubbish", "cannot be read: truncated"),
        (b"State,Agency,Model\n\x81\x8d\n", "is neither in UTF-8 nor in Windows' encoding"),
        (b"State,Agency,Model\nFL," + b"x" * 40_000 + b",TFM\n", "a cell has more than 32,767 characters"),
        (b'State,Agency,Model\nFL,"' + b"x" * 200_000 + b",TFM\n", "a cell has more than 32,767 characters"),
        (b"State,Agency,Model\n" + b"FL,x,TFM\n" * 10_001, "has more than 10,000 rows"),
        (b"x" * (20 * 1024 * 1024 + 1), "is too large"),
    ],
    ids=range(13),
)
def test_a_file_that_is_no_list_is_refused_in_a_sentence(
    database: Path, tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "theirs.csv"
    path.write_bytes(content)
    result = _compare(database, path)
    assert result.exit_code == 1
    assert getattr(result.exception, "code", None) == 1, result.exception
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_workbook_with_entities_or_a_bomb_is_refused(database: Path, tmp_path: Path) -> None:
    data = workbooks.participating(rows("Bay"))
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>'
    hostile = {
        "declares a document type": {workbooks.SHEET: lambda xml: entity + xml.partition(b"?>")[2]},
        "bomb": {workbooks.SHEET: lambda xml: xml + b" " * 30_000_000},
    }
    for sentence, parts in hostile.items():
        path = tmp_path / "theirs.xlsx"
        path.write_bytes(workbooks.repacked(data, parts))
        result = _compare(database, path)
        assert result.exit_code == 1
        assert sentence in str(result.exception)


@pytest.mark.parametrize("text", ["", "state", "state=", "=x", "colour=x", "state=a,,", "state=a b=c,x"])
def test_columns_that_make_no_sense_are_wrong_usage(database: Path, tmp_path: Path, text: str) -> None:
    result = _compare(database, _file(tmp_path, *ALL), "--columns", text)
    assert result.exit_code == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_of_very_many_columns_is_read_or_refused_for_what_it_lacks(
    database: Path, tmp_path: Path, delimiter: str
) -> None:
    many = [f"c{n}" for n in range(10_000)]
    path = tmp_path / "theirs.csv"
    cells = ["FL", "Bay County Sheriff's Office", "TFM", *many]
    path.write_text(
        "\n".join(delimiter.join(line) for line in (["State", "Agency", "Model", *many], cells)), encoding="utf-8"
    )
    assert _document(database, path)["same"] == 1
    path.write_text(
        "\n".join(delimiter.join(line) for line in ([*many, "State", "Agency", "Model"], cells)), encoding="utf-8"
    )
    assert str(_compare(database, path).exception).startswith(
        "theirs.csv, of which only the first 200 columns are looked at, has no column that looks like the state"
    )


def test_a_day_to_come_is_refused_with_the_name_of_the_option(database: Path, tmp_path: Path) -> None:
    result = _compare(database, _file(tmp_path, *ALL), "--on", "9998-01-01")
    assert str(result.exception) == "9998-01-01 is in the future; leave out --on for the list as it is now"


@pytest.mark.parametrize(("column", "left_out"), [(None, [3]), (4, [])])
def test_rows_of_a_workbook_hidden_by_hand_are_left_out_and_named(
    database: Path, tmp_path: Path, column: int | None, left_out: list[int]
) -> None:
    """Rows that a filter hides are data."""
    path = tmp_path / "theirs.xlsx"
    path.write_bytes(workbooks.participating(rows("Bay", "Volusia", "Lee"), hidden_rows=(3,), filter_column=column))
    document = _document(database, path)
    assert document["file"]["hidden"] == left_out
    assert [entry["row"] for entry in document["only_there"]] == ([] if left_out else [3])
    told = "1 row there hidden by hand, and left out: 3"
    assert (told in _compare(database, path).output) is bool(left_out)


def test_a_workbook_of_ices_that_says_something_twice_says_the_same_as_its_day(tmp_path: Path) -> None:
    """ICE's own duplicate, with the county in one of the rows only."""
    listed = [*rows("Bay", "Lee"), {**sheriff("Bay"), "COUNTY": "#N/A"}]
    posted = Posted("participating", 0, listed)
    with History(tmp_path) as history:
        history.post(posted)
    path = tmp_path / "theirs.xlsx"
    path.write_bytes(posted.data)
    result = _compare(tmp_path / "history.db", path)
    assert result.exit_code == 0, result.output
    assert "2 the same, 0 differing, 0 only there, 0 only here, 0 unsettled, 1 repeated there" in result.output


@needs_archive
def test_thirty_of_ices_own_workbooks_say_the_same_as_the_lists_of_their_days(whole: Path) -> None:
    """Those with duplicate rows among them."""
    database = whole / "history.db"
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    days = connection.execute(
        "select list, published_on, max(duplicate) from listings group by list, published_on order by 3 desc, 2, 1"
    ).fetchall()
    connection.close()
    assert sum(day[2] for day in days) >= 20
    for name, on, _ in [*days[:20], *days[20 :: len(days) // 10][:10]]:
        document = json.loads(story.run(database, "list", "--as-of", on, "--list", name, "--format", "json").output)
        sha256 = document["source"]["workbook_sha256"]
        path = whole / "archive" / sha256[:2] / f"{sha256}.xlsx"
        result = story.run(database, "compare", str(path), "--on", on, "--list", name, "--format", "json")
        assert result.exit_code == 0, (name, on, result.output)
        assert json.loads(result.output)["same"] == len(document["agreements"])
