"""The daemon as a process: it checks by the clock, ends when it is told to, and keeps what it has when it is killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.daemon import backing_off, state
from pipeline.daemon.child import Child
from pipeline.daemon.timetable import trigger
from pipeline.demo.server import Answer, Behaviour, Site
from tests import workbooks
from tests.db.histories import COUNTIES, rows

ROOT = Path(__file__).parents[3]
SECRET = "a-marked-secret-of-the-heartbeat"
CONFIG = """
source: {{page: '{site}/287g', allowed_hosts: [127.0.0.1], delay_seconds: 0, retries: 0, timeout_seconds: 20}}
schedule: {{checks: {checks}, jitter_seconds: 0, deliveries: every 1 second, check_limit_seconds: 30}}
watching: {{log_format: json, heartbeat: "${{HEARTBEAT}}"}}
subscribers: [{{name: all, channels: [{{folder: sent}}]}}]
"""


class Running:
    """`watch287g run` in a folder, with what it logs and what it tells systemd."""

    def __init__(self, folder: Path, site: Site, checks: str = "every 1 second") -> None:
        self.folder, self.site = folder, site
        self.configure(checks)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "notify"))
        self.socket.settimeout(30)
        self.log = folder / "log"
        self.process = self.start()

    def configure(self, checks: str) -> None:
        text = CONFIG.format(site=self.site.url, checks=checks)
        (self.folder / "config.yaml").write_text(text, encoding="utf-8")

    def start(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "NOTIFY_SOCKET": str(self.folder / "notify"),
            "HEARTBEAT": f"http://127.0.0.1:9/{SECRET}",
        }
        command = [sys.executable, "-m", "pipeline", "--config", str(self.folder / "config.yaml"), "run"]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log, stdout=log)

    def told(self, word: str) -> str:
        """Wait until systemd is told so."""
        while True:
            said = self.socket.recv(4096).decode()
            if word in said:
                return said

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command beside the daemon."""
        command = [sys.executable, "-m", "pipeline", "--config", str(self.folder / "config.yaml"), *arguments]
        environment = os.environ | {"HEARTBEAT": f"http://127.0.0.1:9/{SECRET}"}
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def until(self, holds: Callable[[], bool], seconds: float = 60.0) -> None:
        """Look again whenever the daemon says something, at the latest when its watchdog would be fed."""
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, self.log.read_text(encoding="utf-8")
            self.socket.settimeout(0.2)
            try:
                self.socket.recv(4096)
            except TimeoutError:
                assert self.process.poll() is None, self.log.read_text(encoding="utf-8")
        self.socket.settimeout(30)

    def checks(self) -> list[str]:
        try:
            with sqlite3.connect(f"file:{self.folder}/data/history.db?mode=ro", uri=True) as connection:
                return [row[0] for row in connection.execute("select outcome from check_log order by started_at")]
        except sqlite3.OperationalError:
            return []
        finally:
            if "connection" in locals():
                connection.close()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        post(site, 3, *COUNTIES[:20])
        yield site


def post(site: Site, day: int, *counties: str) -> None:
    name = f"participatingAgencies03{day:02}2025am.xlsx"
    body = workbooks.participating(rows(*counties), modified=datetime(2025, 3, day, 12, tzinfo=UTC))
    page = f'<a href="/doclib/{name}">View 287(g) Participating Agencies</a>'
    site.pages["/287g"] = Answer(headers={"Content-Type": "text/html"}, body=page.encode())
    site.pages[f"/doclib/{name}"] = Answer(body=body)


@pytest.fixture
def running(tmp_path: Path, site: Site) -> Iterator[Running]:
    running = Running(tmp_path, site)
    yield running
    running.process.kill()
    running.process.wait()
    running.socket.close()


def test_it_checks_by_the_clock_tells_what_changed_and_ends_when_it_is_told_to(running: Running, site: Site) -> None:
    running.told("READY=1")
    running.until(lambda: len(running.checks()) >= 2)
    post(site, 4, *COUNTIES[:20], "Polk")
    running.until(lambda: len(list((running.folder / "sent").glob("*.md"))) == 1)
    database = running.folder / "data" / "history.db"
    found = state.read(state.beside(database))
    assert found is not None
    assert state.is_running(database, found)
    assert {"check", "alerts", "self-check", "backup"} <= set(found.next)
    status = json.loads(running.command("status", "--json").stdout)
    assert status["daemon"]["pid"] == running.process.pid
    assert set(status["daemon"]["next"]) >= {"check", "backup"}
    assert "daemon         runs since" in running.command("status").stdout
    assert SECRET not in running.command("config", "check").stdout
    assert running.end() == 0
    assert state.read(state.beside(database)) is None
    assert running.lines()[-1]["event"] == "ended"
    assert {"first", "changed"} <= set(running.checks())
    assert SECRET not in running.log.read_text(encoding="utf-8")
    assert [line["event"] for line in running.lines()].count("heartbeat not sent") == 1


