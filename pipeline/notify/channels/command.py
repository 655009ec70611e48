"""A command of the operator's: the message as JSON on its standard input.

The program is started without a shell, in the folder of the configuration. It is told the id of the message, by which
it can tell a repetition, in WATCH287G_MESSAGE_ID, and the subject and the kind in WATCH287G_SUBJECT and WATCH287G_KIND.
Of the environment it gets only what `PASSED_ON` names: our secrets stand in it too.

It ends with 0 when it has taken the message, with 75 (EX_TEMPFAIL) when it wants it again later, and with anything
else when it will not have it. What it prints to standard output is thrown away; the last line that it prints to
standard error is kept as the reason.
"""

import errno
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import IO

from pipeline.notify.channels.attempt import Refused, Unavailable
from pipeline.notify.channels.reason import one_line
from pipeline.notify.settings import Delivery
from pipeline.reports.messages import data, wording
from pipeline.reports.messages.content import Message

PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""The variables of the environment that a command gets."""

_PASSING = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ETXTBSY}
"""Errors of this machine that pass."""

_TAIL_BYTES = 4096
_PATIENCE_SECONDS = 0.5


class CommandChannel:
    """Runs one command for each message, and ends it, with all that it started, when it takes too long."""

    def __init__(self, arguments: Sequence[str], folder: Path, delivery: Delivery) -> None:
        self.pause = 0.0
        self._arguments, self._folder, self._timeout = tuple(arguments), folder, delivery.timeout_seconds
        self._program = Path(self._arguments[0]).name
        self.lane = f"exec:{self._program}:{sha256(repr(self._arguments).encode()).hexdigest()[:12]}"

    def send(self, message: Message) -> str:
        """Run the command.

        Raises:
            NotSent: it could not be run, did not end in time, or did not end with 0.
        """
        with tempfile.TemporaryFile() as document:
            document.write(data.document(message).encode())
            document.seek(0)
            process = self._started(document, _environment(message))
        said = _Tail(process)
        try:
            code = process.wait(self._timeout)
        except subprocess.TimeoutExpired:
            raise Unavailable(f"{self._program} did not end within {self._timeout:g} seconds", perhaps=True) from None
        finally:
            if process.returncode is None:
                _kill(process)
        return self._judged(code, said.last_line())

    def _started(self, document: IO[bytes], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(  # noqa: S603 - the operator wrote the command
                self._arguments,
                stdin=document,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            kind = Unavailable if error.errno in _PASSING else Refused
            raise kind(f"{self._program} could not be started: {error.strerror}") from None
        except ValueError:
            raise Refused(f"{self._program} could not be started: an argument holds a null byte") from None

    def _judged(self, code: int, said: str) -> str:
        reason = f": {said}" if said else ""
        if code == 0:
            return f"{self._program} ended with 0"
        if code < 0:
            raise Unavailable(f"{self._program} was ended by {_signal_name(-code)}{reason}", perhaps=True)
        if code == os.EX_TEMPFAIL:
            raise Unavailable(f"{self._program} asks to be tried later{reason}")
        raise Refused(f"{self._program} ended with {code}{reason}")


class _Tail:
    """The end of what a process prints to standard error, read as it comes, so that it neither waits nor fills memory.

    What the process leaves running may keep the pipe open: it is read on, and not waited for.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._end = b""
        self._reader = Thread(target=self._read, args=(process.stderr,), daemon=True)
        self._reader.start()

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while part := os.read(stream.fileno(), _TAIL_BYTES):
                self._end = (self._end + part)[-_TAIL_BYTES:]

    def last_line(self) -> str:
        """The last line that is not empty."""
        self._reader.join(_PATIENCE_SECONDS)
        lines = [line for line in self._end.decode("utf-8", "replace").splitlines() if line.strip()]
        return one_line(lines[-1]) if lines else ""


def _environment(message: Message) -> dict[str, str]:
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed | {
        "WATCH287G_MESSAGE_ID": message.id,
        "WATCH287G_SUBJECT": wording.subject(message),
        "WATCH287G_KIND": message.kind.value,
    }


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
