"""What the daemon is about to do, in a small file beside the database, for `status` to say."""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from pipeline.daemon.redaction import hidden
from pipeline.reports.escaping import printable

_LONGEST = 2_000
_MOST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class State:
    """The daemon as it last was. `next` gives the time of the next run by the job's name; `config_error` says what was
    wrong with the config that it was told to read, and did not take.
    """

    pid: Annotated[int, Field(gt=0, lt=2**31)]
    version: str
    started_at: AwareDatetime
    next: Mapping[str, AwareDatetime] = field(default_factory=dict)
    backing_off_until: AwareDatetime | None = None
    config_error: str | None = None
    written_at: AwareDatetime = field(default_factory=lambda: datetime.now(UTC))


_STATE = TypeAdapter(State)


def beside(database: Path) -> Path:
    """The file in which the state of a database's daemon is."""
    return Path(f"{database}.daemon.json")


def write(path: Path, state: State) -> str | None:
    """Put the state in place of the last one; a reader sees either whole.

    Returns:
        None, or one line on why it could not be written; the last one then stays.
    """
    error = state.config_error
    shown = replace(state, config_error=printable(hidden(error))[:_LONGEST] if error else None)
    new = path.with_name(f"{path.name}.new")
    try:
        new.write_bytes(_STATE.dump_json(shown, indent=2) + b"\n")
        new.replace(path)
    except OSError as reason:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        return f"{path} cannot be written: {reason.strerror or reason}"
    return None


def read(path: Path) -> State | None:
    """The state that was last written; None if there is none, or it is damaged."""
    try:
        with path.open("rb") as file:
            return _STATE.validate_json(file.read(_MOST_BYTES))
    except (OSError, ValidationError):
        return None


def is_running(database: Path, state: State) -> bool:
    """Whether the daemon that wrote the state runs: its process is there, and the lock of the daemon is held.

    A number of a process is given to others after a crash, so the lock decides; looking at it takes nothing from who
    waits for it but an instant, and only where such a process is.
    """
    return _is_alive(state.pid) and _is_locked(Path(f"{database}.daemon.lock"))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _is_locked(path: Path) -> bool:
    """Whether somebody holds the lock, without making its file or writing to it."""
    try:
        import fcntl
    except ImportError:  # no such locks here: the process has to do
        return path.exists()
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
