"""The daemon for a while, with a check every few seconds: `python -m tests.soak [MINUTES]`, 30 by default.

A site on localhost posts a new list now and then and fails now and then; a subscriber is told by mail. What the process
holds (memory, open files, threads, children) is sampled and has to stay as it is. For a minute in the middle somebody
reads the database and does not let go; checks have to go on.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.demo.server import Answer, Behaviour, Site
from tests import workbooks
from tests.db.histories import COUNTIES, rows
from tests.pipeline.notify.sinks import MailSink

ROOT = Path(__file__).parents[1]
CONFIG = """
source: {{page: '{site}/287g', allowed_hosts: [127.0.0.1], delay_seconds: 0, retries: 0, timeout_seconds: 3}}
schedule: {{checks: every 3 seconds, jitter_seconds: 0, deliveries: every 7 seconds, longest_wait_hours: 0,
  self_check: every 60 seconds, backup: every 60 seconds}}
watching: {{port: {port}, log_format: json}}
alerts:
  mail: {{host: 127.0.0.1, port: {mail}, security: none, sender: alerts@example.org}}
  operators: {{channels: [{{folder: operators}}]}}
  feeds: {{folder: feeds}}
subscribers: [{{name: all, channels: [{{email: reader@example.org}}]}}]
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the daemon holds: memory in kB, open files, threads, and child processes that are left over."""

    memory: int
    files: int
    threads: int
    zombies: int


def sample(pid: int) -> Sample:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    found = subprocess.run(["ps", "--ppid", str(pid), "-o", "stat="], capture_output=True, text=True, check=False)
    zombies = sum(line.startswith("Z") for line in found.stdout.splitlines())
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(int(status["VmRSS"].split()[0]), files, int(status["Threads"]), zombies)


class Reader:
    """Somebody who reads the database in one transaction from second 0 to 60 of `at`; counts the checks meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path, self.held, self.checks = path, 0.0, 0
        self._connection: sqlite3.Connection | None = None
        self._since = 0.0

    def at(self, second: float) -> None:
        if self._connection is None and 0 <= second < 60:
            self._connection = sqlite3.connect(self.path, isolation_level=None)
            self._connection.execute("begin")
            self._count(self._connection)  # a read, which takes the snapshot that is then held
            self._since = second
        elif self._connection is not None and second - self._since >= 60:
            seen = self._count(self._connection)
            self._connection.execute("commit")
            self.held, self.checks = second - self._since, self._count(self._connection) - seen
            self._connection.close()
            self._connection = None

    @staticmethod
    def _count(connection: sqlite3.Connection) -> int:
        return int(connection.execute("select count(*) from check_log").fetchone()[0])


def post(site: Site, number: int) -> None:
    """Post the list of a day: one county more or fewer each time."""
    day = datetime(2025, 3, 3, 12, tzinfo=UTC) + timedelta(days=number)
    name = f"participatingAgencies{day:%m%d%Y}am.xlsx"
    body = workbooks.participating(rows(*COUNTIES[: 20 + number % 7]), modified=day)
    page = f'<a href="/doclib/{name}">View 287(g) Participating Agencies</a>'
    site.pages["/287g"] = Answer(headers={"Content-Type": "text/html", "ETag": f'"{number}"'}, body=page.encode())
    site.pages[f"/doclib/{name}"] = Answer(headers={"ETag": f'"w{number}"'}, body=body)


def main(minutes: float) -> int:
    """Run, sample, compare the second quarter with the last; returns 1 if something grew."""
    chance, port = random.Random(287), 18_287
    with tempfile.TemporaryDirectory() as name, Site() as site, MailSink() as mail:
        folder = Path(name)
        post(site, 0)
        config = CONFIG.format(site=site.url, mail=mail.port, port=port)
        (folder / "config.yaml").write_text(config, encoding="utf-8")
        command = [sys.executable, "-m", "pipeline", "--config", str(folder / "config.yaml"), "run"]
        with (folder / "log").open("wb") as log:
            daemon = subprocess.Popen(command, cwd=ROOT, stderr=log, stdout=log)
        until, samples, number = time.monotonic() + minutes * 60, list[Sample](), 0
        middle, reader = time.monotonic() + minutes * 30, Reader(folder / "data" / "history.db")
        while time.monotonic() < until and daemon.poll() is None:
            time.sleep(5)
            reader.at(time.monotonic() - middle)
            samples.append(sample(daemon.pid))
            if len(samples) % 6 == 0:
                number += 1
                post(site, number)
            elif chance.random() < 0.1:
                kept = site.pages["/287g"]
                site.pages["/287g"] = [Answer(500), Answer(behaviour=Behaviour.reset), kept]
        daemon.send_signal(signal.SIGTERM)
        code = daemon.wait(30)
        checks = _outcomes(folder)
        warnings = (folder / "log").read_text(encoding="utf-8").count('"level":"warning"')
        sizes = {path.name: path.stat().st_size for path in (folder / "data").iterdir() if path.is_file()}
        left = [
            path.name for path in Path(tempfile.gettempdir()).glob("tmp*") if path.stat().st_mtime > time.time() - 5
        ]
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    print(
        f"{len(samples)} samples in {minutes:g} minutes; exit {code}; {number} lists posted, {len(mail.received)} mails"
    )
    print(f"checks: {' '.join(checks.split())}; {warnings} warnings logged")
    print(f"while somebody read for {reader.held:.0f} seconds: {reader.checks} checks recorded")
    wrong = code != 0 or reader.checks == 0
    for field in ("memory", "files", "threads", "zombies"):
        before = statistics.median(getattr(one, field) for one in early)
        after = statistics.median(getattr(one, field) for one in late)
        most = max(getattr(one, field) for one in samples)
        grew = after > before * 1.03 + (field == "files")
        wrong = wrong or grew
        print(f"{field:<8} second quarter {before:,.0f}, last {after:,.0f}, most {most:,}{'  GREW' if grew else ''}")
    print(f"sizes: {sizes}; temporary files of the last seconds: {left or 'none'}")
    return int(wrong)


def _outcomes(folder: Path) -> str:
    connection = sqlite3.connect(folder / "data" / "history.db")
    found = connection.execute("select outcome, count(*) from check_log group by outcome").fetchall()
    connection.close()
    return " ".join(f"{outcome}|{count}" for outcome, count in found)


if __name__ == "__main__":
    os.environ["no_proxy"] = "127.0.0.1"
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 30))
