"""The Containerfile, as text: no image is built here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

dockerfile = pytest.importorskip("dockerfile", reason="the parser `dockerfile` is not installed")

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "container" / "Containerfile"


def commands(word: str) -> list[tuple[str, ...]]:
    return [command.value for command in dockerfile.parse_file(str(FILE)) if command.cmd.upper() == word]


def test_every_file_that_is_copied_exists() -> None:
    copied = [source for *sources, _ in commands("COPY") for source in sources]
    assert {"pyproject.toml", "constraints.txt", "scraper", "db", "pipeline"} <= set(copied)
    for source in copied:
        assert (ROOT / source).exists(), source


def test_the_wheel_is_built_in_a_stage_that_is_left_behind() -> None:
    assert [value[0] for value in commands("FROM")] == ["python:3.13-slim", "python:3.13-slim"]
    build, install = (run for (run,) in commands("RUN") if "pip" in run)
    assert "--no-deps" in build
    assert "--constraint /tmp/constraints.txt" in install


def test_it_runs_the_daemon_as_a_user_of_its_own_over_a_volume() -> None:
    assert commands("ENTRYPOINT") == [("watch287g",)]
    assert commands("CMD") == [("run",)]
    assert commands("USER") == [("watch287g",)]
    assert commands("VOLUME") == commands("WORKDIR")[-1:] == [("/data",)]
    (health,) = commands("HEALTHCHECK")
    assert re.match(r"watch287g status\b", health[-1])
