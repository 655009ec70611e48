"""`watch287g cite`: what it says, how it ends, and the folder that it writes."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import shutil
import sqlite3
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import Result

from db import write
from db.records import Sighting
from pipeline.publish import evidence
from pipeline.reading.places import fold, resolve_state
from tests import workbooks
from tests.archive import needs_archive
from tests.db.histories import COUNTIES, History, Posted, rows, sheriff
from tests.pipeline.reports import story
from tests.pipeline.test_backfill import whole

__all__ = ["whole"]

URL = "https://www.ice.gov/doclib/about/offices/ero/287g/participatingAgencies03032025am.xlsx"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return story.write(tmp_path_factory.mktemp("history"))


def _id(database: Path, agency: str, *options: str) -> str:
    listed = ("list", "--format", "json", "--agency", agency, *options)
    (found,) = json.loads(story.run(database, *listed).output)["agreements"]
    return str(found["agreement_id"])


def _document(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.exception
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_a_listed_agreement_is_shown_with_workbook_row_cells_and_limits(database: Path) -> None:
    told = story.run(database, "cite", _id(database, "Bay"), "--on", "2025-03-06").output
    for words in (
        "LISTED  On 2025-03-06, ICE's participating list listed Bay County Sheriff's Office (FL), Task Force Model,",
        "the list in force was that of 2025-03-05 (participatingAgencies03052025am.xlsx).",
        "2025-03-05  participatingAgencies03052025am.xlsx: listed, row 40",
        "SIGNED                  '2025-02-25'",
        "published 2025-03-05, by its file name",
        "not fetched by this program: taken in on 2025-12-31 from a collection that says it was seen at 2025-03-05T14",
        "The list before it\n2025-03-03",
        "The next list after it\n2025-03-07",
        "date corrected: 2025-02-26 -> 2025-02-25",
        "- This is what ICE listed, which is not the same as what was in force in law.",
        "The next list was first seen at 2025-03-07T14:00:00Z",
    ):
        assert words in told


def test_one_that_ended_is_not_listed_and_that_is_an_answer(database: Path) -> None:
    lee = _id(database, "Lee", "--as-of", "2025-03-05")
    result = story.run(database, "cite", lee, "--on", "2025-03-08")
    assert result.exit_code == 0
    assert result.output.startswith("NOT LISTED  On 2025-03-08, ICE's participating list did not list Lee County")
    assert "no row for it among the 39 of the list" in result.output
    assert "The last list before that day that has it\n2025-03-05" in result.output
    assert "TERMINATED" in result.output


@pytest.mark.parametrize("name", ["Bay", "bay county sheriffs office", "fl-bay-county-sheriffs-office", "BAY COUNTY"])
def test_a_name_or_an_agencys_id_will_do_where_it_means_one_agreement(database: Path, name: str) -> None:
    document = _document(story.run(database, "cite", name, "--on", "2025-03-06", "--format", "json"))
    assert document["asked"]["agreement_id"] == _id(database, "Bay")


def test_several_of_one_agency_are_cited_each(database: Path) -> None:
    result = story.run(database, "cite", "Lake", "--on", "2025-03-06")
    assert result.exit_code == 0
    assert result.output.startswith(
        "LISTED  On 2025-03-06, ICE's participating list listed Lake County Sheriff's Office (FL) with 1 of the 2"
        " agreements that this history has of it; the list in force was that of 2025-03-05"
    )
    assert "listed: Lake County Sheriff's Office (FL), Task Force Model, signed 2025-02-26" in result.output
    assert "not listed: Lake County Sheriff's Office (FL), Warrant Service Officer, signed 2025-03-06" in result.output
    assert result.output.count("\n--- ") == 2
    document = _document(story.run(database, "cite", "Lake", "--on", "2025-03-06", "--format", "json"))
    assert document["says"] == "listed"
    assert document["asked"]["agency_id"] == "fl-lake-county-sheriffs-office"
    assert [one["says"] for one in document["citations"]] == ["listed", "not listed"]
    assert "schema" not in document["citations"][0]
    entries = story.run(database, "cite", "Lake", "--on", "2025-03-06", "--format", "bibtex").output
    keys = [line for line in entries.splitlines() if line.startswith("@misc")]
    assert len(set(keys)) == 2


@pytest.fixture(scope="module")
def two_lakes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lake County of Florida and that of Indiana, which left."""
    folder = tmp_path_factory.mktemp("lakes")
    elsewhere = sheriff("Lake", state="INDIANA")
    with History(folder) as history:
        history.post(
            Posted("participating", 0, rows("Bay")),
            Posted("participating", 2, [*rows("Bay", "Lake"), elsewhere]),
            Posted("participating", 4, rows("Bay", "Lake")),
            Posted("participating", 6, rows("Bay", "Lake", "Lee")),
        )
    return folder / "history.db"


