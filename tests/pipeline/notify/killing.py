"""Sending that is killed on purpose, again and again: run as `python -m tests.pipeline.notify.killing FOLDER SHARE...`.

FOLDER has a history.db with an outbox, and a config.yaml whose channels lead to servers of the caller. Everything is
loaded once; each attempt is a fork of this process that sends what is due and sends itself SIGKILL at an instant, an
SQL statement or a point between sending and recording, given in thousandths of a run. In the end it runs undisturbed
until nothing is due. Prints one JSON object: kills, instants (of the first run), and the log.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from db import outbox
from db.connect import open_writable
from pipeline.notify import sending
from pipeline.notify.channels import making  # noqa: F401 - loaded once, before the forks
from pipeline.notify.settings import load
from tests.db.killing import Instants, at, count_everything

LATER = datetime(2025, 3, 10, tzinfo=UTC)


def send(folder: Path, number: int, tick: Callable[[], None]) -> None:
    """What `watch287g alerts send` does, the `number`-th time: an hour after the time before."""
    connection = open_writable(folder / "history.db")
    try:
        now = LATER + timedelta(hours=number)
        sending.send(connection, load(folder / "config.yaml"), folder, 1e6, clock=lambda: now, hook=tick)
    finally:
        connection.close()


def attempt(folder: Path, number: int, fatal: int) -> int | None:
    """Send in a fork of this process; the number of instants, or None if it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        instants = Instants(fatal)
        count_everything(instants)
        send(folder, number, instants.tick)
        os.write(writing, str(instants.last).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return None
    if status:
        raise RuntimeError(f"the attempt ended with {status}")
    return int(said)


def main(folder: Path, shares: list[int], total: int) -> dict[str, object]:
    """Kill at each instant in turn, then let it end."""
    kills = sum(attempt(folder, number, at(share, total)) is None for number, share in enumerate(shares))
    for number in range(len(shares), len(shares) + 60):
        attempt(folder, number, 0)
        connection = open_writable(folder / "history.db")
        waiting = outbox.waiting(connection)
        log = [(one.public_id, one.target, one.state, one.attempts) for one in outbox.log(connection, limit=-1)]
        connection.close()
        if not waiting:
            break
    return {"kills": kills, "log": log, "waiting": len(waiting), "cpu": time.process_time()}


if __name__ == "__main__":
    place, instants, *rest = sys.argv[1:]
    json.dump(main(Path(place), [int(share) for share in rest], int(instants)), sys.stdout)
