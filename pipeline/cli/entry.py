"""The `watch287g` command: options common to all, and the commands by name, loaded when they are called."""

import gc
import importlib
import io
import os
import signal
import sqlite3
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from pipeline.cli.context import Code, Context, Failure

_COMMANDS = {
    "init": "pipeline.cli.starting:init",
    "check": "pipeline.cli.checking:check",
    "backfill": "pipeline.cli.making:backfill",
    "rebuild": "pipeline.cli.making:rebuild",
    "report": "pipeline.cli.reporting:report",
    "list": "pipeline.cli.listing:list_",
    "show": "pipeline.cli.listing:show",
    "explain": "pipeline.cli.explaining:explain",
    "stats": "pipeline.cli.counting:stats",
    "cite": "pipeline.cli.citing:cite",
    "compare": "pipeline.cli.comparing:compare",
    "export": "pipeline.cli.exporting:export",
    "site": "pipeline.cli.publishing_site:site",
    "serve": "pipeline.cli.serving:serve",
    "status": "pipeline.cli.checking:status",
    "alerts": "pipeline.cli.alerting:alerts",
    "held": "pipeline.cli.deciding:held",
    "review": "pipeline.cli.deciding:review",
    "archive": "pipeline.cli.keeping:archive",
    "backup": "pipeline.cli.safekeeping:backup",
    "restore": "pipeline.cli.safekeeping:restore",
    "self-check": "pipeline.cli.safekeeping:self_check",
    "config": "pipeline.cli.keeping:config",
    "run": "pipeline.cli.running:run",
    "demo": "pipeline.cli.showing:demo",
}


class Commands(click.Group):
    """A group that imports a command's module only when the command, or its help, is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The names, in the order of the work."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; where the history is damaged, say which backup to put in its place."""
        try:
            return super().invoke(ctx)
        except (sqlite3.DatabaseError, Failure) as error:
            from pipeline.cli.safekeeping import explained

            if isinstance(ctx.obj, Context) and (told := explained(ctx.obj, error)):
                raise Failure(told) from None
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands with the first line of their help."""
        rows = [(name, self._command(ctx, name).get_short_help_str(90)) for name in _COMMANDS]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def _command(self, ctx: click.Context, name: str) -> click.Command:
        command = self.get_command(ctx, name)
        if command is None:
            raise click.UsageError(f"no command {name}")
        return command


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 unchanged or done, 1 failed, 2 wrong usage, 3 changed, 4 held. Details: README.md.",
)
@click.option(
    "--db",
    "database",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The history (else from the config); its archive and crawl.log are then in the same folder.",
)
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The config file (else ./config.yaml, the user's, the site's, the defaults).",
)
@click.version_option(package_name="watch287g")
@click.pass_context
def cli(context: click.Context, database: Path | None, config_file: Path | None) -> None:
    """Which police agencies have signed up to do immigration enforcement for ICE, and which have left.

    Visits ICE's page of 287(g) agreements, keeps every workbook, and tells what is new, terminated, renewed,
    reinstated or merely corrected.
    """
    context.obj = Context(database, config_file)


def main() -> Any:
    """The console script: returns the exit code.

    A user's mistake is one sentence on standard error; a traceback is a bug.
    """
    # Importing makes many objects and no garbage; a command that lives for a second need not look for any.
    gc.set_threshold(100_000, 50, 100)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(Code.TERMINATED))  # what is held is let go
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    if intruder := _intruder():
        sys.exit(f"watch287g: {intruder}")
    try:
        return cli.main(prog_name="watch287g", standalone_mode=False, color=False if plain else None)
    except Failure as failure:
        _end(failure.code, str(failure))
    except sqlite3.Error as error:
        _end(Code.FAILED, f"{error}; nothing half-done was kept")
    except BrokenPipeError:
        _end(Code.DONE)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _end(Code.FAILED, f"{where}{error.strerror or error}; nothing half-done was kept")
    except click.Abort:
        _end(Code.INTERRUPTED, "interrupted; what was committed stays, run the command again")
    except click.ClickException as error:
        with suppress(OSError):
            error.show()
        _end(error.exit_code)


def _end(code: int, sentence: str | None = None) -> NoReturn:
    """End with a sentence on standard error, also if nothing can be written any more: to a full disk, a closed pipe."""
    with suppress(OSError):
        if sentence is not None:
            click.secho(f"watch287g: {sentence}", fg="red", err=True)
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except (OSError, ValueError):
            # What is left in the buffer would be tried again at exit, and fail with a traceback.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)


def _intruder() -> str | None:
    """The three import names are generic: say which foreign package stands in the place of one of ours."""
    import db
    import pipeline
    import scraper

    home = Path(pipeline.__file__ or "").resolve().parent.parent
    for package in (db, scraper):
        place = Path(package.__file__ or "/").resolve().parent
        if place.parent != home:
            return (
                f"the package {package.__name__!r} at {place} hides ours; uninstall it or use an environment of its own"
            )
    return None
