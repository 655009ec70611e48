"""`config.yaml` -> a checked `Config`. Every key is explained beside its default in the file that ships.

A mistake is one sentence that names the key and what it must be.
"""

import os
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from db.records import ListName
from pipeline.tracking.corrections import Action, Correction, Corrections, Selector
from pipeline.tracking.policy import CheckLimits, Policy

Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class ConfigError(Exception):
    """The configuration is wrong; the message is one line for each mistake."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class Config(_Part):
    """The whole configuration."""

    source: Source = Source()
    storage: Storage = Storage()
    checks: Checks = Checks()
    tracking: Tracking = Tracking()
    corrections: Path = Path("corrections.yaml")

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


def load(path: Path | None) -> Config:
    """Read and check a config file; without one, the defaults.

    Raises:
        ConfigError: it cannot be read, is no YAML, or has a wrong or unknown key.
    """
    if path is None:
        return Config()
    return Config.model_validate(_read(path, Config))


def paths(config: Config, config_file: Path | None, database: Path | None) -> Paths:
    """Where the files of a run are. `--db` moves the archive and the log beside the database it names."""
    folder = config_file.absolute().parent if config_file else Path.cwd()
    corrections = folder / config.corrections
    if database is not None:
        beside = database.absolute().parent
        return Paths(database.absolute(), beside / "archive", beside / "crawl.log", corrections)
    storage = config.storage
    return Paths(folder / storage.database, folder / storage.archive, folder / storage.log, corrections)


def _read(path: Path, model: type[BaseModel]) -> dict[str, Any]:
    data = _yaml(path)
    try:
        model.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {_sentence(e)}" for e in error.errors())) from None
    return data


def _yaml(path: Path) -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506 - a safe loader either way
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must hold keys and values, such as `source:`")
    filled: dict[str, Any] = _fill(data, path)
    return filled


def _fill(value: Any, path: Path) -> Any:
    """Replace `${NAME}` by the environment variable of that name, so that secrets stay out of the file."""
    if isinstance(value, dict):
        return {key: _fill(item, path) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, path) for item in value]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ConfigError(f"{path}: the environment has no variable {name}")
        return os.environ[name]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", variable, value)


def _sentence(error: Any) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "the file"
    if error["type"] == "extra_forbidden":
        return f"{key} is no known key"
    return f"{key}: {error['msg'].removeprefix('Value error, ')}"


class _Rows(_Part):
    """Which rows a correction means."""

    state: str | None = None
    agency: str | None = None
    model: str | None = None
    signed: date | None = None
    workbook: Annotated[str, Field(pattern=r"^[0-9a-f]{6,64}$")] | None = None
    row: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _means_something(self) -> "_Rows":
        if self.agency is None and (self.workbook is None or self.row is None):
            raise ValueError("must name an agency, or a workbook and a row")
        return self

    def selector(self) -> Selector:
        from pipeline.reading.normalize import MODELS

        model = MODELS.get((self.model or "").upper(), self.model)
        return Selector(self.state, self.agency, model, self.signed, self.workbook, self.row)


class _Entry(_Part):
    """One entry of corrections.yaml."""

    action: Literal["same", "distinct", "ignore", "fix"]
    why: Annotated[str, Field(min_length=3)]
    until: date | None = None
    list: ListName | None = None
    before: _Rows | None = None
    after: _Rows | None = None
    workbook: Annotated[str, Field(pattern=r"^[0-9a-f]{6,64}$")] | None = None
    field: Literal["state", "agency", "agency_type", "county", "support_model", "signed_on"] | None = None
    value: date | str | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> "_Entry":
        if self.action in ("same", "distinct") and (self.before is None or self.after is None):
            raise ValueError(f"`{self.action}` needs `before` and `after`, the two rows it speaks of")
        if self.action == "ignore" and self.workbook is None:
            raise ValueError("`ignore` needs `workbook`, the SHA-256 or its first characters")
        if self.action == "fix" and (self.after is None or self.field is None):
            raise ValueError("`fix` needs `after` (the rows), `field` and `value`")
        if self.field == "signed_on" and not isinstance(self.value, date):
            raise ValueError("the value of `signed_on` must be a date, YYYY-MM-DD")
        return self

    def correction(self) -> Correction:
        after = (
            Selector(workbook=self.workbook) if self.workbook else self.after.selector() if self.after else Selector()
        )
        before = self.before.selector() if self.before else Selector()
        action = Action(self.action)
        return Correction(action, self.why, before, after, self.field or "", self.value, self.list, self.until)


class _CorrectionsFile(_Part):
    corrections: tuple[_Entry, ...] = ()


def load_corrections(path: Path) -> Corrections:
    """Read corrections.yaml; a missing file is no corrections.

    Raises:
        ConfigError: an entry is wrong.
    """
    if not path.exists():
        return Corrections()
    entries = _CorrectionsFile.model_validate(_read(path, _CorrectionsFile)).corrections
    return Corrections([entry.correction() for entry in entries])