def test_a_second_daemon_says_who_holds_the_history_and_ends(running: Running) -> None:
    running.told("READY=1")
    second = running.start()
    assert second.wait(30) == 1
    assert f"process {running.process.pid}) is the daemon of" in running.log.read_text(encoding="utf-8")


def test_a_wrong_config_is_not_reloaded_and_a_right_one_is(running: Running) -> None:
    running.told("READY=1")
    config = running.folder / "config.yaml"
    right = config.read_text(encoding="utf-8")
    config.write_text(right.replace("every 1 second,", "every blue moon,"), encoding="utf-8")
    running.process.send_signal(signal.SIGHUP)
    running.told("RELOADING=1")
    running.told("READY=1")
    running.configure("every 10 hours")
    running.process.send_signal(signal.SIGHUP)
    running.told("RELOADING=1")
    running.told("READY=1")
    assert running.end() == 0
    events = [line["event"] for line in running.lines()]
    assert "config not reloaded: the old one stays in force" in events
    assert events.index("config reloaded") > events.index("config not reloaded: the old one stays in force")


def test_with_one_subscriber_wrong_it_starts_and_the_others_are_told(running: Running, site: Site) -> None:
    running.until(lambda: bool(running.checks()))
    assert running.end() == 0
    config = running.folder / "config.yaml"
    typo = "subscribers: [{name: typo, sates: [TX], channels: [{folder: other}]}, "
    config.write_text(config.read_text(encoding="utf-8").replace("subscribers: [", typo), encoding="utf-8")
    post(site, 4, *COUNTIES[:20], "Polk")
    running.process = running.start()
    running.until(lambda: any((running.folder / "sent").glob("*.md")))
    running.process.send_signal(signal.SIGHUP)
    running.told("RELOADING=1")
    running.told("READY=1")
    assert running.end() == 0
    warned = [(line["event"], "sates" in str(line)) for line in running.lines() if line["level"] == "warning"]
    assert ("some subscribers are told nothing", True) in warned
    assert ("alerts not all sent", True) in warned
    assert ("config not reloaded: the old one stays in force", True) in warned
    assert "check not made" not in [event for event, _ in warned]


def test_with_a_folder_for_it_the_site_follows_the_lists(running: Running, site: Site) -> None:
    running.until(lambda: running.checks() != [])
    config = running.folder / "config.yaml"
    text = config.read_text(encoding="utf-8").replace("jitter_seconds: 0,", "jitter_seconds: 0, site: every 1 second,")
    config.write_text(text + "site: {folder: public}\n", encoding="utf-8")
    running.process.send_signal(signal.SIGHUP)
    front = running.folder / "public" / "index.html"

    def says(number: str) -> bool:
        return front.exists() and f"{number} agreements" in front.read_text(encoding="utf-8")

    running.until(lambda: says("20"))
    post(site, 4, *COUNTIES[:21])
    running.until(lambda: says("21"))
    assert running.end() == 0
    assert [line["level"] for line in running.lines() if line["event"] == "site"]


def test_told_to_end_in_the_middle_of_a_check_it_ends_within_seconds_and_leaves_nothing_half_done(
    running: Running, site: Site
) -> None:
    running.told("READY=1")
    running.until(lambda: len(running.checks()) >= 1)
    hanging = site.pages["/287g"] = Answer(behaviour=Behaviour.hang)
    asked = len(site.asked_for("/287g"))
    running.until(lambda: len(site.asked_for("/287g")) > asked)
    assert site.pages["/287g"] is hanging
    assert running.end() == 0
    with sqlite3.connect(running.folder / "data" / "history.db") as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()


def test_killed_it_is_started_again_and_goes_on(running: Running) -> None:
    running.told("READY=1")
    running.until(lambda: len(running.checks()) >= 1)
    running.process.kill()
    running.process.wait()
    before = len(running.checks())
    running.process = running.start()
    running.told("READY=1")
    running.until(lambda: len(running.checks()) > before + 1)
    assert running.end() == 0
    assert running.checks().count("first") == 1


CLOCK = """
import time
from pathlib import Path

_real, _offset = time.time, Path(__file__).with_name("offset")
time.time = lambda: _real() + float(_offset.read_text() or 0)
"""


