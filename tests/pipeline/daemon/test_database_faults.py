"""What the database does to whoever writes to it: readers that stay, writers that are slow, a disk that is full."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from db import outbox
from db.connect import close_writable, open_writable
from pipeline.demo.server import Answer, Site
from tests.db.histories import COUNTIES, History, Posted, rows, write_folder
from tests.pipeline.notify.watching import Recorder, Watched, settings

ROOT = Path(__file__).parents[3]
TWENTY = COUNTIES[:20]
LISTS = [Posted("participating", 0, rows(*TWENTY)), Posted("participating", 1, rows(*TWENTY, "Polk"))]


def test_a_reader_that_stays_holds_up_neither_checks_nor_alerts(tmp_path: Path) -> None:
    with Watched(tmp_path, settings({"name": "all"})) as watched:
        watched.see(LISTS[0])
        reader = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
        reader.execute("begin")
        before = reader.execute("select count(*) from event_log").fetchone()
        watched.see(LISTS[1])
        recorder = Recorder()
        watched.deliver({"all/folder": recorder})
        assert recorder.told() == ["told new Polk confirmed"]
        assert reader.execute("select count(*) from event_log").fetchone() == before
        reader.close()
    close_writable(open_writable(tmp_path / "history.db"))
    assert not Path(f"{tmp_path}/history.db-wal").exists() or Path(f"{tmp_path}/history.db-wal").stat().st_size == 0


def test_a_writer_that_is_slow_is_waited_for(tmp_path: Path) -> None:
    with Watched(tmp_path, settings({"name": "all"})) as watched:
        watched.see(*LISTS)
        watched.compose()
        other = sqlite3.connect(tmp_path / "history.db", isolation_level=None, check_same_thread=False)
        other.execute("begin immediate")
        free = threading.Timer(0.5, lambda: other.execute("commit"))
        free.start()
        recorder = Recorder()
        watched.deliver({"all/folder": recorder})
        free.join()
        other.close()
        assert recorder.told() == ["told new Polk confirmed"]
        assert [one.attempts for one in outbox.log(watched.connection)] == [1]


@pytest.mark.parametrize("kilobytes", [200, 300, 400, 500, 700, 1000])
def test_a_disk_that_is_full_leaves_nothing_half_done_and_the_next_run_ends_it(tmp_path: Path, kilobytes: int) -> None:
    folder = write_folder(tmp_path / "kept", LISTS)
    with History(tmp_path / "whole") as history:
        history.backfill(folder)
        expected = history.events()
    command = [sys.executable, "-m", "pipeline", "--db", str(tmp_path / "full" / "history.db"), "backfill", str(folder)]

    full = limited(kilobytes)
    first = subprocess.run(command, cwd=ROOT, preexec_fn=full, capture_output=True, text=True, check=False)
    assert "Traceback" not in first.stderr
    assert first.returncode in (0, 1)
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
    with History(tmp_path / "full") as history:
        assert history.events() == expected
        assert history.connection.execute("pragma integrity_check").fetchone()[0] == "ok"


def limited(kilobytes: int) -> Callable[[], None]:
    """To be called in a child: no file may grow beyond a size."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1000, resource.RLIM_INFINITY))

    return limit


@pytest.mark.parametrize("kilobytes", [3, 12, 30, 60, 100, 150, 220, 300])
def test_a_check_on_a_full_disk_loses_nothing_and_tells_nothing_twice(tmp_path: Path, kilobytes: int) -> None:
    def check(limit: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pipeline", "--config", str(tmp_path / "config.yaml"), "check"]
        return subprocess.run(command, cwd=ROOT, preexec_fn=limit, capture_output=True, text=True, check=False)

    with Site() as site:
        source = f"{{page: '{site.url}/287g', allowed_hosts: [127.0.0.1], delay_seconds: 0, retries: 0}}"
        subscribers = "[{name: all, channels: [{folder: sent}]}]"
        delivery = "{delivery: {first_retry_seconds: 0, longest_retry_seconds: 0}}"
        text = f"source: {source}\nsubscribers: {subscribers}\nalerts: {delivery}\n"
        (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
        show(site, LISTS[0])
        assert check().returncode == 0
        show(site, LISTS[1])
        full = check(limited(kilobytes))
        assert "Traceback" not in full.stderr
        assert check().returncode in (0, 1, 3)
        assert check().returncode == 0
    with History(tmp_path / "data") as history:
        assert history.events() == ["new Polk"]
        assert history.connection.execute("pragma integrity_check").fetchone()[0] == "ok"
    assert len(list((tmp_path / "sent").glob("*.json"))) == 1


def show(site: Site, posted: Posted) -> None:
    """Let the page link a list, and no other."""
    page = f'<a href="/doclib/{posted.file_name}">View 287(g) Participating Agencies</a>'
    site.pages["/287g"] = Answer(headers={"Content-Type": "text/html"}, body=page.encode())
    site.pages[f"/doclib/{posted.file_name}"] = Answer(body=posted.data)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed, whom only root can be")
def test_whoever_may_not_write_to_the_folder_is_told_so_in_a_sentence(tmp_path: Path) -> None:
    try:
        subprocess.run([sys.executable, "-c", "import pipeline.cli.entry"], cwd=ROOT, user=65534, check=True)
    except (PermissionError, subprocess.CalledProcessError):
        pytest.skip("another user cannot read this installation")
    home = Path("/tmp") / f"watch287g-{tmp_path.name}-{os.getpid()}"
    home.mkdir(mode=0o755)
    try:
        with History(home) as history:
            history.post(LISTS[0])
        for words in (["backfill", str(home)], ["rebuild"], ["backup", "--folder", str(home / "copies")]):
            done = subprocess.run(
                [sys.executable, "-m", "pipeline", "--db", str(home / "history.db"), *words],
                cwd=ROOT,
                user=65534,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 1, done.stderr
            assert done.stderr.startswith("watch287g: ")
            assert len(done.stderr.splitlines()) == 1
        with History(home) as history:
            assert history.verdicts() == ["accepted"]
    finally:
        shutil.rmtree(home)
