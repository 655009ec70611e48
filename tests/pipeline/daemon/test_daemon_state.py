"""The daemon's state: written whole, read by `status`, and not believed when its writer is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.daemon import state as states
from pipeline.daemon.redaction import Redaction
from pipeline.daemon.state import State, beside, is_running, read, write
from pipeline.lock import only_daemon

NOW = datetime(2025, 6, 27, 14, tzinfo=UTC)
STATE = State(
    pid=os.getpid(),
    version="0.1.0",
    started_at=NOW,
    next={"check": datetime(2025, 6, 27, 14, 23, 11, tzinfo=UTC)},
    backing_off_until=NOW,
    config_error="config.yaml: checks.vanish_share: must be at most 1",
    written_at=NOW,
)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = beside(tmp_path / "history.db")

    assert write(path, STATE) is None

    assert path.name == "history.db.daemon.json"
    assert read(path) == STATE
    assert json.loads(path.read_text())["next"] == {"check": "2025-06-27T14:23:11Z"}
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_what_is_not_known_is_null(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write(path, State(pid=1, version="0", started_at=NOW))

    found = read(path)

    assert found is not None
    assert (dict(found.next), found.backing_off_until, found.config_error) == ({}, None, None)
    assert found.written_at.tzinfo is not None


DAMAGED = {
    "empty": b"",
    "cut short": b'{"pid": 12, "version": "0.1',
    "no object": b"[]",
    "no text": b"\xff\xfe\x00",
    "without a process": b'{"version": "0", "started_at": "2025-06-27T14:00:00Z"}',
    "all processes": b'{"pid": -1, "version": "0", "started_at": "2025-06-27T14:00:00Z"}',
    "a number too large": b'{"pid": 9999999999999, "version": "0", "started_at": "2025-06-27T14:00:00Z"}',
    "no time zone": b'{"pid": 12, "version": "0", "started_at": "2025-06-27T14:00:00"}',
    "too long": b'{"pid": 12, "version": "' + b"0" * 200_000 + b'", "started_at": "2025-06-27T14:00:00Z"}',
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED.keys())
def test_what_is_damaged_is_not_believed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state").write_bytes(content)

    assert read(tmp_path / "state") is None


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert read(tmp_path / "state") is None
    assert read(tmp_path) is None


def test_a_version_that_says_more_is_understood(tmp_path: Path) -> None:
    write(tmp_path / "state", STATE)
    said = json.loads((tmp_path / "state").read_text()) | {"later": 1}
    (tmp_path / "state").write_text(json.dumps(said))

    assert read(tmp_path / "state") == STATE


def test_a_secret_in_a_mistake_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    redaction = Redaction()
    redaction.add(["marked-secret"])
    monkeypatch.setattr(states, "hidden", redaction)

    write(tmp_path / "state", replace(STATE, config_error="a: marked-secret is wrong\nb: so is MARKED%2Dsecret"))

    assert "marked" not in (tmp_path / "state").read_text().lower()
    assert read(tmp_path / "state") == replace(STATE, config_error="a: … is wrong b: so is …")


def test_where_it_cannot_be_written_the_reason_is_told_and_the_last_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write(path, STATE)
    (tmp_path / "state.new").mkdir()

    said = write(path, replace(STATE, config_error=None))

    assert said == f"{path} cannot be written: Is a directory"
    assert read(path) == STATE


def test_a_full_disk_leaves_the_last_state_and_no_rest(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write(path, STATE)
    code = (
        "import resource, sys; from datetime import datetime, UTC; from pathlib import Path\n"
        "from pipeline.daemon.state import State, write\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "print(write(Path(sys.argv[1]), State(1, '0', datetime.now(UTC))))"
    )

    said = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=60)

    assert said.stdout == f"{path} cannot be written: File too large\n"
    assert read(path) == STATE
    assert [file.name for file in tmp_path.iterdir()] == ["state"]


def test_a_reader_never_sees_half_of_it(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write(path, STATE)
    seen: list[State | None] = []
    writer = threading.Thread(target=lambda: [write(path, STATE) for _ in range(200)])

    writer.start()
    while writer.is_alive():
        seen.append(read(path))
    writer.join()

    assert None not in seen


def test_a_daemon_runs_while_its_process_holds_the_lock(tmp_path: Path) -> None:
    database = tmp_path / "history.db"

    with only_daemon(database):
        assert is_running(database, STATE)

    assert not is_running(database, STATE)


def test_a_number_that_another_process_was_given_is_no_daemon(tmp_path: Path) -> None:
    assert not is_running(tmp_path / "history.db", STATE)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_has_ended_is_no_daemon(tmp_path: Path) -> None:
    database = tmp_path / "history.db"
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait(60)

    with only_daemon(database):
        assert not is_running(database, replace(STATE, pid=ended.pid))


def test_looking_takes_the_lock_from_nobody(tmp_path: Path) -> None:
    database = tmp_path / "history.db"
    with only_daemon(database):
        assert is_running(database, STATE)
    is_running(database, STATE)

    with only_daemon(database):
        assert is_running(database, STATE)
