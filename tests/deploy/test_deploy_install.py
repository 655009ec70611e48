"""deploy/README.md: the program is installed as it says, and what it names is there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import venv
from pathlib import Path

import click
import pytest

from pipeline.cli.entry import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
SHOWN = [line[2:] for line in README.splitlines() if line.startswith("$ ")]

LAYS = "import sys, pathlib, pipeline, db, scraper; print(sys.version_info >= (3, 11), pipeline.__file__)"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the files that the Containerfile copies."""
    pytest.importorskip("setuptools")
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "scraper", "db", "pipeline"):
        subprocess.run(["cp", "-r", str(ROOT / name), str(source)], check=True)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(source / "wheel"), "."]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode and "setuptools" in done.stderr:
        pytest.skip("no index from which to build the wheel")
    assert done.returncode == 0, done.stderr
    (built,) = (source / "wheel").glob("*.whl")
    return built


def test_the_wheel_installs_into_an_environment_of_its_own_with_all_that_it_reads(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "opt", with_pip=False, symlinks=True)
    python = tmp_path / "opt" / "bin" / "python"
    target = ["--python", str(python)]
    command = [sys.executable, "-m", "pip", *target, "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, timeout=300)
    done = subprocess.run([python, "-c", LAYS], capture_output=True, text=True, check=True, cwd=tmp_path)
    packages = Path(done.stdout.split()[1]).parents[1]
    assert packages.is_relative_to(tmp_path)
    assert (tmp_path / "opt" / "bin" / "watch287g").exists()
    for package in ("scraper", "db", "pipeline"):
        shipped = {path.relative_to(ROOT) for path in (ROOT / package).rglob("*") if _is_read(path)}
        assert {path for path in shipped if not (packages / path).exists()} == set()


def _is_read(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"\bdeploy/[\w./*-]+", README)
    assert len(named) > 5
    for name in named:
        assert list(ROOT.glob(name.rstrip("."))), name
    assert (ROOT / "constraints.txt").exists()


def test_every_command_of_ours_exists() -> None:
    context = click.Context(cli)
    ours = [words for line in SHOWN for words in [shlex.split(line)] if any("bin/watch287g" in word for word in words)]
    assert ours
    for words in ours:
        program = next(number for number, word in enumerate(words) if word.endswith("bin/watch287g"))
        rest = [word for word in words[program + 1 :] if not word.startswith(("--", "/"))]
        assert cli.get_command(context, rest[0]) is not None, words


def test_what_the_shell_would_be_given_is_of_its_form() -> None:
    assert len(SHOWN) > 20
    for line in SHOWN:
        subprocess.run(["bash", "-n", "-c", line], check=True)


def test_the_units_it_names_are_those_that_are_there() -> None:
    there = {path.name for path in (ROOT / "deploy" / "systemd").iterdir()}
    assert set(re.findall(r"watch287g(?:-\w+)?\.(?:service|timer|sysusers)", README)) <= there
