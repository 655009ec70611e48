"""`config.yaml` -> a checked `Config`.

Every key is explained beside its default in the file that ships. A mistake is one sentence that names the key and says
what is allowed there.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from pipeline.settings_file import ConfigError, Filled, fill, read_yaml
from pipeline.tracking.policy import CheckLimits, Policy
from pipeline.validation import validated

ALERT_KEYS = ("alerts", "subscribers")
"""The parts of config.yaml that `pipeline.notify.settings` reads."""

Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


_CRON = re.compile(r"(\S+ ){4}\S+")
EVERY = re.compile(r"every (\d{1,6}) (second|minute|hour)s?")


def _is_schedule(value: str) -> str:
    """A cron expression in its outer form, or an interval; the daemon reads it in full."""
    if not (_CRON.fullmatch(value) or EVERY.fullmatch(value)):
        raise ValueError("must be a cron expression, such as `23 * * * *`, or `every 30 minutes`")
    return value


def _is_zone(value: str) -> str:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(value)
    except (OSError, ValueError, LookupError):
        raise ValueError("names no time zone of this machine, such as America/New_York") from None
    return value


def _is_format(value: str) -> str:
    if value not in ("auto", "text", "json"):
        raise ValueError("must be auto, text or json")
    return value


class Source(_Part):
    """Where ICE publishes, and how politely to ask."""

    page: str = "https://www.ice.gov/identify-and-arrest/287g"
    allowed_hosts: tuple[str, ...] = ("www.ice.gov", "ice.gov")
    link_hosts: tuple[str, ...] = ("ice.gov",)
    contact: str = "no contact set by the operator"
    user_agent: str = "watch287g/{version} (tracks ICE's public 287(g) lists; {contact})"
    obey_robots: bool = True
    delay_seconds: Annotated[float, Field(ge=0, le=600)] = 2.0
    timeout_seconds: Seconds = 60.0
    retries: Annotated[int, Field(ge=0, le=10)] = 3
    backoff_base_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0
    backoff_cap_seconds: Annotated[float, Field(ge=0, le=3600)] = 120.0
    hard_limit_seconds: Seconds = 600.0
    max_page_bytes: Annotated[int, Field(gt=0)] = 5_000_000
    max_workbook_bytes: Annotated[int, Field(gt=0)] = 20_000_000

    @field_validator("page")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        if not re.match(r"https?://[^/\s]+", value):
            raise ValueError("must be an http or https address")
        return value

    @field_validator("contact", "user_agent")
    @classmethod
    def _is_one_line(cls, value: str) -> str:
        if not value.isprintable() or not value.isascii():
            raise ValueError("must be one line of plain characters, since it is sent as a header")
        return value

    @field_validator("user_agent")
    @classmethod
    def _can_be_filled_in(cls, value: str) -> str:
        try:
            value.format(version="", contact="")
        except (LookupError, ValueError, AttributeError):
            raise ValueError("may hold {version} and {contact}, and no other braces") from None
        return value


class Storage(_Part):
    """Where the history, the raw files and the crawl's log are; relative to the folder of the config file."""

    database: Path = Path("data/history.db")
    archive: Path = Path("data/archive")
    log: Path = Path("data/crawl.log")


class Checks(_Part):
    """Thresholds that hold a publication; see `pipeline.tracking.policy.CheckLimits`."""

    vanish_share: Share = CheckLimits.vanish_share
    vanish_number: Number = CheckLimits.vanish_number
    changed_share: Share = CheckLimits.changed_share
    changed_number: Number = CheckLimits.changed_number
    moved_links_share: Share = CheckLimits.moved_links_share
    moved_links_number: Number = CheckLimits.moved_links_number
    unresolved_share: Share = CheckLimits.unresolved_share
    unresolved_number: Number = CheckLimits.unresolved_number
    duplicate_share: Share = CheckLimits.duplicate_share
    duplicate_number: Number = CheckLimits.duplicate_number
    odd_dates_share: Share = CheckLimits.odd_dates_share
    odd_dates_number: Number = CheckLimits.odd_dates_number
    future_days: Number = CheckLimits.future_days
    totals_difference: Number = CheckLimits.totals_difference


class Tracking(_Part):
    """How the history is told; see `pipeline.tracking.policy.Policy`."""

    reinstate_within_days: Number = Policy.reinstate_within_days
    retract_within_days: Number = Policy.retract_within_days
    withdrawn_after_days: Number = Policy.withdrawn_after_days


Moment = Annotated[str, AfterValidator(_is_schedule)]


