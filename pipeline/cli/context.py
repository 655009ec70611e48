"""What every command needs: the configuration, the files, connections, and how to end."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipeline.config import Config, Paths
    from pipeline.derive import Rules
    from pipeline.notify.outbox import Outbox
    from pipeline.notify.settings import AlertSettings
    from pipeline.tracking.corrections import Corrections


class Code(IntEnum):
    """Exit codes, so that a cron job can tell how a check ended."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    CHANGED = 3
    HELD = 4
    INTERRUPTED = 130
    TERMINATED = 143


class Failure(Exception):  # noqa: N818 - it is what the user is told, not an exception's name
    """Ends the command with one sentence and an exit code."""

    def __init__(self, message: str, code: Code = Code.FAILED) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Context:
    """The options given before the command."""

    database: Path | None
    config_file: Path | None

    @cached_property
    def config_path(self) -> Path | None:
        """The config file in use, or None for the defaults."""
        if self.config_file is not None:
            return self.config_file
        from pipeline.cli.starting import found_config

        return found_config()

    @cached_property
    def config(self) -> "Config":
        """The checked configuration."""
        from pipeline.config import load
        from pipeline.settings_file import ConfigError

        try:
            return load(self.config_path)
        except ConfigError as error:
            raise Failure(str(error), Code.USAGE) from None

    @cached_property
    def paths(self) -> "Paths":
        """The files that the command works on."""
        from pipeline.config import paths

        return paths(self.config, self.config_path, self.database)

    @cached_property
    def corrections(self) -> "Corrections":
        """The checked corrections."""
        from pipeline.corrections_file import load_corrections
        from pipeline.settings_file import ConfigError

        try:
            return load_corrections(self.paths.corrections)
        except ConfigError as error:
            raise Failure(str(error), Code.USAGE) from None

    @cached_property
    def folder(self) -> Path:
        """The folder that relative paths of the config are relative to."""
        return self.config_path.absolute().parent if self.config_path else Path.cwd()

    @cached_property
    def alerts_wanted(self) -> bool:
        """Whether anybody is to hear of what is found."""
        from pipeline.config import alerts_wanted
        from pipeline.settings_file import ConfigError

        try:
            return alerts_wanted(self.config_path)
        except ConfigError as error:
            raise Failure(str(error), Code.USAGE) from None

    @cached_property
    def alerts(self) -> "AlertSettings":
        """Who is to hear of what; without the secrets, which only sending needs."""
        return self._alerts(secrets=False)

    @cached_property
    def alerts_with_secrets(self) -> "AlertSettings":
        """The same with all secrets."""
        return self._alerts(secrets=True)

    @cached_property
    def alerts_to_send(self) -> "AlertSettings":
        """The same with those secrets that the environment has, and without the subscribers whose entries are wrong."""
        return self._alerts(secrets=True, lenient=True, only_right=True)

    @cached_property
    def alerts_to_note(self) -> "AlertSettings":
        """The same without secrets, and without the subscribers whose entries are wrong."""
        return self._alerts(secrets=False, only_right=True)

    def _alerts(self, *, secrets: bool, lenient: bool = False, only_right: bool = False) -> "AlertSettings":
        from pipeline.notify.entries import load_right
        from pipeline.notify.settings import load
        from pipeline.settings_file import ConfigError

        try:
            return (load_right if only_right else load)(self.config_path, secrets=secrets, lenient=lenient)
        except ConfigError as error:
            raise Failure(str(error), Code.USAGE) from None

    @cached_property
    def outbox(self) -> "Outbox":
        """Where what is found is noted for those who asked for it."""
        from pipeline.notify.outbox import Outbox

        alerts = self.alerts_to_note
        return Outbox(alerts.subscribers, unread=[one.name for one in alerts.mistaken if one.name])

    @cached_property
    def rules(self) -> "Rules":
        """Thresholds and corrections."""
        from pipeline.derive import Rules

        return Rules(self.config.policy, self.corrections, self.config.source.link_hosts)

    def validate(self) -> str:
        """Check the configuration, the corrections and the subscribers, as cheaply as they allow.

        Returns:
            What is wrong with single subscribers, which keeps nobody else from being told; mostly nothing.

        Raises:
            Failure: one of them is wrong.
        """
        from pipeline.config import has_corrections

        if has_corrections(self.paths.corrections):
            _ = self.corrections
        return self.alerts_to_note.mistake if self.alerts_wanted else ""

    def database_at_least(self) -> Path | None:
        """Where the history is, also if the rest of the configuration is wrong; None if that cannot be told."""
        from pipeline.config import Config, paths, storage

        if self.database is not None:
            return self.database.absolute()
        part = storage(self.config_path)
        return paths(Config(storage=part), self.config_path, None).database if part else None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The history, read-only."""
        from db.connect import HistoryError, open_readonly

        try:
            connection = open_readonly(self.paths.database)
        except HistoryError as error:
            raise Failure(str(error)) from error
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def writing(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        """The history, for writing, by this process alone; it is made only if `create` says so."""
        if create and self.database is not None and not self.database.absolute().parent.parent.is_dir():
            folder = self.database.absolute().parent.parent
            raise Failure(f"there is no folder {folder}; is {self.database} misspelt?", Code.USAGE)
        with write_to(self.paths.database, create=create) as connection:
            yield connection


@contextmanager
def write_to(database: Path, *, create: bool = False) -> Iterator[sqlite3.Connection]:
    """A history for writing, by this process alone.

    Raises:
        Failure: it is not there and not to be made, it is no history, or another process is writing to it.
    """
    from db import read
    from db.connect import HistoryError, close_writable, examine, open_writable, refuse_missing, transaction
    from pipeline.lock import Busy, only_writer

    try:
        if not create:
            refuse_missing(database)
        examine(database)
        with only_writer(database):
            connection = open_writable(database)
            try:
                if not read.is_annotated(connection):  # it has just been migrated, or a run was interrupted
                    from pipeline.annotating import annotate

                    with transaction(connection):
                        annotate(connection)
                yield connection
            finally:
                close_writable(connection)
    except (HistoryError, Busy) as error:
        raise Failure(str(error)) from error


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A callback (done, all) that draws a bar on a terminal once a second has passed, and does nothing in a pipe."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def say(text: str = "", **style: Any) -> None:
    """Print a line; colours appear on a terminal only."""
    click.secho(text, **style)


def say_taken_back(number: int) -> None:
    """Say that events that were told no longer stand, and what comes of it."""
    if number:
        events = "1 event that was told is" if number == 1 else f"{number:,} events that were told are"
        say(f"{events} taken back from those who were told, by the next `watch287g alerts send`", fg="yellow")
