"""Killed at any instant, backfill and check end, when they are run again, in the history of an undisturbed run.

SIGKILL leaves no time to tidy up. What a power cut adds to it, lost writes, is what fsync is for and is not tried here.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.demo.server import Answer, Site
from tests.db.histories import COUNTIES, History, Posted, in_one_go, rows, story, write_folder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL does not lose what fsync would keep, and fsync takes its time."""
    memory = Path("/dev/shm")
    if not memory.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="watch287g-crashes-") as folder:
        yield Path(folder)


def killing(*arguments: object) -> dict[str, Any]:
    """Run `tests.db.killing`; see there."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.db.killing", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_backfill_killed_at_any_commit_ends_in_the_same_history(scratch: Path) -> None:
    posted = story()
    done = killing("backfill", write_folder(scratch / "folder", posted), scratch)

    assert done["wrong"] == []
    assert done["kills"] == done["instants"] == 2 + len(posted)  # opened, taken in, and each sighting


@pytest.mark.parametrize("part", range(4))
def test_a_backfill_killed_at_any_statement_or_file_ends_in_the_same_history(scratch: Path, part: int) -> None:
    instants = [*range(part, 50, 8), *random.Random(part).sample(range(50, 1001), 33)]
    done = killing("backfill", write_folder(scratch / "folder", story()), scratch, *instants)

    assert done["wrong"] == []
    assert done["instants"] > 1_000
    assert done["kills"] == len(instants)


def test_a_backfill_killed_again_and_again_ends_in_the_same_history(scratch: Path) -> None:
    """An attempt that is killed leaves the next one less to do, so that late instants are no longer reached."""
    instants = random.Random(287).choices(range(250), k=40)
    done = killing("chain", write_folder(scratch / "folder", story()), scratch, *instants)

    assert done["wrong"] == []
    assert done["kills"] >= 30


@pytest.mark.parametrize("room", [60_000, 200_000, 400_000])
def test_a_disk_that_fills_up_half_way_leaves_a_history_that_goes_on(tmp_path: Path, room: int) -> None:
    script = """
        import resource, signal, sys
        from pathlib import Path
        from tests.db.histories import History, story, write_folder

        home, room = Path(sys.argv[1]), int(sys.argv[2])
        with History(home) as history:
            history.take_in(write_folder(home / "folder", story()))
            history.connection.execute("pragma wal_checkpoint(truncate)")
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
            try:
                history.historian().derive()
            except Exception as error:
                print(type(error).__name__, history.connection.in_transaction)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path), str(room)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" False\n")
    with History(tmp_path) as history:
        history.historian().derive()

        assert history.snapshot() == in_one_go(tmp_path / "whole", story())
        assert history.connection.execute("pragma integrity_check").fetchone()[0] == "ok"


def publish(site: Site, *posted: Posted) -> None:
    """Let the page link these workbooks, with validators, and nothing else."""
    anchors = []
    for one in posted:
        path = f"/doclib/{one.file_name}"
        anchors.append(f'<li><a href="{path}">View 287(g) {one.list.title()} Agencies</a></li>')
        site.pages[path] = Answer(headers={"ETag": f'"{one.file_name}"'}, body=one.data)
    html = f"<!DOCTYPE html><html><head><title>287(g)</title></head><body><ul>{''.join(anchors)}</ul></body></html>"
    tag = f'"{"-".join(one.file_name for one in posted)}"'
    site.pages["/287g"] = Answer(headers={"Content-Type": "text/html", "ETag": tag}, body=html.encode())


def test_a_first_check_killed_at_any_commit_ends_in_the_same_history(scratch: Path) -> None:
    with Site() as site:
        publish(site, Posted("participating", 0, rows(*COUNTIES[:20])), Posted("pending", 0, rows(*COUNTIES[40:44])))
        done = killing("check", scratch / "nothing", f"{site.url}/287g", scratch)

    assert done["wrong"] == []
    assert done["kills"] == done["instants"] >= 7


@pytest.mark.parametrize("instants", [(), (100, 300, 600, 950)], ids=["commit", "statement"])
def test_a_check_that_brings_new_lists_killed_at_any_instant_ends_in_the_same_history(
    scratch: Path, instants: tuple[int, ...]
) -> None:
    with Site() as site:
        publish(site, Posted("participating", 0, rows(*COUNTIES[:20])), Posted("pending", 0, rows(*COUNTIES[40:44])))
        killing("once", scratch / "base", f"{site.url}/287g")
        publish(site, Posted("participating", 1, rows(*COUNTIES[1:21])), Posted("pending", 1, rows(*COUNTIES[41:45])))
        done = killing("check", scratch / "base", f"{site.url}/287g", scratch, *instants)

    assert done["wrong"] == []
    assert done["kills"] == (len(instants) or done["instants"])
