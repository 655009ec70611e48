"""What the database does to whoever writes to it: readers that stay, writers that are slow, a disk that is full."""

from __future__ import annotations

import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from db import outbox
from db.connect import close_writable, open_writable
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

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1000, resource.RLIM_INFINITY))

    first = subprocess.run(command, cwd=ROOT, preexec_fn=full, capture_output=True, text=True, check=False)
    assert "Traceback" not in first.stderr
    assert first.returncode in (0, 1)
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
    with History(tmp_path / "full") as history:
        assert history.events() == expected
        assert history.connection.execute("pragma integrity_check").fetchone()[0] == "ok"
