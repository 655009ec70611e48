"""The daemon: checks, deliveries, self-checks and backups by the clock, each as a child process.

What has to be known from one run to the next is in the database; the daemon itself keeps nothing that a restart would
lose, and loads neither the crawler nor the reader.
"""

import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from db.connect import HistoryError, open_readonly
from pipeline import __version__
from pipeline.config import Config, Paths
from pipeline.daemon import backing_off, heartbeat, readings, state
from pipeline.daemon.child import Child, Ended
from pipeline.daemon.endpoint import Endpoint
from pipeline.daemon.logs import Log, Once
from pipeline.daemon.systemd import Notifier
from pipeline.daemon.timetable import trigger

HISTORY, ALERTS, PAGES = "history", "alerts", "pages"
"""The things that go on side by side: what writes the history, what sends its messages, what makes web pages of it."""

_CLOCK_WAS_SET = 60.0
"""Seconds by which the clock may differ from the time that has passed."""

_PATIENCE = 15.0
"""Seconds for which the end waits for jobs whose children have been told to end."""

_FRESH = timedelta(minutes=30)
"""A daemon that starts makes a check at once, unless the last is no older than this."""


@dataclass(frozen=True, slots=True)
class Last:
    """The last check, and how many have failed since the last that went well."""

    finished_at: datetime | None
    outcome: str
    message: str
    failures: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What the daemon is run with: the checked config, the files, and whether anybody is to be told.

    `mistake` is what is wrong with entries of `subscribers`, which wait: that is no reason not to start.
    """

    config: Config
    paths: Paths
    alerts: bool
    mistake: str = ""


class Daemon:
    """Runs until it is told to end.

    `load` reads the config anew and raises ValueError with a line for each mistake; `options` are what children get
    before their command, such as `--config FILE`; `log` is a structured logger.
    """

    def __init__(self, load: Callable[[], Settings], options: list[str], log: Log) -> None:
        self._load = load
        self._settings = load()
        self._log = log
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._children = {name: Child(options) for name in (HISTORY, ALERTS, PAGES)}
        self._systemd = Notifier()
        self._endpoint: Endpoint | None = None
        self._scheduler = BackgroundScheduler()
        self._started = datetime.now(UTC)
        self._backing_off_until: datetime | None = None
        self._mistake = ""
        self._once = Once(log)
        self._at_work = 0
        self._done = threading.Condition()

    def run(self) -> None:
        """Go on until SIGTERM or SIGINT; SIGHUP reads the config anew."""
        for number, word in ((signal.SIGTERM, "end"), (signal.SIGINT, "end"), (signal.SIGHUP, "reload")):
            signal.signal(number, lambda *_, word=word: self._told.put(word))
        self._begin()
        self._log.info("started", pid=os.getpid(), version=__version__, database=str(self._settings.paths.database))
        if self._settings.mistake:
            self._log.warning("some subscribers are told nothing", mistake=_in_a_line(self._settings.mistake))
        self._systemd.ready()
        try:
            self._wait()
        finally:
            self._systemd.stopping()
            self._end()
            self._log.info("ended", pid=os.getpid())

    def _begin(self) -> None:
        """Start what goes by the clock, as the settings say."""
        watching = self._settings.config.watching
        if watching.port is not None:
            self._endpoint = Endpoint(watching.host, watching.port, self._readings)
            if problem := self._endpoint.start():
                self._once("endpoint", problem, "warning", "no endpoint", why=problem)
        logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a run that was skipped needs nobody
        self._scheduler = BackgroundScheduler(
            executors={name: ThreadPoolExecutor(1) for name in self._children},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )
        self._schedule()
        self._scheduler.start()
        self._write_state()

    def _schedule(self) -> None:
        times = self._settings.config.schedule
        backups = self._settings.config.backups.folder is not None
        jobs: list[tuple[str, str, Callable[[], None], str, int]] = [
            ("check", HISTORY, self.check, times.checks, times.jitter_seconds),
            ("self-check", HISTORY, self.self_check, times.self_check, 0),
        ]
        if backups:
            jobs.append(("backup", HISTORY, self.backup, times.backup, 0))
        if self._settings.alerts:
            jobs.append(("alerts", ALERTS, self.send, times.deliveries, 0))
        if self._settings.config.site.folder is not None:
            jobs.append(("site", PAGES, self.publish, times.site, 0))
        for name, executor, job, moment, jitter in jobs:
            self._scheduler.add_job(
                self._counted(job),
                trigger(moment, times.time_zone, jitter),
                id=name,
                executor=executor,
                replace_existing=True,
            )
        last = self._last()
        if last is None or last.finished_at is None or datetime.now(UTC) - last.finished_at > _FRESH:
            job = self._counted(self.check)
            self._scheduler.add_job(job, id="first check", executor=HISTORY, replace_existing=True)

    def _counted(self, job: Callable[[], None]) -> Callable[[], None]:
        """A job that is known to be at work while it is."""

        def at_work() -> None:
            with self._done:
                self._at_work += 1
            try:
                job()
            finally:
                with self._done:
                    self._at_work -= 1
                    self._done.notify_all()

        return at_work

    def _wait(self) -> None:
        """Until told to end: keep the watchdog quiet, and see that the clock is not set behind our back."""
        interval = min(self._systemd.interval() or 10.0, 10.0)
        drift = time.time() - time.monotonic()
        while True:
            try:
                word = self._told.get(timeout=interval)
            except queue.Empty:
                word = ""
            if word == "end":
                return
            now = time.time() - time.monotonic()
            if word == "reload":
                self._reload()
            elif word == "send" and self._settings.alerts:
                job = self._counted(self.send)
                self._scheduler.add_job(job, id="alerts after a check", executor=ALERTS, replace_existing=True)
            if abs(now - drift) > _CLOCK_WAS_SET:
                self._log.info("the clock was set", seconds=round(now - drift))
                self._schedule()
            drift = now
            self._systemd.ping()
            self._write_state()

    def _reload(self) -> None:
        """Take the config as it is now; a wrong one changes nothing."""
        self._systemd.reloading()
        settings = self._settings
        try:
            settings = self._load()
            mistake = settings.mistake
        except ValueError as error:
            mistake = str(error)
        self._mistake = _in_a_line(mistake)
        if mistake:
            self._log.warning("config not reloaded: the old one stays in force", mistake=self._mistake)
        else:
            self._scheduler.shutdown(wait=False)
            if self._endpoint is not None:
                self._endpoint.stop()
                self._endpoint = None
            self._settings = settings
            self._begin()
            self._log.info("config reloaded")
        self._systemd.ready()

    def _end(self) -> None:
        for child in self._children.values():
            child.stop()
        self._scheduler.shutdown(wait=True)
        with self._done:  # what an earlier timetable began, too
            self._done.wait_for(lambda: not self._at_work, _PATIENCE)
        if self._endpoint is not None:
            self._endpoint.stop()
        state.beside(self._settings.paths.database).unlink(missing_ok=True)

    # What is done by the clock

    def check(self) -> None:
        """Make a check, unless ICE is to be left alone for a while; then send what is due."""
        schedule = self._settings.config.schedule
        last, now = self._last(), datetime.now(UTC)
        if last is not None:
            longest = timedelta(hours=schedule.longest_wait_hours)
            if not backing_off.is_due(now, last.finished_at, last.failures, longest):
                self._backing_off_until = (last.finished_at or now) + backing_off.wait(last.failures, longest)
                self._once("backing off", "yes", "warning", "ICE is asked less often", failures=last.failures)
                return
        self._backing_off_until = None
        ended = self._child(HISTORY, ["check", "--no-send", "--trigger", "schedule"], schedule.check_limit_seconds)
        self._tell_check(ended)
        self._told.put("send")  # the main thread alone sets the timetable: it may be waiting for this one to end

    def _tell_check(self, ended: Ended) -> None:
        last = self._last()
        took = round(ended.seconds, 1)
        if ended.code is None:
            self._log.warning("check ended at its limit", seconds=took)
            return
        if (ended.code == 2 and not ended.said) or last is None:  # with 2, a check may have been made for the others
            self._once("check", ended.complained, "warning", "check not made", why=ended.complained, seconds=took)
            return
        failed = last.outcome.startswith("failed")
        if failed or last.outcome == "held":
            self._once("check", last.message, "warning", "check", outcome=last.outcome, message=last.message)
        else:
            self._once.forget("check")
            self._log.info("check", outcome=last.outcome, message=last.message, seconds=took)
            self._once("backing off", "no", "debug", "ICE is asked as often as before")
        beat = self._settings.config.watching.heartbeat
        if beat is not None and (problem := heartbeat.beat(beat.get_secret_value(), failed=failed)):
            self._once("heartbeat", problem, "warning", "heartbeat not sent", why=problem)

    def send(self) -> None:
        """Send what is due; before the first check there is nothing."""
        if not self._settings.paths.database.exists():
            return
        ended = self._child(ALERTS, ["alerts", "send"], 3600.0)
        if ended.code:
            self._once("alerts", ended.complained, "warning", "alerts not all sent", why=ended.complained)
        elif ended.code == 0 and not ended.said.startswith("0 "):
            self._once.forget("alerts")
            self._log.info("alerts", said=ended.said)

    def self_check(self) -> None:
        """See whether what is kept is whole, and whether there is room."""
        ended = self._child(HISTORY, ["self-check"], 3600.0)
        if ended.code:
            self._once("self-check", ended.said, "warning", "self-check", found=ended.said or ended.complained)
        elif ended.code == 0:
            self._once.forget("self-check")
            self._log.info("self-check", said=ended.said)

    def backup(self) -> None:
        """Copy the database."""
        ended = self._child(HISTORY, ["backup"], 3600.0)
        if ended.code:
            self._log.warning("backup failed", why=ended.complained)
        elif ended.code == 0:
            self._log.info("backup", said=ended.said)

    def publish(self) -> None:
        """Bring the web pages up to date."""
        if not self._settings.paths.database.exists():
            return
        ended = self._child(PAGES, ["site"], 3600.0)
        if ended.code:
            self._once("site", ended.complained, "warning", "site not written", why=ended.complained)
        elif ended.code == 0:
            self._once.forget("site")
            self._log.info("site", said=ended.said)

    # What all of them need

    def _child(self, name: str, arguments: list[str], limit_seconds: float) -> Ended:
        try:
            return self._children[name].run(arguments, limit_seconds)
        except OSError as error:
            why = error.strerror or str(error)
            self._log.warning("no process can be started", command=" ".join(arguments), why=why)
            return Ended(1, 0.0, "", why)

    def _last(self) -> Last | None:
        """The last check, or None where there is no history yet or it cannot be read."""
        try:
            connection = open_readonly(self._settings.paths.database)
        except HistoryError:
            return None
        try:
            row = connection.execute(
                'select finished_at, outcome, message from "check" order by id desc limit 1'
            ).fetchone()
            if row is None:
                return None
            failures = connection.execute(
                'select count(*) from "check" where id >'
                " coalesce((select max(id) from \"check\" where outcome not in ('failed', 'failed-again')), 0)"
            ).fetchone()[0]
        finally:
            connection.close()
        return Last(datetime.fromisoformat(row[0]), row[1], row[2], failures)

    def _next_runs(self) -> dict[str, datetime]:
        jobs = {job.id: job.next_run_time for job in self._scheduler.get_jobs()}
        return {name: moment.astimezone(UTC) for name, moment in jobs.items() if moment is not None}

    def _readings(self) -> readings.Readings:
        config, database = self._settings.config, self._settings.paths.database
        return readings.take(database, datetime.now(UTC), config.status_stale_hours, self._next_runs())

    def _write_state(self) -> None:
        now = state.State(
            pid=os.getpid(),
            version=__version__,
            started_at=self._started,
            next=self._next_runs(),
            backing_off_until=self._backing_off_until,
            config_error=self._mistake or None,
        )
        if problem := state.write(state.beside(self._settings.paths.database), now):
            self._once("state", problem, "warning", "`status` cannot be told of the daemon", why=problem)


def _in_a_line(mistakes: str) -> str:
    return " ".join(mistakes.split("\n"))