def test_agreements_of_several_agencies_are_offered_with_their_ids(two_lakes: Path) -> None:
    result = story.run(two_lakes, "cite", "Lake", "--on", "2025-03-08")
    assert result.exit_code == 1
    assert str(result.exception) == (
        "'Lake' may mean 2 agreements or applications; give --state, or cite one by its id"
    )
    lines = result.output.splitlines()
    assert "participating from 2025-03-05 to now, listed on 2025-03-08  [fl-lake-county-sheriffs-office]" in lines[0]
    assert "participating from 2025-03-05 until 2025-03-07, not listed on 2025-03-08" in lines[1]
    assert story.run(two_lakes, "cite", lines[1].split()[0], "--on", "2025-03-08").output.startswith("NOT LISTED")
    assert story.run(two_lakes, "cite", "Lake", "--state", "FL", "--on", "2025-03-08").output.startswith("LISTED")


def test_it_is_said_that_none_of_several_was_listed(two_lakes: Path) -> None:
    result = story.run(two_lakes, "cite", "Lake", "--on", "2025-03-04")
    assert result.exit_code == 1
    assert "; none of the 2 was on the list in force on 2025-03-04; give --state" in str(result.exception)
    assert result.output.count("not listed on 2025-03-04") == 2


def test_an_application_is_cited_where_there_is_no_agreement_or_it_is_asked_for(database: Path) -> None:
    told = story.run(database, "cite", "Orange", "--on", "2025-03-05").output
    assert told.startswith("LISTED  On 2025-03-05, ICE's pending list listed the application of Orange County")
    told = story.run(database, "cite", "Polk", "--list", "pending", "--on", "2025-03-05").output
    assert told.startswith("NOT LISTED  On 2025-03-05, ICE's pending list did not list the application of Polk")


def test_a_name_that_no_list_has_is_absent_with_or_without_saying_so(database: Path) -> None:
    for arguments in (["--absent", "Polk County Police"], ["Polk County Police"]):
        result = story.run(database, "cite", *arguments, "--state", "FL", "--on", "2025-03-06")
        assert result.exit_code == 0
        assert result.output.startswith(
            "NOT LISTED  On 2025-03-06, ICE's participating list did not list any agency named Polk County Police (FL)"
        )
        assert "None of the 4 participating lists from 2025-03-03 to 2025-03-09 has it." in result.output
        assert "Polk County Sheriff's Office (FL)" in result.output
        assert "% alike" in result.output


def test_an_agency_that_is_there_is_not_called_absent(database: Path) -> None:
    result = story.run(database, "cite", "--absent", "Clay", "--state", "FL", "--on", "2025-03-08")
    assert result.exit_code == 1
    assert result.output.startswith("row 38  Clay Conty Sheriffs Office (FL)")
    assert "has what may be 'Clay': is it this? Absence cannot be said. Cite a row by its id: watch287g cite a-" in str(
        result.exception
    )


@pytest.mark.parametrize(
    "name",
    [
        "Polck County Sheriff's Office",
        "Polk County Sheriff's Department",
        "Sheriff of Polk County",
        "Pol k County Sheriff",
        "Polk Sheriff",
    ],
)
def test_one_listed_under_another_spelling_is_shown_and_not_called_absent(database: Path, name: str) -> None:
    polk = _id(database, "Polk")
    result = story.run(database, "cite", "--absent", name, "--state", "FL", "--on", "2025-03-06")
    assert result.exit_code == 1
    assert result.output.startswith("row ")
    assert "Polk County Sheriff's Office (FL), Task Force Model, 2025-" in result.output
    assert str(result.exception).endswith(
        f"is it this? Absence cannot be said. Cite a row by its id: watch287g cite {polk} --on 2025-03-06"
    )
    never = story.run(database, "cite", "--absent", name, "--state", "FL")
    assert never.exit_code == 1
    assert never.output.startswith(f"{polk}  Polk County Sheriff's Office (FL)")
    assert "NEVER" not in never.output


