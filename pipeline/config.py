"""`config.yaml` -> a checked `Config`, `corrections.yaml` -> checked corrections.

Every key is explained beside its default in the file that ships. A mistake is one sentence that names the key, or the
entry, and says what is allowed there.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from db.records import ListName
from pipeline.tracking.policy import CheckLimits, Policy

if TYPE_CHECKING:
    from pipeline.tracking.corrections import Correction, Corrections, Selector

Share = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class ConfigError(Exception):
    """The configuration is wrong; the message is one line for each mistake."""


class _Mistake(Exception):  # noqa: N818 - what is wrong with one entry of corrections.yaml, in words
    pass


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


def storage(config_file: Path | None) -> Storage | None:
    """The storage part by itself, for where the rest is wrong; None if that cannot be told."""
    try:
        return Storage.model_validate(_yaml(config_file).get("storage") or {}) if config_file else Storage()
    except (ConfigError, ValidationError):
        return None


def _read(path: Path, model: type[BaseModel]) -> dict[str, Any]:
    data = _yaml(path)
    try:
        model.model_validate(data)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {_sentence(e, model)}" for e in error.errors())) from None
    return data


_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _yaml(path: Path) -> dict[str, Any]:
    try:
        loader = _LOADER(path.read_text(encoding="utf-8-sig"))
        root = loader.get_single_node()
        for mistake in _mistakes(root, loader, set()):
            raise ConfigError(f"{path}, {mistake}")
        data = _fill(loader.construct_document(root), path) if root is not None else {}
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: not readable as YAML: it is nested without end") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(data, dict | None):
        raise ConfigError(f"{path}: must hold keys and values, such as `source:`")
    return data or {}


def _mistakes(node: yaml.Node | None, loader: yaml.SafeLoader, seen: set[int]) -> Iterator[str]:
    """What YAML lets pass: a key that is there twice, of which the last would count, and a date that does not exist."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _mistakes(item, loader, seen)
    elif isinstance(node, yaml.MappingNode):
        known = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in known:
                yield f"line {key.start_mark.line + 1}: `{key.value}` is there twice; keep one of the two"
            known.add(str(key.value))
            yield from _mistakes(value, loader, seen)
    elif isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:timestamp":
        try:
            loader.construct_yaml_timestamp(node)
        except ValueError:
            yield f"line {node.start_mark.line + 1}: there is no date {node.value}; write YYYY-MM-DD"


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


_WORDS = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be a text",
    "path_type": "must be the name of a file",
    "tuple_type": "must be a list, such as [ice.gov]",
    "model_type": "must hold keys and values",
    "model_attributes_type": "must hold keys and values",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
}


def _sentence(error: Any, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in error["loc"]) or "the file"
    if error["type"] == "extra_forbidden":
        part: Any = model
        for name in error["loc"][:-1]:
            part = part.model_fields[name].annotation
        return f"{key} is no known key{_nearest(str(error['loc'][-1]), list(part.model_fields))}"
    words = _WORDS.get(error["type"])
    if words is None:
        return f"{key}: {error['msg'].removeprefix('Value error, ')}"
    return f"{key}: {words.format(**error.get('ctx', {}))}, not {error['input']!r}"


def _nearest(word: str, allowed: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, allowed, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(allowed)}"


