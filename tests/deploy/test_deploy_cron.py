"""The example for cron: its lines are of cron's form, and their commands run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from apscheduler.triggers.cron import CronTrigger

FILE = Path(__file__).parents[2] / "deploy" / "cron" / "watch287g.cron"
JOBS = [line.split(maxsplit=6) for line in FILE.read_text(encoding="utf-8").splitlines() if line[:1] in "*0123456789"]


def test_each_line_has_five_times_a_user_and_a_command() -> None:
    assert len(JOBS) == 2
    for *times, user, command in JOBS:
        CronTrigger.from_crontab(" ".join(times))
        assert user == "watch287g"
        assert "%" not in command  # cron takes it for the end of a line
    assert JOBS[0][0] not in ("0", "*")


@pytest.mark.parametrize("number", range(len(JOBS)))
def test_its_commands_run_with_the_secrets_and_speak_to_the_log(tmp_path: Path, number: int) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "config.yaml").write_text(
        "source: {page: '${PAGE_OF_THE_TEST}', allowed_hosts: [127.0.0.1], retries: 0, contact: tests}\n"
        "subscribers: []\n"
    )
    (tmp_path / "etc" / "secrets.env").write_text("PAGE_OF_THE_TEST=http://127.0.0.1:9/\n")
    logger = tmp_path / "logger"
    logger.write_text(f'#!/bin/sh\n[ "$*" = "-t watch287g" ] && cat >> {tmp_path}/log\n')
    logger.chmod(0o755)
    command = (
        JOBS[number][-1]
        .replace("/var/lib/watch287g", str(tmp_path))
        .replace("/etc/watch287g", str(tmp_path / "etc"))
        .replace("/opt/watch287g/bin/watch287g", str(Path(sys.executable).parent / "watch287g"))
    )
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path), "no_proxy": "127.0.0.1"}
    subprocess.run(["/bin/sh", "-c", command], env=environment, check=True, timeout=60)
    said = (tmp_path / "log").read_text()
    assert ("failed" if number == 0 else "nobody is to be told") in said