def test_of_many_rows_that_may_be_it_some_are_shown_and_the_rest_counted(database: Path) -> None:
    result = story.run(database, "cite", "--absent", "County Sheriff", "--on", "2025-03-06")
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 21
    assert result.output.splitlines()[-1] == "and 21 more; give more of the name, or --state"


BAY, BOARD = "Bay County Sheriff's Office", "Bay County Board of County Commissioners"
WSO = "Warrant Service Officer"


@pytest.fixture(scope="module")
def renamed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On 4 March Bay's sheriff becomes the board; on 5 March another agreement takes the sheriff's name."""
    folder = tmp_path_factory.mktemp("renamed")
    others = rows(*COUNTIES[10:30])
    board = sheriff("Bay", agency=BOARD, model=WSO)
    signed = datetime(2025, 3, 5)  # noqa: DTZ001 - a cell has no time zone
    with History(folder) as history:
        history.post(
            Posted("participating", 0, [*others, sheriff("Bay", model=WSO)]),
            Posted("participating", 1, [*others, board]),
            Posted("participating", 2, [*others, board, sheriff("Bay", signed=signed)]),
        )
    return folder / "history.db"


@pytest.mark.parametrize(
    ("day", "listed", "told"),
    [
        (3, 1, {BAY: "listed"}),
        (4, 1, {BOARD: "listed", BAY: "not listed"}),
        (5, 2, {BOARD: "listed", BAY: "listed"}),
    ],
)
def test_all_that_bear_a_name_then_or_on_another_day_are_cited(
    renamed: Path, day: int, listed: int, told: dict[str, str]
) -> None:
    on = f"2025-03-0{day}"
    result = story.run(renamed, "cite", BAY, "--on", on)
    assert result.exit_code == 0
    assert result.output.startswith(
        f"LISTED  On {on}, ICE's participating list listed {listed} of the 2 agreements of 2 agencies that bear the"
        f" name {BAY} (FL), then or on another day; the list in force"
    )
    for agency, says in told.items():
        assert f"\n{says}: {agency} (FL), " in result.output
    document = _document(story.run(renamed, "cite", BAY, "--on", on, "--format", "json"))
    assert document["asked"] == {
        "on": on,
        "list": "participating",
        "agency_id": None,
        "name": BAY,
        "state": "FL",
    }
    rows_told = {row["row"] for one in document["citations"] for row in one["publications"]["of_the_day"]["rows"]}
    assert len(rows_told) == listed


def test_other_rows_that_bear_the_name_are_named_beside_an_agreement(renamed: Path) -> None:
    listed = json.loads(story.run(renamed, "list", "--as-of", "2025-03-03", "--format", "json").output)["agreements"]
    (bay,) = [one for one in listed if one["agency"] == BAY]
    document = _document(story.run(renamed, "cite", bay["agreement_id"], "--on", "2025-03-05", "--format", "json"))
    assert [row["agency"] for row in document["namesakes"]] == []
    new = json.loads(story.run(renamed, "list", "--format", "json").output)["agreements"]
    (sheriffs,) = [one["agreement_id"] for one in new if one["agency"] == BAY]
    document = _document(story.run(renamed, "cite", sheriffs, "--on", "2025-03-03", "--format", "json"))
    assert document["says"] == "not listed"
    assert [row["agreement_id"] for row in document["namesakes"]] == [bay["agreement_id"]]


@needs_archive
def test_names_of_two_agencies_mention_every_row_that_bears_them(whole: Path) -> None:
    """The real names that two agencies have had, on ten days each."""
    database = whole / "history.db"
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    shared = connection.execute(
        "select v.state, v.agency from version v join agreement a on a.id = v.agreement_id"
        " where a.list = 'participating' group by 1, 2 having count(distinct a.agency_id) > 1 order by 1, 2"
    ).fetchall()
    assert len(shared) >= 8
    chance = random.Random(5)
    for state, name in shared:
        for _ in range(10):
            on = (date(2025, 2, 21) + timedelta(days=chance.randrange(290))).isoformat()
            result = story.run(database, "cite", name, "--state", state, "--on", on)
            printed = connection.execute(
                "select printed_state, printed_agency, agreement_id from listings where publication = ("
                " select sequence from publication_log where list = 'participating' and verdict = 'accepted'"
                " and published_on <= ? order by published_on desc, sequence desc limit 1)",
                (on,),
            )
            for its_state, agency, ident in printed:
                match = resolve_state(its_state)
                if fold(agency) == fold(name) and match and match.postal == state:
                    assert ident in result.output, (name, on)
    connection.close()


def test_an_agency_known_from_the_other_list_only_can_be_shown_absent_from_this_one(database: Path) -> None:
    result = story.run(database, "cite", "Orange", "--list", "participating", "--on", "2025-03-06")
    assert result.output.startswith("NOT LISTED  On 2025-03-06, ICE's participating list did not list any agency")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["Bay", "--on", "2025-03-02"], 1, "the history of that list begins on 2025-03-03, after 2025-03-02"),
        (["Bay", "--on", "9998-01-01"], 1, "9998-01-01 is in the future"),
        (["a-ffffffffff", "--on", "2025-03-06"], 1, "no agreement has the id a-ffffffffff"),
        (["Bay"], 2, "give the day with --on"),
        (["Lake"], 2, "give the day with --on"),
        (["a-ffffffffff"], 1, "no agreement has the id a-ffffffffff"),
        (["--absent", "Lee"], 1, "participating lists have had the name, or one that may mean the same"),
        (["--on", "2025-03-06"], 2, "give an agreement or agency, or --absent"),
        (["Bay", "--absent", "Bay", "--on", "2025-03-06"], 2, "give an agreement or agency, or --absent"),
        (["''", "--on", "2025-03-06"], 2, "give the name of an agency"),
    ],
)
def test_what_cannot_be_said_is_one_sentence(database: Path, arguments: list[str], code: int, sentence: str) -> None:
    result = story.run(database, "cite", *arguments)
    assert getattr(result.exception, "code", None) == code
    assert sentence in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_history_without_lists_says_what_to_run(tmp_path: Path) -> None:
    with History(tmp_path):
        pass
    result = story.run(tmp_path / "history.db", "cite", "Bay", "--on", "2025-03-06")
    assert "run `watch287g check`" in str(result.exception)


@pytest.mark.parametrize("command", [("list",), ("stats",), ("cite", "Bay", "--on", "2025-03-06")])
def test_where_the_only_list_is_held_it_is_said_to_be(tmp_path: Path, command: tuple[str, ...]) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, []))
        assert history.verdicts() == ["held"]
    result = story.run(tmp_path / "history.db", *command)
    assert result.exit_code == 1
    assert "one is held, and waits for a decision: see `watch287g held list`" in str(result.exception)


@pytest.mark.parametrize(
    ("arguments", "says", "headline"),
    [
        (["Bay"], "last known listed", "LAST KNOWN: LISTED"),
        (["--absent", "Polk County Police"], "last known not listed", "LAST KNOWN: NOT LISTED"),
        (["Lake", "--state", "FL"], "last known listed", "LAST KNOWN: LISTED"),
    ],
)
def test_what_no_list_was_seen_for_is_not_known_and_the_last_known_is_told(
    database: Path, tmp_path: Path, arguments: list[str], says: str, headline: str
) -> None:
    asked = ("cite", *arguments, "--on", "2025-04-09")
    result = story.run(database, *asked)
    assert result.exit_code == 1
    assert result.output.startswith(
        f"{headline}  What ICE's participating list said on 2025-04-09 is not known: none has been seen since"
        " 2025-03-09, 31 days before. The last one known, that of 2025-03-09 ("
    )
    assert "The last list known\n2025-03-09" in result.output
    assert "The list in force that day" not in result.output
    assert "No later list has been seen; a participating list was last seen at 2025-03-09T14:00:00Z" in result.output
    document = story.run(database, *asked, "--format", "json")
    assert document.exit_code == 1
    assert json.loads(document.stdout)["says"] == says
    assert "is not known" in story.run(database, *asked, "--format", "bibtex").output
    result = _folder(database, tmp_path / "one", *asked[1:])
    assert result.exit_code == 1
    assert (tmp_path / "one" / "README.txt").read_text(encoding="utf-8").startswith(f"EVIDENCE: {headline}\n")


@pytest.mark.parametrize("arguments", [["--absent", "Polk County Police"], ["Polk County Police"]])
def test_without_a_day_a_name_is_searched_for_in_all_lists(
    database: Path, tmp_path: Path, arguments: list[str]
) -> None:
    result = _folder(database, tmp_path / "never", *arguments, "--state", "FL")
    assert result.exit_code == 0
    assert result.stdout.startswith(
        "NEVER LISTED  No participating list that this history has names any agency Polk County Police (FL). None of"
        " the 4 participating lists from 2025-03-03 to 2025-03-09 has it."
    )
    assert "Polk County Sheriff's Office (FL), listed 2025-03-05 to 2025-03-09" in result.stdout
    folder = tmp_path / "never"
    assert {path.name for path in folder.iterdir()} == {
        *("README.txt", "SHA256SUMS", "citation.txt", "citation.json", "citation.bib", "lists.csv"),
        "participatingAgencies03092025am.xlsx",
    }
    with (folder / "lists.csv").open(encoding="utf-8", newline="") as file:
        lists = list(csv.DictReader(file))
    assert [one["published_on"] for one in lists] == ["2025-03-03", "2025-03-05", "2025-03-07", "2025-03-09"]
    workbook = (folder / "participatingAgencies03092025am.xlsx").read_bytes()
    assert lists[-1]["workbook_sha256"] == hashlib.sha256(workbook).hexdigest()
    for one in lists:
        assert (database.parent / "archive" / one["archived_as"]).is_file()
    note = " ".join((folder / "README.txt").read_text(encoding="utf-8").split())
    assert note.startswith("EVIDENCE: NEVER LISTED")
    assert "lists.csv names all 4" in note
    assert "None of the 4 participating lists from 2025-03-03 to 2025-03-09 has it." in note
    document = json.loads((folder / "citation.json").read_text(encoding="utf-8"))
    assert document["says"] == "never listed"
    assert document["searched"] == {"lists": 4, "first": "2025-03-03", "last": "2025-03-09"}
    assert len(document["lists"]) == 4


def test_help_says_when_a_day_is_required_and_what_last_known_is(database: Path) -> None:
    told = " ".join(story.run(database, "cite", "--help").output.split())
    assert "Required, but for a name that no list has ever had." in told
    assert '"last known: listed" or "last known: not listed"' in told


def test_a_list_that_was_held_that_day_is_mentioned(tmp_path: Path) -> None:
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows(*COUNTIES[:40])), Posted("participating", 2, rows(*COUNTIES[:15])))
    told = story.run(tmp_path / "history.db", "cite", "Bay", "--on", "2025-03-06").output
    assert (
        "Posted by that day, and not taken for the list in force\n2025-03-05  participatingAgencies03052025am" in told
    )
    assert "held: " in told


def test_a_workbook_named_like_the_other_list_is_explained(tmp_path: Path) -> None:
    """On 22 September 2025 the two lists were swapped."""
    with History(tmp_path) as history:
        history.post(Posted("participating", 0, rows("Bay", "Lee"), "pendingAgencies03032025pm.xlsx"))
    told = story.run(tmp_path / "history.db", "cite", "Bay", "--on", "2025-03-04").output
    assert "the participating list by its columns: pendingAgencies03032025pm.xlsx." in told


def test_the_address_at_which_it_was_seen_is_cited(tmp_path: Path) -> None:
    posted = Posted("participating", 0, rows("Bay", "Lee"))
    with History(tmp_path) as history:
        history.archive.put(posted.data)
        sha256 = hashlib.sha256(posted.data).hexdigest()
        write.add_workbook(history.connection, sha256, len(posted.data), posted.seen_at)
        write.add_sighting(history.connection, Sighting(sha256, posted.file_name, posted.seen_at, URL))
        history.historian().derive()
    database = tmp_path / "history.db"
    assert (
        f"fetched from {URL} at 2025-03-03T14:00:00Z" in story.run(database, "cite", "Bay", "--on", "2025-03-03").output
    )
    entry = story.run(database, "cite", "Bay", "--on", "2025-03-03", "--format", "bibtex").output
    assert f"url = {{{URL}}}," in entry
    assert "urldate = {2025-03-03}," in entry


def test_the_same_history_gives_the_same_bytes(database: Path) -> None:
    for form in ("text", "json", "bibtex"):
        once, again = (
            story.run(database, "cite", _id(database, "Leon"), "--on", "2025-03-08", "--format", form).output
            for _ in range(2)
        )
        assert once == again


# The folder


def _folder(database: Path, folder: Path, *arguments: str) -> Result:
    return story.run(database, "cite", *arguments, "--folder", str(folder))


def _checked(folder: Path) -> list[str]:
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_the_folder_of_an_agency_has_one_for_each_agreement(database: Path, tmp_path: Path) -> None:
    assert _folder(database, tmp_path / "lake", "Lake", "--on", "2025-03-06").exit_code == 0
    folders = sorted(path for path in (tmp_path / "lake").iterdir() if path.is_dir())
    assert len(folders) == 2
    note = (tmp_path / "lake" / "README.txt").read_text(encoding="utf-8")
    assert note.startswith("EVIDENCE: LISTED\n")
    for folder in folders:
        assert folder.name in note
        _checked(folder)
    _checked(tmp_path / "lake")


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs sha256sum")
def test_a_third_person_can_follow_the_note(database: Path, tmp_path: Path) -> None:
    bay = _id(database, "Bay")
    result = _folder(database, tmp_path / "evidence", bay, "--on", "2025-03-06")
    assert result.exit_code == 0, result.exception
    folder = tmp_path / "evidence"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        *("README.txt", "SHA256SUMS", "citation.txt", "citation.json", "citation.bib"),
        *(f"participatingAgencies{day}am.xlsx" for day in ("03032025", "03052025", "03072025")),
    }
    assert len(_checked(folder)) == len(names) - 1
    note = (folder / "README.txt").read_text(encoding="utf-8")
    assert note.startswith("EVIDENCE: LISTED\n")
    sheet = openpyxl.load_workbook(folder / "participatingAgencies03052025am.xlsx")["Sheet1"]
    assert "Open sheet 'Sheet1'; the names of the columns are in row 1." in note
    assert f"B40    LAW ENFORCEMENT AGENCY  {sheet['B40'].value!r}" in note
    assert str(sheet["F40"].value).startswith("2025-02-25")
    assert "F40    SIGNED                  '2025-02-25'" in note
    assert "F36    SIGNED                  '2025-02-26'" in note
    document = json.loads((folder / "citation.json").read_text(encoding="utf-8"))
    workbook = folder / document["publications"]["of_the_day"]["workbook_name"]
    digest = hashlib.sha256(workbook.read_bytes()).hexdigest()
    assert digest == document["publications"]["of_the_day"]["workbook_sha256"]
    assert not list(tmp_path.glob(".*"))


def test_the_folder_of_an_absence_says_how_to_search(database: Path, tmp_path: Path) -> None:
    lee = _id(database, "Lee", "--as-of", "2025-03-05")
    assert _folder(database, tmp_path / "one", lee, "--on", "2025-03-09").exit_code == 0
    note = " ".join((tmp_path / "one" / "README.txt").read_text(encoding="utf-8").split())
    assert note.startswith("EVIDENCE: NOT LISTED")
    assert "no row for it among the 39 of the list" in note
    assert "Sort or search column B for each word of the name" in note
    assert "The last list before that day that has it." in note
    assert (tmp_path / "one" / "participatingAgencies03052025am.xlsx").exists()
    assert _folder(database, tmp_path / "two", "Polk County Police", "--on", "2025-03-09").exit_code == 0
    note = " ".join((tmp_path / "two" / "README.txt").read_text(encoding="utf-8").split())
    assert "No row names the agency at all." in note
    assert "the list has rows 2 to 40, 39 in all" in note


def test_rows_that_a_filter_hides_are_said_to_be_hidden(tmp_path: Path) -> None:
    data = workbooks.participating(
        rows("Bay", "Lee", "Levy"), hidden_rows=(3,), filter_column=4, modified=datetime(2025, 3, 3, 12, tzinfo=UTC)
    )
    (tmp_path / "came").mkdir()
    (tmp_path / "came" / "participatingAgencies03032025am.xlsx").write_bytes(data)
    with History(tmp_path) as history:
        history.backfill(tmp_path / "came")
    database = tmp_path / "history.db"
    assert _folder(database, tmp_path / "one", "Lee", "--on", "2025-03-03").exit_code == 0
    note = (tmp_path / "one" / "README.txt").read_text(encoding="utf-8")
    assert "Row 3 (hidden by a filter of ICE's: clear the filters of the sheet to see it) says:" in note
    assert _folder(database, tmp_path / "two", "Orange", "--on", "2025-03-03").exit_code == 0
    note = " ".join((tmp_path / "two" / "README.txt").read_text(encoding="utf-8").split())
    assert "Clear all filters first: they hide 1 row of data." in note


def test_a_row_hidden_by_hand_is_named_where_absence_is_shown(tmp_path: Path) -> None:
    data = workbooks.pending(
        [sheriff("Bay"), sheriff("Lee"), sheriff("Levy")],
        hidden_rows=(3,),
        modified=datetime(2025, 3, 3, 12, tzinfo=UTC),
    )
    (tmp_path / "came").mkdir()
    (tmp_path / "came" / "pendingAgencies03032025am.xlsx").write_bytes(data)
    with History(tmp_path) as history:
        history.backfill(tmp_path / "came")
    told = story.run(
        tmp_path / "history.db", "cite", "--absent", "Lee", "--list", "pending", "--on", "2025-03-03"
    ).output
    assert 'were not searched: 3 (left out, hidden by hand: "Lee County Sheriff\'s Office")' in told


def test_two_workbooks_of_one_name_lie_side_by_side(tmp_path: Path) -> None:
    name = "participatingAgencies.xlsx"
    with History(tmp_path) as history:
        history.post(
            Posted("participating", 0, rows("Bay", "Lee"), name),
            Posted("participating", 2, rows("Bay", "Lee", "Levy"), name),
        )
    assert _folder(tmp_path / "history.db", tmp_path / "one", "Levy", "--on", "2025-03-04").exit_code == 0
    found = sorted(path.name for path in (tmp_path / "one").glob("*.xlsx"))
    assert len(found) == 2
    for path in found:
        digest = hashlib.sha256((tmp_path / "one" / path).read_bytes()).hexdigest()
        assert path == f"participatingAgencies-{digest[:12]}.xlsx"


def test_a_folder_that_is_there_is_left_alone(database: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    for name in ("full", "file"):
        result = _folder(database, tmp_path / name, "Bay", "--on", "2025-03-06")
        assert result.exit_code == 1
        assert "is there already, and stays as it is" in str(result.exception)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]
    (tmp_path / "empty").mkdir()
    assert _folder(database, tmp_path / "empty", "Bay", "--on", "2025-03-06").exit_code == 0
    assert "there is no folder" in str(_folder(database, tmp_path / "a" / "b", "Bay", "--on", "2025-03-06").exception)


@pytest.mark.parametrize("damage", ["missing", "other bytes"])
def test_a_workbook_that_the_archive_has_lost_stops_it_and_leaves_nothing(tmp_path: Path, damage: str) -> None:
    database = story.write(tmp_path)
    document = _document(story.run(database, "cite", "Bay", "--on", "2025-03-06", "--format", "json"))
    sha256 = document["publications"]["before"]["workbook_sha256"]
    path = tmp_path / "archive" / sha256[:2] / f"{sha256}.xlsx"
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + b"\0")
    result = _folder(database, tmp_path / "evidence", "Bay", "--on", "2025-03-06")
    assert result.exit_code == 1
    assert ("the archive lacks" if damage == "missing" else "is damaged") in str(result.exception)
    assert not (tmp_path / "evidence").exists()
    assert not list(tmp_path.glob(".evidence*"))


def test_a_folder_that_cannot_be_finished_is_not_begun(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, at the last file."""
    real = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "SHA256SUMS":
            raise OSError(28, "No space left on device")
        return real(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    result = _folder(database, tmp_path / "evidence", "Bay", "--on", "2025-03-06")
    assert "cannot be written: No space left on device" in str(result.exception)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd.xlsx"),
        ("a\nb\x1b[2J.xlsx", "a_b__2J.xlsx"),
        ("participatingAgencies06112025pm copy.xlsx", "participatingAgencies06112025pm copy.xlsx"),
        ("con.xlsx", "_con.xlsx"),
        (".XLSX", "workbook.xlsx"),
        ("", "workbook.xlsx"),
        ("ü" * 300, "_" * 100 + ".xlsx"),
        ("-rf.xlsx", "rf.xlsx"),
    ],
)
def test_a_hostile_file_name_is_harmless(name: str, safe: str) -> None:
    assert evidence.file_names([("ab" * 32, name)]) == {"ab" * 32: safe}


def test_names_that_differ_in_case_or_are_ours_are_told_apart() -> None:
    found = evidence.file_names([("aa" * 32, "List.xlsx"), ("bb" * 32, "list.XLSX"), ("cc" * 32, "other.xlsx")])
    assert list(found.values()) == [f"List-{'a' * 12}.xlsx", f"list-{'b' * 12}.xlsx", "other.xlsx"]
