"""`check`, `status` and `held` as an operator or a cron job meets them: words, and exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.cli import entry
from pipeline.demo.server import Answer, Site
from tests.db.histories import COUNTIES, Posted, rows, sheriff
from tests.pipeline.demo.watched import PAGE, Watched, cleared, local_site, post, write_config

ROOT = Path(__file__).parents[3]
SHERIFFS = rows(*COUNTIES[:40])
FIRST = Posted("participating", 0, SHERIFFS)
SECOND = Posted("participating", 1, [*SHERIFFS[1:], sheriff("Polk")])
HALF = Posted("participating", 2, SHERIFFS[:20])
BLOCKED = Answer(403, body=b"<html><title>Access Denied</title></html>")

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    with local_site() as site:
        yield site


@pytest.fixture(scope="module")
def baseline(running: Site, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a history that knows the first list."""
    folder = tmp_path_factory.mktemp("baseline")
    post(running, FIRST)
    with Watched(folder, running) as history:
        history.check()
    return folder


@pytest.fixture(scope="module")
def waiting(running: Site, baseline: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a history in which a list is held that lost its half."""
    folder = shutil.copytree(baseline, tmp_path_factory.mktemp("waiting") / "history")
    post(cleared(running), HALF)
    with Watched(folder, running) as history:
        history.check()
    return folder


@pytest.fixture
def site(running: Site) -> Site:
    """The site with the first list."""
    post(cleared(running), FIRST)
    return running


@pytest.fixture
def watch287g(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The console script, in the folder of a history: exit code, standard output, standard error."""

    def command(folder: Path, *arguments: str) -> tuple[int, str, str]:
        if not (tmp_path / "history").exists():
            shutil.copytree(folder, tmp_path / "history")
        monkeypatch.chdir(tmp_path / "history")
        monkeypatch.setattr(sys, "argv", ["watch287g", *arguments])
        with pytest.raises(SystemExit) as left:
            sys.exit(entry.main())
        return int(left.value.code or 0), *capsys.readouterr()

    return command


@pytest.fixture
def nothing(site: Site, tmp_path: Path) -> Path:
    """A folder with a config file and no history."""
    (tmp_path / "nothing").mkdir()
    write_config(tmp_path / "nothing", site)
    return tmp_path / "nothing"


def test_the_first_check_is_no_alarm(watch287g: Command, nothing: Path) -> None:
    code, out, err = watch287g(nothing, "check")

    assert (code, err) == (0, "")
    assert out.startswith("first: baseline: participating list participatingAgencies03032025am.xlsx: 40 rows, no event")


@pytest.mark.usefixtures("site")
def test_unchanged_is_one_line_and_code_0(watch287g: Command, baseline: Path) -> None:
    assert watch287g(baseline, "check") == (0, "unchanged: nothing has changed\n", "")


def test_changed_tells_the_events_and_is_code_3(site: Site, watch287g: Command, baseline: Path) -> None:
    post(site, SECOND)

    code, out, err = watch287g(baseline, "check")

    assert (code, err) == (3, "")
    assert "TERMINATED  Alachua County Sheriff's Office (FL), Task Force Model, signed 2025-02-26" in out
    assert "NEW         Polk County Sheriff's Office (FL), Task Force Model, signed 2025-02-26" in out
    assert out.splitlines()[-1].startswith("changed: participating list")


def test_held_says_how_to_decide_and_is_code_4(site: Site, watch287g: Command, baseline: Path) -> None:
    post(site, HALF)

    code, out, err = watch287g(baseline, "check")

    assert (code, err) == (4, "")
    assert "20 of 40 would vanish" in out
    assert "watch287g held release" in out


def test_failed_is_one_line_and_code_1_until_it_has_recovered(site: Site, watch287g: Command, baseline: Path) -> None:
    page, site.pages[PAGE] = site.pages[PAGE], BLOCKED
    for word in ("failed", "failed-again"):
        code, out, err = watch287g(baseline, "check")
        assert (code, err) == (1, "")
        assert out == f"{word}: the page {site.url}{PAGE}: 403 Forbidden: the server refuses this agent or address\n"
    site.pages[PAGE] = page

    assert watch287g(baseline, "check") == (0, "recovered: nothing has changed\n", "")


def test_a_mistake_in_the_config_file_is_one_sentence(watch287g: Command, nothing: Path, tmp_path: Path) -> None:
    (nothing / "config.yaml").write_text("source: {page: ice.gov}\n", encoding="utf-8")

    assert watch287g(nothing, "check") == (
        2,
        "",
        "watch287g: config.yaml: source.page: must be an http or https address\n",
    )
    assert sorted(path.name for path in (tmp_path / "history").iterdir()) == ["config.yaml"]


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("corrections.yaml", "corrections: [{action: fix, why: because}]", "entry 1 (because): `fix` needs `after`"),
        ("corrections.yaml", "corrections: [{action: ignore, until: 2025-13-01}]", "line 1: there is no date 2025-13"),
        ("config.yaml", "storage: {database: history.db}\nchecks: {vanish_share: 9}\n", "must be at most 1, not 9"),
    ],
    ids=["an entry", "a date", "a setting"],
)
def test_a_mistake_is_found_before_ice_is_asked_and_recorded_as_a_failure(
    site: Site, watch287g: Command, baseline: Path, tmp_path: Path, file: str, text: str, says: str
) -> None:
    assert watch287g(baseline, "check")[0] == 0
    here = tmp_path / "history" / file
    before = here.read_text(encoding="utf-8") if here.exists() else ""
    here.write_text(text, encoding="utf-8")
    site.requests.clear()
    for _ in range(2):
        code, out, err = watch287g(baseline, "check")
        assert (code, out) == (2, "")
        assert says in err
        assert err.count("\n") == 1
    assert site.requests == []
    here.write_text(before, encoding="utf-8")

    assert watch287g(baseline, "status")[1].startswith("last check     failed-again at 20")
    assert watch287g(baseline, "check")[1] == "recovered: nothing has changed\n"
    with Watched(tmp_path / "history", site) as history:
        recorded = history.rows("check_log", "outcome, message")[-3:]
    assert [outcome for outcome, _ in recorded] == ["failed", "failed-again", "recovered"]
    assert says in recorded[0][1]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("corrections", [None, ""])
