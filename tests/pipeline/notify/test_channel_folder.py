"""A folder of reports: three files a message, whole or not there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.notify.channels.attempt import Unavailable
from pipeline.notify.channels.folder import FolderChannel
from tests.pipeline.notify.sinks import HOSTILE, message

STEM = "20250627T140000Z-m-0123456789abcdef"
NAMES = [f"{STEM}.html", f"{STEM}.json", f"{STEM}.md"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_message_becomes_three_files_that_its_time_and_key_name(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "reports"

    assert FolderChannel(folder).send(message()) == f"written as {STEM}"

    assert names(folder) == NAMES
    assert json.loads((folder / f"{STEM}.json").read_text())["message_id"] == "m-0123456789abcdef"
    for suffix in ("md", "html"):
        assert "Kerr County Sheriff" in (folder / f"{STEM}.{suffix}").read_text(encoding="utf-8")


def test_a_message_that_is_written_again_is_there_once(tmp_path: Path) -> None:
    way = FolderChannel(tmp_path)
    way.send(message())
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}

    way.send(message())

    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_nothing_is_cut(tmp_path: Path) -> None:
    agencies = [f"Agency {number}" for number in range(120)]

    FolderChannel(tmp_path).send(message(*agencies))

    for name in NAMES:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert all(agency in text for agency in agencies)


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_disk_that_fails_half_way_leaves_no_half_file_and_no_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    synced = os.fsync
    left = fails_at * 2 - 1  # a file and its folder are synced for each

    def fail(handle: int) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise OSError(28, "No space left on device")
        synced(handle)

    monkeypatch.setattr(os, "fsync", fail)

    with pytest.raises(Unavailable, match=r"0123456789abcdef\.\w+: No space left on device$"):
        FolderChannel(tmp_path).send(message())

    assert names(tmp_path) == sorted([f"{STEM}.md", f"{STEM}.html"][: fails_at - 1])


def test_what_a_killed_attempt_left_behind_is_gone_after_the_next(tmp_path: Path) -> None:
    (tmp_path / f".{STEM}.md.incoming").write_text("half")

    FolderChannel(tmp_path).send(message())

    assert names(tmp_path) == NAMES


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match="file"):
        FolderChannel(tmp_path / "file" / "reports").send(message())


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_name_comes_out_harmless(tmp_path: Path, name: str) -> None:
    FolderChannel(tmp_path).send(message(name))

    assert names(tmp_path) == NAMES
    assert json.loads((tmp_path / f"{STEM}.json").read_text())["events"][0]["agency"] == name
    for suffix in ("md", "html"):
        text = (tmp_path / f"{STEM}.{suffix}").read_text(encoding="utf-8")
        assert "<script" not in text
        assert "<img" not in text
        assert not {"\x1b", "\x00", "\u202e"} & set(text)
