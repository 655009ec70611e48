"""`run`: the daemon."""

from typing import TYPE_CHECKING

import click

from pipeline.cli.context import Code, Context, Failure

if TYPE_CHECKING:
    from pipeline.daemon.service import Settings


@click.command()
@click.pass_obj
def run(context: Context) -> None:
    """Check, send, verify and back up by the clock, as `schedule` in config.yaml says, until told to end.

    SIGTERM ends it within seconds; SIGHUP reads config.yaml anew, and keeps the old one where the new one is wrong. For
    systemd, containers and the rest see deploy/README.md.
    """
    from pipeline.daemon import logs
    from pipeline.daemon.redaction import in_config
    from pipeline.daemon.service import Daemon
    from pipeline.lock import Busy, only_daemon

    def load() -> "Settings":
        fresh = Context(context.database, context.config_file)
        logs.redact(in_config(fresh.config_path))
        try:
            return _settings(fresh)
        except Failure as failure:
            raise ValueError(str(failure)) from None

    try:
        settings = load()
    except ValueError as mistake:
        raise Failure(str(mistake), Code.USAGE) from None
    options = [] if context.config_path is None else ["--config", str(context.config_path.absolute())]
    options += [] if context.database is None else ["--db", str(context.database.absolute())]
    watching = settings.config.watching
    log_file = context.folder / watching.log_file if watching.log_file else None
    try:
        with only_daemon(settings.paths.database):
            log = logs.set_up(watching.log_format, log_file)
            Daemon(load, options, log).run()
    except Busy as error:
        raise Failure(str(error)) from None
    finally:
        logs.close()


def _settings(context: Context) -> "Settings":
    """The config, whole and checked, with its secrets.

    Raises:
        Failure: something in it is wrong.
    """
    from pipeline.config import load
    from pipeline.daemon.service import Settings
    from pipeline.daemon.timetable import trigger
    from pipeline.settings_file import ConfigError

    try:
        config = load(context.config_path, secrets=True)
        times = config.schedule
        for name in ("checks", "deliveries", "self_check", "backup"):
            try:
                trigger(getattr(times, name), times.time_zone)
            except ValueError as error:
                raise ConfigError(f"{context.config_path}: schedule.{name}: {error}") from None
    except ConfigError as error:
        raise Failure(str(error)) from None
    context.validate()
    wanted = context.alerts_wanted
    return Settings(config, context.paths, wanted, _mistake(context) if wanted else "")


def _mistake(context: Context) -> str:
    """What is wrong with single subscribers, so that only they wait.

    Raises:
        Failure: something else is wrong, or a secret is missing.
    """
    try:
        _ = context.alerts_with_secrets
    except Failure as failure:
        if not context.alerts_to_send.mistaken:
            raise
        return str(failure)
    return ""