def test_an_unchanged_check_loads_nothing_of_the_history_and_the_corrections(
    baseline: Path, tmp_path: Path, corrections: str | None
) -> None:
    folder = shutil.copytree(baseline, tmp_path / "history")
    if corrections is not None:
        (folder / "corrections.yaml").write_text(corrections, encoding="utf-8")
    script = (
        "import sys; sys.argv[1:] = ['check']; from pipeline.cli.entry import main; code = main();"
        " print(*(m for m in sys.modules if m in ('pipeline.derive', 'pipeline.tracking.corrections', 'openpyxl')))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )

    assert done.stdout == "unchanged: nothing has changed\n\n"


def test_status_without_a_history_says_what_to_do(watch287g: Command, nothing: Path) -> None:
    code, out, err = watch287g(nothing, "status")

    assert (code, out) == (1, "")
    assert "run `watch287g check`" in err


def test_status_says_what_is_in_force(watch287g: Command, baseline: Path) -> None:
    code, out, err = watch287g(baseline, "status")

    assert (code, err) == (0, "")
    assert out.startswith("last check     first at 20")
    assert "participating  participatingAgencies03032025am.xlsx of 2025-03-03, 40 rows, seen until 20" in out
    assert "pending        no list yet" in out


def test_status_is_code_1_after_a_failure(site: Site, watch287g: Command, baseline: Path) -> None:
    site.pages[PAGE] = BLOCKED
    watch287g(baseline, "check")

    code, out, _ = watch287g(baseline, "status")

    assert code == 1
    assert out.startswith("last check     failed at 20")
    assert "last good one  20" in out


def test_status_is_code_4_while_a_list_is_held(watch287g: Command, waiting: Path) -> None:
    code, out, _ = watch287g(waiting, "status")

    assert code == 4
    assert f"HELD           participating list {HALF.file_name}: vanishing: 20 of 40 would vanish" in out


def test_status_says_that_the_checks_have_stopped_and_is_code_1(
    site: Site, watch287g: Command, baseline: Path, tmp_path: Path
) -> None:
    watch287g(baseline, "status")
    with Watched(tmp_path / "history", site) as history:
        long_ago = (datetime.now(UTC) - timedelta(hours=27)).isoformat(timespec="seconds")
        history.connection.execute('update "check" set finished_at = ?', (long_ago,))

    code, out, _ = watch287g(baseline, "status")
    assert code == 1
    assert "STALE          that is too long ago" in out
    with (tmp_path / "history" / "config.yaml").open("a", encoding="utf-8") as config:
        config.write("status_stale_hours: 48\n")
    assert watch287g(baseline, "status")[0] == 0


def test_status_says_that_corrections_have_changed_or_are_wrong(
    watch287g: Command, baseline: Path, tmp_path: Path
) -> None:
    assert "corrections" not in watch287g(baseline, "status")[1]
    file = tmp_path / "history" / "corrections.yaml"
    file.write_text("corrections: [{action: ignore, why: a draft, workbook: abcdef12}]", encoding="utf-8")
    code, out, _ = watch287g(baseline, "status")
    assert code == 0
    assert "corrections.yaml has changed since the history was made; run `watch287g rebuild`" in out
    watch287g(baseline, "rebuild")
    assert "corrections" not in watch287g(baseline, "status")[1]
    file.write_text("corrections: [{action: ignore, why: a draft}]", encoding="utf-8")

    assert "entry 1 (a draft): `ignore` needs `workbook`" in watch287g(baseline, "status")[1]
    assert json.loads(watch287g(baseline, "status", "--json")[1])["corrections_changed"] is True


def test_status_and_review_count_the_same(site: Site, watch287g: Command, baseline: Path, tmp_path: Path) -> None:
    """Of two decisions near the border, one is about a list of two months ago."""
    watch287g(baseline, "status")
    with Watched(tmp_path / "history", site) as history:
        (last,) = history.connection.execute("select max(id) from publication").fetchone()
        history.connection.execute(
            "insert into publication (list, workbook_id, file_name, first_seen_at, last_seen_at, published_on,"
            " dated_by, rows, columns, verdict, reason, checks)"
            " select list, workbook_id, file_name, '2025-01-03T00:00:00Z', last_seen_at, '2025-01-03',"
            " dated_by, rows, columns, verdict, reason, checks from publication"
        )
        for publication in (last, last + 1):
            history.connection.execute(
                "insert into decision (publication_id, agreement_id, rule, score, evidence, review)"
                " select ?, min(id), 'continued', 0.5, '{}', 1 from agreement",
                (publication,),
            )

    said = watch287g(baseline, "status")[1]
    assert "review         1 decision near the border, 1 more in older lists (--all); see `watch287g review`" in said
    assert watch287g(baseline, "review")[1].endswith("1 decision to look at\n1 more in older lists; --all\n")
    assert watch287g(baseline, "review", "--all")[1].endswith("2 decisions to look at\n")
    told = json.loads(watch287g(baseline, "status", "--json")[1])
    assert (told["review"], told["review_older"]) == (1, 1)


def test_status_for_programs_says_the_same(watch287g: Command, waiting: Path) -> None:
    code, out, _ = watch287g(waiting, "status", "--json")
    told = json.loads(out)

    assert code == 4
    assert told["last_check"]["outcome"] == "held"
    assert told["lists"]["participating"]["rows"] == 40
    assert told["lists"]["pending"] is None
    assert [one["file_name"] for one in told["held"]] == [HALF.file_name]
    assert (told["stale"], told["corrections_changed"], told["waiting"]) == (False, False, 0)
    assert "corrections" not in told


def test_held_list_names_every_check_and_its_figures(watch287g: Command, waiting: Path) -> None:
    code, out, _ = watch287g(waiting, "held", "list")

    assert code == 4
    assert out.startswith(f"participating list {HALF.file_name}, 20 rows, first seen 20")
    assert "FAILED  vanishing: 20 of 40 would vanish" in out
    assert "ok      columns: all there" in out


def test_held_list_names_ten_of_those_that_would_vanish(watch287g: Command, waiting: Path) -> None:
    lines = watch287g(waiting, "held", "list")[1].splitlines()

    begin = lines.index("  20 would vanish:")
    assert lines[begin + 1].endswith(" County Sheriff's Office (FL), Task Force Model")
    assert lines[begin + 11] == "    and 10 more"
    assert len(lines) == begin + 12


def test_a_release_can_be_rehearsed_and_writes_nothing(
    site: Site, watch287g: Command, waiting: Path, tmp_path: Path
) -> None:
    code, out, err = watch287g(waiting, "held", "release", "--dry-run")
    lines = out.splitlines()

    assert (code, err) == (0, "")
    assert lines[0] == f"{HALF.file_name} would tell 20 events: 20 terminated"
    assert lines[1].endswith(" County Sheriff's Office (FL), Task Force Model")
    assert lines[11:] == ["  and 10 more", "nothing was written"]
    with Watched(tmp_path / "history", site) as history:
        assert history.events() == []
        assert history.rows("operator_verdict") == []
        assert history.rows("publication_log", "verdict") == [("accepted",), ("held",)]


@pytest.mark.parametrize("verdict", ["release", "reject"])
def test_a_verdict_can_be_taken_back(
    site: Site, watch287g: Command, waiting: Path, tmp_path: Path, verdict: str
) -> None:
    watch287g(waiting, "status")
    with Watched(tmp_path / "history", site) as history:
        told = history.told()
        (sha256,) = history.connection.execute("select workbook_sha256 from publication_log").fetchall()[-1]
    assert "`watch287g held undo " in watch287g(waiting, "held", verdict, "--why", "a slip")[1]

    code, out, err = watch287g(waiting, "held", "undo", sha256[:8].upper())

    assert (code, err) == (0, "")
    assert f"{HALF.file_name} is held now; {'20 events fewer' if verdict == 'release' else 'no event more'}" in out
    with Watched(tmp_path / "history", site) as history:
        assert history.told() == told
        assert history.rows("operator_verdict") == []
    assert watch287g(waiting, "held", "list")[0] == 4


def test_only_a_verdict_that_was_given_can_be_taken_back(watch287g: Command, waiting: Path) -> None:
    assert watch287g(waiting, "held", "undo", "abcdef") == (
        1,
        "",
        "watch287g: you have decided about no publication\n",
    )
    watch287g(waiting, "held", "reject", "--why", "a slip")

    code, _, err = watch287g(waiting, "held", "undo", "000000")
    assert code == 2
    assert err.endswith(f" ({HALF.file_name}, rejected)\n")


def test_a_released_list_is_told(site: Site, watch287g: Command, waiting: Path) -> None:
    code, out, err = watch287g(waiting, "held", "release", "--why", "ICE said so")
    assert (code, err) == (0, "")
    assert out.startswith(f"{HALF.file_name} is accepted: 20 events\n")
    assert watch287g(waiting, "held", "list") == (0, "nothing is held\n", "")
    assert watch287g(waiting, "status")[1].count("HELD") == 0


def test_a_released_list_stays_released(site: Site, watch287g: Command, waiting: Path) -> None:
    watch287g(waiting, "held", "release", "--why", "ICE said so")
    post(site, HALF)

    assert watch287g(waiting, "check")[:2] == (0, "unchanged: nothing has changed\n")


def test_a_rejected_list_stays_rejected_while_it_is_posted(
    site: Site, watch287g: Command, waiting: Path, tmp_path: Path
) -> None:
    code, out, err = watch287g(waiting, "held", "reject", "--why", "half of it is missing")
    assert (code, err) == (0, "")
    assert out.startswith(f"{HALF.file_name} is rejected: 0 events\n")
    post(site, HALF)

    assert watch287g(waiting, "check")[:2] == (0, "unchanged: nothing has changed\n")
    with Watched(tmp_path / "history", site) as history:
        assert history.events() == []
        assert len(history.rows("current_agreements")) == 40
        assert history.rows("operator_verdict", "verdict, reason") == [("rejected", "half of it is missing")]


def test_the_list_after_a_rejected_one_is_compared_with_the_one_in_force(
    site: Site, watch287g: Command, waiting: Path, tmp_path: Path
) -> None:
    watch287g(waiting, "held", "reject", "--why", "half of it is missing")
    post(site, Posted("participating", 3, [*SHERIFFS, sheriff("Polk")]))

    assert watch287g(waiting, "check")[0] == 3
    with Watched(tmp_path / "history", site) as history:
        assert history.events() == [("new", "confirmed", "Polk County Sheriff's Office")]


def test_a_verdict_survives_a_rebuild(site: Site, watch287g: Command, waiting: Path, tmp_path: Path) -> None:
    watch287g(waiting, "held", "release", "--why", "ICE said so")
    with Watched(tmp_path / "history", site) as history:
        told = history.told()

    assert watch287g(waiting, "rebuild")[0] == 0
    with Watched(tmp_path / "history", site) as history:
        assert history.told() == told


@pytest.mark.parametrize("verdict", ["release", "reject"])
def test_a_verdict_needs_a_reason_and_something_held(watch287g: Command, baseline: Path, verdict: str) -> None:
    code, _, err = watch287g(baseline, "held", verdict)
    assert code == 2
    assert "--why" in err

    assert watch287g(baseline, "held", verdict, "--why", "because") == (1, "", "watch287g: nothing is held\n")


def test_a_verdict_on_another_workbook_is_refused(watch287g: Command, waiting: Path) -> None:
    code, _, err = watch287g(waiting, "held", "release", "0000", "--why", "because")

    assert code == 2
    assert err.startswith("watch287g: name one of the publications that are held: ")


def test_the_log_of_the_crawls_is_kept_small(watch287g: Command, baseline: Path, site: Site, tmp_path: Path) -> None:
    watch287g(baseline, "status")
    (log,) = (tmp_path / "history").rglob("crawl.log")
    log.write_bytes(b"x" * 5_000_001)
    watch287g(baseline, "check")
    assert log.with_name("crawl.log.1").stat().st_size == 5_000_001
    assert 0 < log.stat().st_size < 100_000
