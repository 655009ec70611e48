"""Values of a config file, checked against a pydantic model: the model, or one sentence for each mistake.

A sentence names the key and says what is allowed. What came from the environment is a secret until proven otherwise,
and is never repeated. Nor is, in a model that hides its input (`hide_input_in_errors`), any text of the file: a secret
may stand in the wrong place.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from pipeline.settings_file import ConfigError, Filled, key_at

Model = TypeVar("Model", bound=BaseModel)

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
    "tuple_type": "must be a list, such as [one, two]",
    "model_type": "must hold keys and values",
    "model_attributes_type": "must hold keys and values",
    "enum": "must be {expected}",
    "missing": "is missing",
    "too_short": "must hold at least {min_length:g}",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
}


def validated(model: type[Model], data: dict[str, Any], path: Path, beside: Sequence[str] = ()) -> Model:
    """The checked model; `beside` are keys of the file that are read elsewhere.

    Raises:
        ConfigError: a line for each mistake.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
    # raised out here, since the error would stay with it as its context, and holds the values
    mistakes = [one for one in found if not _follows(one, found)]
    lines = (f"{path}: {_sentence(one, model, data, beside)}" for one in mistakes)
    raise ConfigError("\n".join(lines), [one["loc"] for one in mistakes])


def _follows(mistake: Any, mistakes: Sequence[Any]) -> bool:
    """Whether a list is too short only since its entries are wrong, which are not counted."""
    location = mistake["loc"]
    return mistake["type"] == "too_short" and any(
        len(other["loc"]) > len(location) and other["loc"][: len(location)] == location for other in mistakes
    )


def _sentence(mistake: Any, model: type[BaseModel], data: dict[str, Any], beside: Sequence[str]) -> str:
    location, hides = mistake["loc"], bool(model.model_config.get("hide_input_in_errors"))
    if mistake["type"] == "invalid_key":
        return f"{key_at(location[:-1], data)} has a key that is no word"
    if mistake["type"] == "extra_forbidden":
        known = [*_keys(model, location[:-1]), *(beside if len(location) == 1 else ())]
        if hides and not re.fullmatch(r"[\w-]{1,40}", location[-1]):
            return f"{key_at(location[:-1], data)} has a key that is not known; there are {', '.join(known)}"
        return f"{key_at(location, data)} is no known key{_nearest(location[-1], known)}"
    words = _WORDS.get(mistake["type"])
    if words is None:
        return f"{key_at(location, data)}: {mistake['msg'].removeprefix('Value error, ')}"
    return f"{key_at(location, data)}: {words.format(**mistake.get('ctx', {}))}{_not(mistake, hides=hides)}"


def _not(mistake: Any, *, hides: bool) -> str:
    value = mistake["input"]
    if mistake["type"] in ("missing", "too_short") or isinstance(value, Filled):
        return ""
    if hides and isinstance(value, str | int | float) and mistake["type"] not in _OF_NUMBERS:
        return ""
    if isinstance(value, str | int | float | None):
        return f", not {value!r}"
    return ", not a list" if isinstance(value, list) else ", not keys and values" if isinstance(value, dict) else ""


_OF_NUMBERS = ("int_from_float", "greater_than", "greater_than_equal", "less_than", "less_than_equal")
"""Mistakes whose value is a number, or was read as one."""


def _keys(model: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """The keys that are known at a place of the file."""
    part: Any = model
    for step in location:
        if isinstance(step, str):
            part = next(_models(part.model_fields[step].annotation), part)
    return list(part.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation, such as the one in `tuple[Subscriber, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _nearest(word: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"
