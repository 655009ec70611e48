"""A folder that somebody else has kept -> the history: what is taken in, what is refused, and the real archive."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline.backfill import BackfillError, Taken
from tests.archive import ARCHIVE, needs_archive
from tests.db.histories import COUNTIES, NOW, History, Posted, in_one_go, rows, sheriff, story, write_folder

FORTY = rows(*COUNTIES[:40])
FIRST = Posted("participating", 0, FORTY)
SECOND = Posted("participating", 1, [*FORTY, sheriff("Polk")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "folder"


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path) as opened:
        yield opened


def manifest(folder: Path, *lines: str, header: str = "path,file_name,seen_at") -> Path:
    """A folder with two lists, a.xlsx and b.xlsx, and this manifest."""
    folder.mkdir()
    (folder / "a.xlsx").write_bytes(FIRST.data)
    (folder / "b.xlsx").write_bytes(SECOND.data)
    (folder / "manifest.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")
    return folder


GOOD = "a.xlsx,participatingAgencies03032025am.xlsx,2025-03-03T14:00:00Z"


# Taking in


def test_the_same_folder_again_adds_nothing(history: History, folder: Path) -> None:
    write_folder(folder, story())
    history.backfill(folder)
    before, sightings = history.snapshot(), len(history.sightings())

    assert history.take_in(folder).sightings == 0
    derived = history.backfill(folder)

    assert derived.steps == ()
    assert not derived.anew
    assert history.snapshot() == before
    assert len(history.sightings()) == sightings == len(story())


def test_overlapping_folders_are_the_union_of_them(history: History, tmp_path: Path) -> None:
    history.backfill(write_folder(tmp_path / "one", story()[:9]))
    history.backfill(write_folder(tmp_path / "two", story()[5:]))

    assert history.snapshot() == in_one_go(tmp_path / "whole", story())


def test_every_line_of_a_manifest_is_a_sighting_and_a_file_may_have_several(history: History, folder: Path) -> None:
    taken = history.take_in(
        manifest(folder, GOOD, GOOD.replace("03T14", "04T14"), GOOD.replace("a.xlsx,", "./a.xlsx,"))
    )

    assert taken == Taken(files=1, sightings=2)


def test_one_name_with_two_contents_is_two_publications(history: History, folder: Path) -> None:
    """ICE overwrote `participatingAgencies.xlsx` in place in February 2025."""
    lines = (
        "a.xlsx,participatingAgencies.xlsx,2025-03-03T14:00Z",
        "b.xlsx,participatingAgencies.xlsx,2025-03-04T14:00Z",
    )
    history.backfill(manifest(folder, *lines))

    assert history.verdicts() == ["accepted", "accepted"]
    assert history.events() == ["new Polk"]


def test_two_names_with_one_content_are_one_publication(history: History, folder: Path) -> None:
    history.backfill(manifest(folder, GOOD, GOOD.replace("03032025am", "03042025am").replace("03T14", "04T14")))

    assert history.verdicts() == ["accepted"]
    assert len(history.sightings()) == 2


def test_times_in_a_manifest_may_have_any_offset_or_none(history: History, folder: Path) -> None:
    lines = ("a.xlsx,a.xlsx,2025-03-03T09:00:00-05:00", "b.xlsx,b.xlsx,2025-03-03 15:00")
    history.take_in(manifest(folder, *lines))

    assert [row["seen_at"] for row in history.sightings()] == ["2025-03-03T14:00:00Z", "2025-03-03T15:00:00Z"]


def test_a_name_from_a_manifest_is_a_name_and_no_path(history: History, folder: Path) -> None:
    history.take_in(manifest(folder, "a.xlsx,../../etc/" + "x" * 300 + ".xlsx,2025-03-03T14:00Z"))

    assert [row["file_name"] for row in history.sightings()] == ["x" * 200]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["missing.xlsx,a.xlsx,2025-03-03T14:00Z"], r"missing\.xlsx: No such file or directory$"),
        (["../outside.xlsx,a.xlsx,2025-03-03T14:00Z"], r"line 3: \.\./outside\.xlsx is outside the folder$"),
        (["/etc/passwd,a.xlsx,2025-03-03T14:00Z"], r"line 3: /etc/passwd is outside the folder$"),
        (["b.xlsx,b.xlsx,yesterday"], r"line 3: 'yesterday' is no ISO 8601 time$"),
        (["b.xlsx,b.xlsx,"], r"line 3: '' is no ISO 8601 time$"),
        (["b.xlsx,b.xlsx,2025-02-30T00:00Z"], r"line 3: '2025-02-30T00:00Z' is no ISO 8601 time$"),
        ([".,b.xlsx,2025-03-03T14:00Z"], r": Is a directory$"),
    ],
)
def test_a_wrong_line_is_one_sentence_and_nothing_of_the_folder_is_noted(
    history: History, folder: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(BackfillError, match=message):
        history.take_in(manifest(folder, GOOD, *lines))
    assert history.sightings() == []
    assert history.connection.execute("select count(*) from workbook").fetchone()[0] == 0
    assert not history.connection.in_transaction


def test_a_link_that_leads_out_of_the_folder_is_refused(history: History, folder: Path) -> None:
    manifest(folder, "c.xlsx,c.xlsx,2025-03-03T14:00Z")
    (folder / "c.xlsx").symlink_to("/etc/passwd")

    with pytest.raises(BackfillError, match=r"c\.xlsx is outside the folder"):
        history.take_in(folder)


def test_a_file_that_is_not_the_one_it_should_be_is_refused_with_the_whole_folder(
    history: History, folder: Path
) -> None:
    good = hashlib.sha256(FIRST.data).hexdigest()
    lines = (f"{GOOD},{good}", f"b.xlsx,b.xlsx,2025-03-04T14:00Z,{good}")
    manifest(folder, *lines, header="path,file_name,seen_at,sha256")

    with pytest.raises(BackfillError, match=r"b\.xlsx is not the file that manifest\.csv names: its SHA-256 is "):
        history.take_in(folder)
    assert history.sightings() == []
    assert history.connection.execute("select count(*) from workbook").fetchone()[0] == 0


def test_a_manifest_without_a_column_names_the_column(history: History, folder: Path) -> None:
    with pytest.raises(BackfillError, match=r"manifest\.csv has no column seen_at$"):
        history.take_in(manifest(folder, "a.xlsx,a.xlsx", header="path,file_name"))


def test_an_empty_folder_or_none_is_one_sentence(history: History, folder: Path) -> None:
    with pytest.raises(BackfillError, match=r"is no folder$"):
        history.take_in(folder)
    folder.mkdir()
    with pytest.raises(BackfillError, match=r"holds no \.xlsx file and no manifest\.csv$"):
        history.take_in(folder)
    (folder / "manifest.csv").write_text("path,file_name,seen_at\n")
    with pytest.raises(BackfillError, match=r"holds no \.xlsx file and no manifest\.csv$"):
        history.take_in(folder)


def test_a_file_too_large_for_a_workbook_is_not_even_read(history: History, folder: Path) -> None:
    manifest(folder, "c.xlsx,c.xlsx,2025-03-03T14:00Z")
    with (folder / "c.xlsx").open("wb") as file:
        file.truncate(1_000_000_000)

    with pytest.raises(BackfillError, match=r"c\.xlsx is larger than a workbook of ICE's can be"):
        history.take_in(folder)


def test_a_folder_without_a_manifest_is_dated_by_names_and_properties(history: History, folder: Path) -> None:
    posted = [
        FIRST,
        Posted("participating", 1, [*FORTY, sheriff("Polk")], hour=3),
        Posted("participating", 2, [*FORTY, sheriff("Polk"), sheriff("Pasco")], name="participatingAgencies2.xlsx"),
        Posted("participating", 3, FORTY, name="participatingAgencies01062025am.xlsx"),  # another month: not believed
    ]
    history.backfill(write_folder(folder, posted, manifest=False))

    assert history.table("publication_log", "published_on, dated_by, first_seen_at") == [
        ("2025-03-03", "file_name", "2025-03-03T12:00:00Z"),
        ("2025-03-04", "file_name", "2025-03-04T16:00:00Z"),
        ("2025-03-05", "workbook", "2025-03-05T12:00:00Z"),
        ("2025-03-06", "workbook", "2025-03-06T12:00:00Z"),
    ]
    assert history.events()[:2] == ["new Polk", "new Pasco"]


def test_folders_below_are_searched_and_other_files_are_not_taken_for_workbooks(history: History, folder: Path) -> None:
    write_folder(folder / "2025" / "march", [FIRST], manifest=False)
    (folder / "notes.txt").write_text("kept by hand")
    (folder / "2025" / "ABOUT.XLSX").write_bytes(SECOND.data)

    assert history.take_in(folder) == Taken(files=2, sightings=2)


def test_two_files_of_one_name_in_two_folders_are_both_taken(history: History, folder: Path) -> None:
    write_folder(folder / "one", [FIRST], manifest=False)
    other = Posted(
        "participating", 0, [*FORTY, sheriff("Polk")], name=FIRST.file_name, modified=NOW - timedelta(days=300)
    )
    write_folder(folder / "two", [other], manifest=False)
    history.backfill(folder)

    assert len(history.sightings()) == 2
    assert history.events() == ["new Polk"]


def test_a_workbook_dated_after_today_is_seen_today(history: History, folder: Path) -> None:
    """A wrong clock at ICE must not put a list behind all that will ever come."""
    future = Posted("participating", 0, FORTY, name="participatingAgencies.xlsx", modified=NOW + timedelta(days=4000))
    history.take_in(write_folder(folder, [future], manifest=False))

    assert [row["seen_at"] for row in history.sightings()] == ["2025-12-31T12:00:00Z"]


def test_a_file_that_cannot_be_read_is_left_out_and_kept(history: History, folder: Path) -> None:
    manifest(folder, GOOD, "c.xlsx,c.xlsx,2025-03-04T14:00Z", "b.xlsx,b.xlsx,2025-03-05T14:00Z")
    (folder / "c.xlsx").write_text("<html>Access Denied</html>")
    history.backfill(folder)
    unreadable = history.connection.execute(
        "select sha256, message from workbook where unreadable is not null"
    ).fetchall()

    assert history.verdicts() == ["accepted", "accepted"]
    assert history.events() == ["new Polk"]
    assert [row["sha256"] for row in unreadable] == [hashlib.sha256(b"<html>Access Denied</html>").hexdigest()]
    assert unreadable[0]["message"]
    assert unreadable[0]["sha256"] in history.archive
    assert history.backfill(folder).steps == ()


def test_a_folder_of_unreadable_files_makes_no_history(history: History, folder: Path) -> None:
    folder.mkdir()
    for number in range(3):
        (folder / f"participatingAgencies030{number + 1}2025am.xlsx").write_bytes(b"PK\x03\x04" + bytes([number]))
    derived = history.backfill(folder)

    assert derived.steps == ()
    assert history.verdicts() == []
    assert history.rebuild().steps == ()


# The real archive, once


TOOLS = ARCHIVE.parent / "tools"
LABELS = ARCHIVE.parent / "labels" / "participating.csv"

real = needs_archive


def event_log(folder: Path) -> str:
    """The event log as a text, byte for byte, in the order in which it was told."""
    with History(folder) as history:
        columns = [row[1] for row in history.connection.execute("pragma table_info(event_log)") if row[1] != "sequence"]
        query = f"select {', '.join(columns)} from event_log order by sequence"  # noqa: S608
        found = history.connection.execute(query)
        return "\n".join(repr(tuple(row)) for row in found)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the history of the real archive, made in one go; once for all processes of the test run."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "whole"
    with FileLock(shared / "whole.lock"):
        if not folder.exists():
            folder.mkdir()
            with History(folder) as history:
                history.backfill(ARCHIVE)
    return folder


@pytest.fixture(scope="session")
def score(whole: Path) -> dict[str, float]:
    """What the scoring program says of it."""
    done = subprocess.run(
        [sys.executable, str(TOOLS / "score.py"), str(whole / "history.db"), str(LABELS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


class TestTheRealArchive:
    """Whole, and from what two other projects have kept of 2025. Shares one backfill."""

    pytestmark = real

    @pytest.mark.parametrize(
        ("figure", "least"),
        [
            ("termination precision", 0.97),
            ("termination recall", 1.0),
            ("start precision", 0.99),
            ("start recall", 0.995),
            ("continuations kept", 0.98),
        ],
    )
    def test_the_history_agrees_with_labels_made_by_hand(
        self, score: dict[str, float], figure: str, least: float
    ) -> None:
        assert score[figure] >= least

    def test_nothing_of_the_archive_is_unreadable(self, whole: Path) -> None:
        with History(whole) as history:
            why_not = history.connection.execute("select message from workbook where unreadable is not null").fetchall()
            assert why_not == []
            assert len(history.sightings()) == 539

    def test_a_list_posted_again_makes_no_participating_event(self, whole: Path) -> None:
        """53 contents came under several names, one six weeks late: 140 agreements would have vanished for a week."""
        with History(whole) as history:
            told_again = history.connection.execute(
                "select e.public_id from event e join publication p on p.id = e.publication_id"
                " join publication earlier on earlier.workbook_id = p.workbook_id and earlier.id < p.id"
                " where e.list = 'participating' and earlier.verdict = 'accepted'"
            ).fetchall()
            stale = history.connection.execute(
                "select p.verdict, (select count(*) from event e where e.publication_id = p.id) as events"
                " from sighting s join publication p on p.id = s.publication_id"
                " where s.file_name = 'participatingAgencies04212025am.xlsx'"
            ).fetchall()

            assert told_again == []
            assert [tuple(row) for row in stale] == [("rejected", 0)]

    def test_the_pair_that_was_swapped_changes_only_what_changed(self, whole: Path) -> None:
        """On 22 September 2025 each list was posted under the other's name."""
        with History(whole) as history:
            pair = history.connection.execute(
                "select s.file_name, w.list, p.verdict from sighting s join workbook w on w.id = s.workbook_id"
                " join publication p on p.id = s.publication_id where s.file_name like '%Agencies09222025pm.xlsx'"
            ).fetchall()
            told = history.connection.execute(
                "select kind, agency from event_log where list = 'participating' and workbook_name like '%09222025pm%'"
            ).fetchall()

            assert sorted(tuple(row) for row in pair) == [
                ("participatingAgencies09222025pm.xlsx", "pending", "accepted"),
                ("pendingAgencies09222025pm.xlsx", "participating", "accepted"),
            ]
            assert [tuple(row) for row in told] == []

    def test_whoever_was_pending_is_said_to_have_been(self, whole: Path) -> None:
        """Of the agency-and-model pairs first listed after 1 April 2025, those pending before by the same name."""
        with History(whole) as history:
            known = history.connection.execute(
                "select p.state, lower(p.agency), p.support_model, min(f.published_on) from version p"
                " join agreement a on a.id = p.agreement_id join publication f on f.id = p.from_publication_id"
                " where a.list = 'pending' group by 1, 2, 3"
            ).fetchall()
            since = {tuple(row)[:3]: row[3] for row in known}
            begun: dict[tuple[str, str, str], tuple[str, str | None]] = {}
            for row in history.connection.execute(
                "select state, lower(agency), support_model, published_on, pending_since from event_log"
                " where list = 'participating' and kind = 'new' order by sequence"
            ):
                begun.setdefault(tuple(row)[:3], (row[3], row[4]))
            asked = {
                pair: said
                for pair, (on, said) in begun.items()
                if on > "2025-04-01" and pair in since and since[pair] < on
            }

            assert len(asked) > 500
            assert sum(said is not None for said in asked.values()) >= 0.95 * len(asked)

    def test_the_database_is_small_and_whole(self, whole: Path) -> None:
        with History(whole) as history:
            history.connection.execute("pragma wal_checkpoint(truncate)")

            assert (whole / "history.db").stat().st_size <= 12_000_000
            assert history.connection.execute("pragma integrity_check").fetchone()[0] == "ok"
            assert history.connection.execute("pragma foreign_key_check").fetchall() == []
            hashes = [row[0] for row in history.connection.execute("select sha256 from workbook")]
            assert len(hashes) == 384
            assert [why for _, why in history.archive.verify(hashes) if why] == []

    def test_dates_of_publication_never_run_backwards(self, whole: Path) -> None:
        """A version that ends before it begins would vanish from `list --as-of`."""
        with History(whole) as history:
            backwards = history.connection.execute(
                "select * from listing_history where valid_to < valid_from"
            ).fetchall()

            assert backwards == []

    def test_a_rebuild_says_the_same_byte_for_byte(self, whole: Path, tmp_path: Path) -> None:
        shutil.copytree(whole, tmp_path / "again")
        before = event_log(tmp_path / "again")
        with History(tmp_path / "again") as history:
            snapshot = history.snapshot()
            history.rebuild()

            assert history.snapshot() == snapshot
        assert event_log(tmp_path / "again") == before

    def test_two_halves_say_the_same_byte_for_byte(self, whole: Path, tmp_path: Path) -> None:
        lines = (ARCHIVE / "manifest.csv").read_text(encoding="utf-8").splitlines()
        cut = len(lines) // 2
        with History(tmp_path) as history:
            for name, part in (("old", lines[1:cut]), ("new", lines[cut:])):
                folder = tmp_path / name
                (folder / "workbooks").mkdir(parents=True)
                for path in {line.partition(",")[0] for line in part}:
                    shutil.copyfile(ARCHIVE / path, folder / path)
                (folder / "manifest.csv").write_text("\n".join([lines[0], *part, ""]), encoding="utf-8")
                history.backfill(folder)
        assert event_log(tmp_path) == event_log(whole)