class Schedule(_Part):
    """When the daemon does what. A time is a cron expression, or `every 30 minutes` (or seconds, hours)."""

    time_zone: Annotated[str, AfterValidator(_is_zone)] = "UTC"
    checks: Moment = "23 * * * *"
    jitter_seconds: Annotated[int, Field(ge=0, le=3600)] = 240
    deliveries: Moment = "every 5 minutes"
    self_check: Moment = "41 4 * * *"
    backup: Moment = "11 3 * * *"
    site: Moment = "33 * * * *"
    check_limit_seconds: Seconds = 1200.0
    longest_wait_hours: Annotated[float, Field(ge=0, le=168)] = 6.0


class Backups(_Part):
    """Daily copies of the database; no folder, no backups."""

    folder: Path | None = Path("data/backups")
    keep_days: Annotated[int, Field(ge=1, le=3650)] = 14


class Watching(_Part):
    """How the daemon is seen from outside."""

    log_file: Path | None = None
    log_format: Annotated[str, AfterValidator(_is_format)] = "auto"
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, lt=65_536)] | None = None
    heartbeat: SecretStr | None = None
    free_megabytes: Annotated[int, Field(ge=0)] = 500

    @field_validator("heartbeat", mode="before")
    @classmethod
    def _is_from_environment(cls, value: object) -> object:
        if value is not None and not isinstance(value, Filled):
            raise ValueError("is a secret: write ${NAME} here, and set NAME in the environment")
        return value


def _is_site_address(value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", value):
        raise ValueError("must be the http or https address of a folder, such as https://example.org/287g/")
    return value


class Site(_Part):
    """The static site that `watch287g site` writes; the first language stands at its root. No folder: no job for it."""

    folder: Path | None = None
    url: Annotated[str | None, AfterValidator(_is_site_address)] = None
    title: str | None = None
    languages: tuple[str, ...] = ("en", "es")
    contact: str | None = None

    @field_validator("languages")
    @classmethod
    def _are_spoken(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) != len(value) or not set(value) <= {"en", "es"}:
            raise ValueError("must be one or both of en and es, the one at the site's root first")
        return value


class Config(_Part):
    """The whole configuration."""

    source: Source = Source()
    storage: Storage = Storage()
    checks: Checks = Checks()
    tracking: Tracking = Tracking()
    schedule: Schedule = Schedule()
    backups: Backups = Backups()
    watching: Watching = Watching()
    site: Site = Site()
    corrections: Path = Path("corrections.yaml")
    status_stale_hours: Annotated[float, Field(gt=0, le=8760)] = 26.0

    @property
    def policy(self) -> Policy:
        """The thresholds as the core takes them."""
        return Policy(checks=CheckLimits(**self.checks.model_dump()), **self.tracking.model_dump())


@dataclass(frozen=True, slots=True)
class Paths:
    """The files that a command works on, absolute."""

    database: Path
    archive: Path
    log: Path
    corrections: Path


def load(path: Path | None, *, secrets: bool = False) -> Config:
    """Read and check a config file; without one, the defaults. The environment's secrets are asked for only if wanted.

    What it says of alerts and subscribers is read by `pipeline.notify.settings`, where something is to be sent.

    Raises:
        ConfigError: it cannot be read, is no YAML, or has a wrong or unknown key.
    """
    if path is None:
        return Config()
    data = {key: value for key, value in read_yaml(path).items() if key not in ALERT_KEYS}
    return validated(Config, fill(data, path, secrets=secrets), path, beside=ALERT_KEYS)


def alerts_wanted(path: Path | None) -> bool:
    """Whether a config file that can be read has anybody to tell, or feeds to write; told without checking it."""
    data = read_yaml(path) if path else {}
    alerts = data.get("alerts") or {}
    if data.get("subscribers") or not isinstance(alerts, dict):
        return True
    parts = alerts.get("operators") or {}, alerts.get("feeds") or {}
    return any(not isinstance(part, dict) or part.get("channels") or part.get("folder") for part in parts)


def paths(config: Config, config_file: Path | None, database: Path | None) -> Paths:
    """Where the files of a run are. `--db` moves the archive and the log beside the database it names."""
    folder = config_file.absolute().parent if config_file else Path.cwd()
    corrections = folder / config.corrections
    if database is not None:
        beside = database.absolute().parent
        return Paths(database.absolute(), beside / "archive", beside / "crawl.log", corrections)
    storage = config.storage
    return Paths(folder / storage.database, folder / storage.archive, folder / storage.log, corrections)


def storage(config_file: Path | None) -> Storage | None:
    """The storage part by itself, for where the rest is wrong; None if that cannot be told."""
    try:
        return (
            Storage.model_validate(fill(read_yaml(config_file).get("storage") or {}, config_file))
            if config_file
            else Storage()
        )
    except (ConfigError, ValidationError):
        return None


def has_corrections(path: Path) -> bool:
    """Whether there is anything in corrections.yaml, without reading it."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False
