"""What the daemon says: an event a line, for people or for programs, to stderr or to a rotated file.

Whatever a text holds, it stays on its line, and no secret stands in it. A warning means that somebody must act.
"""

import json
import logging
import os
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from math import isfinite
from pathlib import Path
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor

from pipeline.daemon.redaction import hidden
from pipeline.reports.escaping import printable

NAME = "watch287g"

_LONGEST = 2_000
_FILE_BYTES = 10_000_000
_FILES = 5
_FRAMES = 6

Log = structlog.stdlib.BoundLogger

_handlers: list[logging.Handler] = []


def set_up(form: str, file: Path | None) -> Log:
    """Begin to write the log, or go on in another form or file.

    Args:
        form: `json`, an object a line; `text`, `key=value`; `auto`, in colours on a terminal and else as `text`.
        file: a file of which, with those it becomes as it fills, 50 MB are kept; None for stderr.

    Returns:
        The daemon's logger. What others say goes the same way from a warning upwards.
    """
    close()
    handler = _Stderr(sys.stderr) if file is None else _File(file)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[_Line(_renderer(form, file))]))
    _handlers.append(handler)
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    ours = logging.getLogger(NAME)
    ours.setLevel(logging.INFO)
    log: Log = structlog.wrap_logger(
        ours,
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=Log,
        context_class=dict,
    )
    return log


def close() -> None:
    """Write no more, and leave logging as it was found but for the levels."""
    while _handlers:
        handler = _handlers.pop()
        logging.getLogger().removeHandler(handler)
        with suppress(OSError, ValueError):
            handler.close()
        logging.captureWarnings(False)


def redact(secrets: Iterable[str]) -> None:
    """From now on, show `…` in place of each of these, if it has four characters or more."""
    hidden.add(secrets)


class Once:
    """Says a state of affairs when it begins and when it is another, not each time that it is met."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._states: dict[str, object] = {}
        self._lock = threading.Lock()

    def __call__(self, key: str, state: object, level: str, event: str, **fields: object) -> bool:
        """Log the event if the state of `key` is not the one last met, else for debugging only.

        Returns:
            Whether it was another state.
        """
        with self._lock:
            is_new = key not in self._states or self._states[key] != state
            self._states[key] = state
        getattr(self._log, level if is_new else "debug")(event, **fields)
        return is_new

    def forget(self, key: str) -> None:
        """Whatever the state of `key` is next, it is another."""
        with self._lock:
            self._states.pop(key, None)


def _renderer(form: str, file: Path | None) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(
            serializer=lambda fields, **_: json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        )
    if form == "auto" and file is None and _is_colourful():
        return structlog.dev.ConsoleRenderer(colors=True, sort_keys=False, timestamp_key="time")
    return structlog.processors.LogfmtRenderer(bool_as_flag=False)


def _is_colourful() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


class _Line:
    """A record, ours or another library's, as one line."""

    def __init__(self, renderer: Processor) -> None:
        self._renderer = renderer

    def __call__(self, logger: Any, method: str, event: EventDict) -> str:
        record: logging.LogRecord = event.pop("_record")
        is_ours = event.pop("_from_structlog")
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname.lower(),
            "event": _plain(event.pop("event", "")),
        }
        if not is_ours:
            fields["logger"] = _plain(record.name)
        error = _error(event.pop("exc_info", None))
        for key, value in (*event.items(), *error):
            fields.setdefault(_key(key), _plain(value))
        return str(self._renderer(logger, method, fields))


def _error(given: Any) -> Iterator[tuple[str, str]]:
    """An exception as fields: what, because of what, and where, the innermost first."""
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else None
    if given is True:
        error = sys.exc_info()[1]
    if error is None:
        return
    yield "error", f"{type(error).__name__}: {_text(error)}"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield "cause", f"{type(cause).__name__}: {_text(cause)}"
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    if frames:
        yield "at", " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))


def _key(key: object) -> str:
    return "_".join(hidden(printable(_text(key))).split()) or "_"


def _plain(value: object) -> str | int | float | bool | None:
    """A value that no renderer has to escape: a number, or one line without secrets."""
    if value is None or isinstance(value, bool):
        return value
    text = _text(value)
    shown = printable(hidden(text))
    if isinstance(value, int | float) and isfinite(value) and shown == text:
        return value
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return ", ".join(f"{_text(key)}: {_text(item)}" for key, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(_text, value))
    try:
        return str(value)
    except Exception:  # what is logged must not break who logs
        return type(value).__name__


class _Stderr(logging.StreamHandler[TextIO]):
    """Lines to stderr; of one that cannot be written nothing more can be said."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002
        """Say that a line is lost, without what was in it."""
        _complain(f"a line of the log could not be written: {_reason(sys.exc_info()[1])}")


def _reason(error: BaseException | None) -> str:
    words = error.strerror or "" if isinstance(error, OSError) else ""
    return printable(hidden(words)) or type(error).__name__


def _complain(words: str) -> None:
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{NAME}: {words}\n")
        sys.stderr.flush()


class _File(RotatingFileHandler):
    """A file that is set aside when it is full; opened when first needed, and anew after each failure.

    What goes wrong is said once, on stderr, and again only if a line could be written in between.
    """

    def __init__(self, path: Path) -> None:
        self._failed = self._failed_before = self._grows = False
        super().__init__(path, maxBytes=_FILE_BYTES, backupCount=_FILES - 1, encoding="utf-8", delay=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or lose it."""
        self._failed = False
        super().emit(record)
        self._failed_before = self._failed

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802, ARG002
        """Let go of the file, with what could not be written to it."""
        self._failed = True
        if not self._failed_before:
            _complain(f"the log cannot be written: {_reason(sys.exc_info()[1])}; what is said meanwhile is lost")
        stream: TextIOWrapper | None = self.stream
        self.stream = None
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()

    def doRollover(self) -> None:  # noqa: N802
        """Begin another file, or go on in this one where it cannot be set aside."""
        try:
            super().doRollover()
        except OSError as error:
            if not self._grows:
                self._grows = True
                _complain(f"the log cannot be set aside and grows: {_reason(error)}")

    def _open(self) -> TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        stream = super()._open()
        if stream.tell() and not _ends_a_line(Path(self.baseFilename)):
            stream.write("\n")
        return stream


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