def test_a_clock_that_is_set_back_or_forward_makes_the_timetable_anew(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(CLOCK, encoding="utf-8")
    (tmp_path / "offset").write_text("0", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    running = Running(tmp_path, site)
    try:
        running.told("READY=1")
        running.until(lambda: len(running.checks()) >= 1)
        for number, offset in enumerate(("-86400", "86400"), 1):
            (tmp_path / "offset").write_text(offset, encoding="utf-8")
            running.until(lambda wanted=number: running.log.read_text().count("the clock was set") >= wanted)
            before = len(running.checks())
            running.until(lambda least=before: len(running.checks()) > least)
        assert running.end() == 0
    finally:
        running.process.kill()
        running.process.wait()
        running.socket.close()


def test_the_daemon_loads_neither_the_crawler_nor_the_reader() -> None:
    code = (
        "import sys, pipeline.cli.running, pipeline.daemon.service, pipeline.daemon.logs;"
        "print([m for m in ('scrapy', 'openpyxl', 'sqlite_utils', 'pipeline.derive', 'apprise') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_child_that_hangs_is_ended_at_its_limit_with_all_that_it_started(
    tmp_path: Path, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARK", str(tmp_path))
    monkeypatch.setenv("HEARTBEAT", "http://127.0.0.1:9/")
    site.pages["/287g"] = Answer(behaviour=Behaviour.hang)
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG.format(site=site.url, checks="every 1 second"), encoding="utf-8")
    ended = Child(["--config", str(config)]).run(["check", "--no-send"], 5.0)
    assert site.asked_for("/287g")
    assert ended.code is None
    assert ended.seconds < 20
    assert marked(str(tmp_path)) == []


def marked(mark: str) -> list[str]:
    """The processes, this one left out, that have a mark in their environment."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"MARK={mark}".encode() in (entry / "environ").read_bytes() and int(entry.name) != os.getpid():
                found.append((entry / "cmdline").read_text(encoding="utf-8", errors="replace"))
    return found


# When


def test_after_failures_ice_is_asked_less_often_up_to_the_bound() -> None:
    longest = timedelta(hours=6)
    waits = [backing_off.wait(failures, longest) for failures in range(8)]
    assert [wait.total_seconds() / 3600 for wait in waits] == [0, 0, 1, 2, 4, 6, 6, 6]
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert backing_off.is_due(now, now - timedelta(minutes=59), 1, longest)
    assert not backing_off.is_due(now, now - timedelta(minutes=59), 2, longest)
    assert backing_off.is_due(now, now + timedelta(days=300), 9, longest)
    assert backing_off.is_due(now, None, 0, longest)
    assert backing_off.wait(10**9, longest) == longest


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("23 * * * *", "2026-01-05T00:23", "2026-01-05T01:23"),
        ("0 8 * * 1-5", "2026-01-05T08:00", "2026-01-06T08:00"),
        ("0 8 * * 0", "2026-01-11T08:00", "2026-01-18T08:00"),
        ("0 8 * * 7", "2026-01-11T08:00", "2026-01-18T08:00"),
        ("0 8 * * 5-1", "2026-01-05T08:00", "2026-01-09T08:00"),
        ("0 8 * * */3", "2026-01-07T08:00", "2026-01-10T08:00"),
        ("7,37 9-10 * * mon", "2026-01-05T09:07", "2026-01-05T09:37"),
    ],
)
def test_a_cron_expression_is_read_as_cron_does(text: str, first: str, second: str) -> None:
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    one = trigger(text, "UTC").get_next_fire_time(None, monday)
    two = trigger(text, "UTC").get_next_fire_time(one, one + timedelta(seconds=1))
    assert [f"{moment:%Y-%m-%dT%H:%M}" for moment in (one, two)] == [first, second]


@pytest.mark.parametrize("text", ["61 * * * *", "* * * * 8", "* * * * someday", "x * * * *"])
def test_a_cron_expression_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        trigger(text, "UTC")


def test_an_hour_that_the_clocks_skip_or_repeat_has_its_check_once() -> None:
    for day in (datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)):
        moment, found, hourly = day, [], trigger("23 * * * *", "America/New_York")
        while moment < day + timedelta(days=1):
            fired = hourly.get_next_fire_time(None, moment)
            found.append(fired.astimezone(UTC))
            moment = fired.astimezone(UTC) + timedelta(seconds=1)
        assert len(set(found)) == len(found)
        assert len(found) in (24, 25)
