"""`corrections.yaml` -> `Corrections`: an operator's verdicts, each with its reason, checked entry by entry."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from db.records import ListName
from pipeline.settings_file import ConfigError, read_yaml
from pipeline.tracking.corrections import Action, Correction, Corrections, Selector


class _Mistake(Exception):  # noqa: N818 - what is wrong with one entry of corrections.yaml, in words
    pass


def load_corrections(path: Path) -> Corrections:
    """Read corrections.yaml; a missing file is no corrections.

    Raises:
        ConfigError: an entry is wrong; each is named by its number, from 1, and its `why`.
    """
    if not path.exists():
        return Corrections()
    data = read_yaml(path)
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


def _correction(entry: Any) -> Correction:
    """One entry of corrections.yaml; a _Mistake says in words what is wrong with it."""
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


def _rows(data: Any, end: str) -> Selector:
    """Which rows a correction means."""
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
