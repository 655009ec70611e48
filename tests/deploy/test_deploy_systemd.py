"""The units: what systemd itself says of them, and that the three services are held in alike."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SERVICES = ("watch287g.service", "watch287g-check.service", "watch287g-alerts.service")
TIMERS = ("watch287g-check.timer", "watch287g-alerts.timer")
PROGRAM = "/opt/watch287g/bin/watch287g"
SINCE_254 = {"RestartSteps", "RestartMaxDelaySec"}
"""Keys that older versions of systemd leave out with a warning."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units in a folder of their own, with a program that is there."""
    for name in (*SERVICES, *TIMERS):
        text = (UNITS / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace(PROGRAM, "/bin/true"), encoding="utf-8")
    return tmp_path


def keys(name: str) -> list[tuple[str, str]]:
    """The settings of a unit, in their order."""
    lines = (UNITS / name).read_text(encoding="utf-8").splitlines()
    return [(key, value) for key, _, value in (line.partition("=") for line in lines if re.match(r"\w+=", line))]


def held_in(name: str) -> list[tuple[str, str]]:
    """What a service is and may touch."""
    settings = keys(name)
    words = [key for key, _ in settings]
    return settings[words.index("User") : words.index("TasksMax") + 1]


@needs_systemd
def test_systemd_finds_no_fault_in_the_units(installed: Path) -> None:
    units = [str(installed / name) for name in (*SERVICES, *TIMERS)]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if str(installed) in line or "watch287g" in line]
    known = re.compile(rf"Unknown key(?: name)? '(?:{'|'.join(SINCE_254)})' in section '?\[?Service")
    assert [line for line in ours if not known.search(line)] == []
    assert done.returncode == 0


@needs_systemd
@pytest.mark.parametrize("name", SERVICES)
def test_systemd_finds_the_services_well_held_in(installed: Path, name: str) -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--threshold=15", "--no-pager", str(installed / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-300:] + done.stderr  # 15 stands for an exposure of 1.5 of 10


def test_the_three_services_are_held_in_alike() -> None:
    first, *others = (held_in(name) for name in SERVICES)
    assert len(first) > 30
    assert others == [first, first]


def test_a_check_that_found_something_is_no_failed_unit() -> None:
    assert ("SuccessExitStatus", "3 4") in keys("watch287g-check.service")


def test_the_commands_of_the_units_are_commands_of_the_program() -> None:
    from pipeline.cli.entry import cli

    for name in SERVICES:
        (command,) = [value for key, value in keys(name) if key == "ExecStart"]
        program, option, config, *words = command.split()
        assert (program, option, config) == (PROGRAM, "--config", "/etc/watch287g/config.yaml")
        assert cli.get_command(None, words[0]) is not None  # type: ignore[arg-type]


def test_the_daemon_and_the_timers_exclude_each_other() -> None:
    for name in TIMERS:
        assert ("Conflicts", "watch287g.service") in keys(name)
        assert (UNITS / name.replace(".timer", ".service")).exists()
