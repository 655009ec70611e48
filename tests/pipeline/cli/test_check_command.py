"""`check`, `status` and `held` as an operator or a cron job meets them: words, and exit codes."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.cli import entry
from pipeline.demo.server import Answer, Site
from tests.db.histories import COUNTIES, Posted, rows, sheriff
from tests.pipeline.demo.watched import PAGE, Watched, cleared, local_site, post, write_config

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


def test_a_mistake_in_the_config_file_is_one_sentence(watch287g: Command, nothing: Path) -> None:
    (nothing / "config.yaml").write_text("source: {page: ice.gov}\n", encoding="utf-8")

    assert watch287g(nothing, "check") == (
        1,
        "",
        "watch287g: config.yaml: source.page: must be an http or https address\n",
    )


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


def test_status_for_programs_says_the_same(watch287g: Command, waiting: Path) -> None:
    code, out, _ = watch287g(waiting, "status", "--json")
    told = json.loads(out)

    assert code == 4
    assert told["last_check"]["outcome"] == "held"
    assert told["lists"]["participating"]["rows"] == 40
    assert told["lists"]["pending"] is None
    assert [one["file_name"] for one in told["held"]] == [HALF.file_name]


def test_held_list_names_every_check_and_its_figures(watch287g: Command, waiting: Path) -> None:
    code, out, _ = watch287g(waiting, "held", "list")

    assert code == 4
    assert out.startswith(f"participating list {HALF.file_name}, 20 rows, first seen 20")
    assert "FAILED  vanishing: 20 of 40 would vanish" in out
    assert "ok      columns: all there" in out


def test_a_released_list_is_told(site: Site, watch287g: Command, waiting: Path) -> None:
    assert watch287g(waiting, "held", "release", "--why", "ICE said so") == (
        0,
        f"{HALF.file_name} is accepted: 20 events\n",
        "",
    )
    assert watch287g(waiting, "held", "list") == (0, "nothing is held\n", "")
    assert watch287g(waiting, "status")[1].count("HELD") == 0


def test_a_released_list_stays_released(site: Site, watch287g: Command, waiting: Path) -> None:
    watch287g(waiting, "held", "release", "--why", "ICE said so")
    post(site, HALF)

    assert watch287g(waiting, "check")[:2] == (0, "unchanged: nothing has changed\n")


def test_a_rejected_list_stays_rejected_while_it_is_posted(
    site: Site, watch287g: Command, waiting: Path, tmp_path: Path
) -> None:
    told = f"{HALF.file_name} is rejected: 0 events\n"
    assert watch287g(waiting, "held", "reject", "--why", "half of it is missing") == (0, told, "")
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