def has_corrections(path: Path) -> bool:
    """Whether there is anything in corrections.yaml, without reading it."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def load_corrections(path: Path) -> "Corrections":
    """Read corrections.yaml; a missing file is no corrections.

    Raises:
        ConfigError: an entry is wrong; each is named by its number, from 1, and its `why`.
    """
    from pipeline.tracking.corrections import Corrections

    if not path.exists():
        return Corrections()
    data = _yaml(path)
    if unknown := [str(key) for key in data if key != "corrections"]:
        raise ConfigError(f"{path}: {unknown[0]} is no known key; the entries stand below `corrections:`")
    entries = data.get("corrections") or []
    if not isinstance(entries, list):
        raise ConfigError(f"{path}: `corrections` must be a list of entries, each beginning with `- action:`")
    found, mistakes = [], []
    for number, entry in enumerate(entries, 1):
        try:
            found.append(_correction(entry))
        except _Mistake as mistake:
            why = entry.get("why") if isinstance(entry, dict) else None
            title = f"entry {number} ({' '.join(why.split())})" if isinstance(why, str) else f"entry {number}"
            mistakes.append(f"{path}: {title}: {mistake}")
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    return Corrections(found)


_ACTIONS = {
    "same": ("before", "after"),
    "distinct": ("before", "after"),
    "ignore": ("workbook",),
    "fix": ("after", "field", "value"),
}
_SHORT = {"model": "support_model", "signed": "signed_on"}
_FIELDS = ("state", "agency", "agency_type", "county", "support_model", "signed_on")
_MAY_BE_EMPTY = ("agency_type", "county")


def _correction(entry: Any) -> "Correction":
    """One entry of corrections.yaml; a _Mistake says in words what is wrong with it."""
    from pipeline.tracking.corrections import Action, Correction, Selector

    if not isinstance(entry, dict):
        raise _Mistake(f"must hold keys and values, such as `action: same`, not {entry!r}")
    action = entry.get("action")
    if not isinstance(action, str) or action not in _ACTIONS:
        raise _Mistake(f"`action` must be one of {', '.join(_ACTIONS)}, not {action!r}")
    allowed = ("action", "why", "until", "list", *_ACTIONS[action])
    for key in entry:
        if key not in allowed:
            raise _Mistake(f"`{action}` takes no `{key}`; it takes {', '.join(allowed)}")
    for key in ("why", *_ACTIONS[action]):
        if key not in entry:
            raise _Mistake(f"`{action}` needs `{key}`")
    why = _text(entry["why"], "`why`")
    until = _day(entry["until"], "`until`") if entry.get("until") is not None else None
    name = entry.get("list")
    if name is not None and name not in list(ListName):
        raise _Mistake(f"`list` must be {' or '.join(ListName)}, not {name!r}")
    before = _rows(entry["before"], "before") if "before" in entry else Selector()
    after = _rows(entry["after"], "after") if "after" in entry else Selector()
    field, value = "", None
    if action == "ignore":
        after = Selector(workbook=_sha256(entry["workbook"], "`workbook`"))
    if action == "fix":
        field, value = _fixed(entry["field"], entry["value"])
    return Correction(Action(action), why, before, after, field, value, ListName(name) if name else None, until)


def _rows(data: Any, end: str) -> "Selector":
    """Which rows a correction means."""
    from pipeline.tracking.corrections import Selector

    if not isinstance(data, dict):
        raise _Mistake(f"`{end}` must name rows, such as {{agency: Kerr County Sheriff's Office, state: TX}}")
    found: dict[str, Any] = {}
    for key, value in data.items():
        name = _SHORT.get(key, str(key))
        if name not in _READERS or name in ("agency_type", "county"):
            raise _Mistake(f"`{end}` knows no `{key}`; it knows state, agency, model, signed, workbook, row")
        if name in found:
            raise _Mistake(f"`{end}` says `{key}` twice")
        found[name] = _READERS[name](value, f"`{key}` of `{end}`")
    if "agency" not in found and not {"workbook", "row"} <= set(found):
        raise _Mistake(f"`{end}` must name an agency, or a workbook and a row")
    return Selector(**found)


def _fixed(field: Any, value: Any) -> tuple[str, str | date | None]:
    name = _SHORT.get(field, field) if isinstance(field, str) else field
    if name not in _FIELDS:
        raise _Mistake(f"`field` must be one of state, agency, agency_type, county, model, signed, not {field!r}")
    if value is None and name in _MAY_BE_EMPTY:
        return name, None
    return name, _READERS[name](value, f"the `value` of `{field}`")


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str) or not value.strip() or not value.replace("\n", " ").isprintable():
        raise _Mistake(f"{what} must be a text, not {value!r}")
    return value


def _day(value: Any, what: str) -> date:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    if isinstance(value, datetime) or not isinstance(value, date):
        raise _Mistake(f"{what} must be a date, YYYY-MM-DD, not {str(value)!r}")
    return value


def _postal(value: Any, what: str) -> str:
    from pipeline.reading.places import resolve_state, state_name, states

    match = resolve_state(value) if isinstance(value, str) else None
    if match is not None and not match.corrected:
        return match.postal
    guess = f"did you mean {state_name(match.postal)}?" if match else f"give a name or one of {', '.join(states())}"
    raise _Mistake(f"{what}: {value!r} is no state; {guess}")


def _model(value: Any, what: str) -> str:
    from pipeline.reading.normalize import MODELS

    names = {short.lower(): name for short, name in MODELS.items()} | {name.lower(): name for name in MODELS.values()}
    name = names.get(" ".join(value.lower().split())) if isinstance(value, str) else None
    if name is None:
        allowed = ", ".join(f"{short} ({name})" for short, name in MODELS.items())
        raise _Mistake(f"{what}: {value!r} is no support model; there are {allowed}")
    return name


def _sha256(value: Any, what: str) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{6,64}", value.lower()):
        quotes = ", in quotes" if isinstance(value, int | float) else ""
        raise _Mistake(f"{what} must be a SHA-256 or its first characters, six or more{quotes}, not {value!r}")
    return value.lower()


def _row(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 2:
        raise _Mistake(f"{what} must be a row of the worksheet, 2 or more (1 is the header), not {value!r}")
    return value


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "state": _postal,
    "agency": _text,
    "agency_type": _text,
    "county": _text,
    "support_model": _model,
    "signed_on": _day,
    "workbook": _sha256,
    "row": _row,
}
