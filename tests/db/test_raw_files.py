"""The archive of raw files: a name always stands for its whole content, whatever happens while it is written."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from db.archive import Archive, ArchiveError

DATA = b"PK\x03\x04 a workbook, or so its first bytes say"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def files(archive: Archive) -> list[str]:
    return sorted(path.name for path in archive.root.rglob("*") if path.is_file())


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_bytes_are_stored_under_their_hash_and_come_back_the_same(archive: Archive) -> None:
    assert archive.put(DATA) == SHA256
    assert archive.get(SHA256) == DATA
    assert SHA256 in archive
    assert archive.path(SHA256) == archive.root / SHA256[:2] / f"{SHA256}.xlsx"


def test_the_same_bytes_are_stored_once_and_not_written_again(archive: Archive) -> None:
    archive.put(DATA)
    before = archive.path(SHA256).stat()
    archive.put(DATA)

    assert files(archive) == [f"{SHA256}.xlsx"]
    assert archive.path(SHA256).stat().st_ino == before.st_ino


def test_several_at_once_keep_their_order_and_store_repeated_ones_once(archive: Archive) -> None:
    contents = [DATA, b"other", DATA, b""]

    assert archive.put_all(contents) == [hashlib.sha256(data).hexdigest() for data in contents]
    assert len(files(archive)) == 3


def test_a_file_can_be_read_by_others_than_who_wrote_it(archive: Archive) -> None:
    """A temporary file is made for its owner alone; `publish` may run as somebody else."""
    archive.put(DATA)

    assert archive.path(SHA256).stat().st_mode & 0o777 == 0o644


def test_damaged_bytes_are_not_given_back_as_evidence(archive: Archive) -> None:
    archive.put(DATA)
    archive.path(SHA256).write_bytes(DATA[:-1] + b"?")

    with pytest.raises(ArchiveError, match="is damaged: its content has another SHA-256; restore it"):
        archive.get(SHA256)


def test_a_truncated_file_is_written_again_when_its_bytes_come_again(archive: Archive) -> None:
    archive.put(DATA)
    archive.path(SHA256).write_bytes(DATA[:5])
    archive.put(DATA)

    assert archive.get(SHA256) == DATA


def test_a_missing_file_is_told_with_where_it_belongs(archive: Archive) -> None:
    with pytest.raises(ArchiveError, match=f"the archive lacks {SHA256[:12]} .*; restore .*{SHA256}.xlsx"):
        archive.get(SHA256)


def test_verifying_tells_of_each_file_in_turn_and_stops_at_none(archive: Archive) -> None:
    whole, damaged, missing = archive.put(DATA), archive.put(b"damaged"), "0" * 64
    archive.path(damaged).write_bytes(b"DAMAGED")

    found = dict(archive.verify([damaged, whole, missing]))

    assert list(found) == [damaged, whole, missing]
    assert found[whole] is None
    assert "damaged" in (found[damaged] or "")
    assert "lacks" in (found[missing] or "")


def test_files_that_nothing_accounts_for_are_named_and_left_alone(archive: Archive) -> None:
    archive.put(DATA)
    stray = archive.put(b"from another history")
    leftover = archive.path(SHA256).with_name(".incoming-abc")
    leftover.write_bytes(b"half")

    assert set(archive.strays({SHA256})) == {archive.path(stray), leftover}
    assert len(files(archive)) == 3


@pytest.mark.parametrize("event", ["tempfile.mkstemp", "os.chmod", "os.rename"])
def test_killed_while_a_file_is_written_leaves_no_wrong_name(archive: Archive, event: str) -> None:
    """`os.chmod` comes between the last byte and the rename, `os.rename` just before the name exists."""
    script = """
        import os, signal, sys
        from pathlib import Path
        from db.archive import Archive

        def kill(event, arguments):
            if event == sys.argv[2]:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill)
        Archive(Path(sys.argv[1])).put(sys.argv[3].encode())
    """
    text = "x" * 50_000
    killed = run(script, archive.root, event, text)

    assert killed.returncode == -signal.SIGKILL
    assert not list(archive.root.rglob("*.xlsx"))

    sha256 = archive.put(text.encode())
    assert archive.get(sha256) == text.encode()


def test_a_full_disk_is_one_sentence_and_leaves_nothing_under_the_name(archive: Archive) -> None:
    script = """
        import resource, signal, sys
        from pathlib import Path
        from db.archive import Archive, ArchiveError

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            Archive(Path(sys.argv[1])).put(b"x" * 5000)
        except ArchiveError as error:
            print(error)
    """
    done = run(script, archive.root)
    sha256 = hashlib.sha256(b"x" * 5000).hexdigest()

    assert done.returncode == 0, done.stderr
    assert done.stdout == f"cannot store {sha256[:12]} in {archive.root}: File too large\n"
    assert done.stderr == ""
    assert files(archive) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_one_sentence(archive: Archive) -> None:
    archive.root.mkdir(mode=0o500)

    with pytest.raises(ArchiveError, match=f"cannot store {SHA256[:12]} in .*: Permission denied"):
        archive.put(DATA)


def test_a_file_in_the_place_of_the_archive_is_one_sentence(archive: Archive) -> None:
    archive.root.write_text("not a folder")

    with pytest.raises(ArchiveError, match=f"cannot store {SHA256[:12]} in .*: Not a directory"):
        archive.put(DATA)
