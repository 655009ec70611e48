"""A command of ours as a child process in a session of its own, with a hard limit, ended as a whole.

The daemon itself stays small: it loads nothing that a check or a delivery needs, and nothing that goes wrong in one
reaches it.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock

_GRACE_SECONDS = 5.0
"""How long a child that is asked to end may take."""

_TAIL_BYTES = 4000


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: its exit code, None if it was ended at its limit or with the daemon; and its last words."""

    code: int | None
    seconds: float
    said: str
    complained: str


class Child:
    """Runs one command at a time; `stop`, from another thread, ends the one that runs and lets no other begin."""

    def __init__(self, options: Sequence[str]) -> None:
        self._options = options
        self._stopped = Event()
        self._one = Lock()

    def run(self, arguments: Sequence[str], limit_seconds: float) -> Ended:
        """Run `watch287g` with these arguments until it ends, or is ended."""
        started = time.monotonic()
        # Files rather than pipes: nothing to drain, and a child that outlives us cannot hang on us.
        with self._one, tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            if self._stopped.is_set():
                return Ended(None, 0.0, "", "the daemon ends")
            process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-P", "-m", "pipeline", *self._options, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": _import_path()},
                start_new_session=True,
            )
            code = self._wait(process, limit_seconds)
            return Ended(code, time.monotonic() - started, _tail(output.fileno()), _tail(errors.fileno()))

    def _wait(self, process: subprocess.Popen[bytes], limit_seconds: float) -> int | None:
        until = time.monotonic() + limit_seconds
        while not self._stopped.is_set() and (left := until - time.monotonic()) > 0:
            with suppress(subprocess.TimeoutExpired):
                return process.wait(min(left, 1.0))
        end(process)
        return None

    def stop(self) -> None:
        """End the child that runs, within seconds, and start no other."""
        self._stopped.set()


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask a child to end, and kill it and all that it started if it does not."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(_GRACE_SECONDS)
    for pid in _session(process.pid):
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _session(leader: int) -> list[int]:
    """The processes of a session that are left, where the system tells; else its leader."""
    found = [leader] if _is_alive(leader) else []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if os.getsid(int(entry.name)) == leader:
                found.append(int(entry.name))
    return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _import_path() -> str:
    """Where this very code is: other packages have its generic names too."""
    root = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])


def _tail(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES)).decode("utf-8", "replace").strip()
