"""A YAML file of an operator's -> plain values, or one sentence on what is wrong with it.

`${NAME}` is replaced by the environment variable of that name, so that secrets stay out of the file.
"""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml


class ConfigError(Exception):
    """The configuration is wrong; the message is one line for each mistake.

    `places` has the steps that lead to each, `("subscribers", 0, "states")`, where they are known.
    """

    def __init__(self, message: str, places: Sequence[Sequence[int | str]] = ()) -> None:
        super().__init__(message)
        self.places = tuple(tuple(steps) for steps in places)


class Filled(str):
    """A text into which something was put from the environment: perhaps a secret, never to be repeated."""

    __slots__ = ()


_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> dict[str, Any]:
    """The file's keys and values, each `${NAME}` still as it is written; `fill` takes them from the environment.

    Raises:
        ConfigError: it cannot be read, is no YAML, or has a key twice.
    """
    try:
        loader = _LOADER(path.read_text(encoding="utf-8-sig"))
        root = loader.get_single_node()
        for mistake in _mistakes(root, loader, set()):
            raise ConfigError(f"{path}, {mistake}")
        _refuse_rings(root, frozenset(), set())
        data = loader.construct_document(root) if root is not None else {}
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except RecursionError:
        raise ConfigError(f"{path}: not readable as YAML: it is nested without end") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path}: not readable as YAML: {_reason(error)}") from None
    if not isinstance(data, dict | None):
        raise ConfigError(f"{path}: must hold keys and values, such as `source:`")
    return data or {}


def _reason(error: yaml.YAMLError | ValueError) -> str:
    """What the parser says, without the texts of the file that it may repeat: one of them may be a secret."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    if isinstance(error, yaml.reader.ReaderError):
        return "it has a character that no text has"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem is None:
        return "it has a value that is not what its tag says"
    mark = error.problem_mark or error.context_mark
    line = f"line {mark.line + 1}: " if mark else ""
    if re.search("tag|alias|anchor", f"{error.context} {error.problem}"):
        return f"{line}a value that starts with !, & or * must stand in quotes"
    return line + ", ".join(" ".join(words.split()) for words in (error.context, error.problem) if words)


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


def _refuse_rings(node: yaml.Node | None, above: frozenset[int], done: set[int]) -> None:
    """An alias may stand for what it is in, without end.

    Raises:
        RecursionError: one does.
    """
    if node is None or isinstance(node, yaml.ScalarNode) or id(node) in done:
        return
    if id(node) in above:
        raise RecursionError
    for item in node.value:
        for one in item if isinstance(item, tuple) else (item,):
            _refuse_rings(one, above | {id(node)}, done)
    done.add(id(node))


class Unknown(Filled):
    """A text with a variable that was not looked up."""

    __slots__ = ()


LATER = frozenset({"host", "username", "password", "apprise", "webhook", "secret", "exec", "heartbeat"})
"""Keys whose values are needed only where something is sent."""


def fill(value: Any, path: Path, *, secrets: bool = True, lenient: bool = False) -> Any:
    """The same value with each `${NAME}` replaced by the environment variable of that name.

    So secrets stay out of the file. A text that was filled in is a `Filled`. Without `secrets` nothing is looked up
    for the keys of `LATER`: there such a text is an `Unknown`, as it stands in the file. So it is with `lenient` where
    there is no such variable.

    Raises:
        ConfigError: there is no such variable; a line for each.
    """
    missing: dict[str, tuple[int | str, ...]] = {}

    def filled(item: Any, steps: tuple[int | str, ...]) -> Any:
        if isinstance(item, dict):
            return {key: filled(inner, (*steps, key)) for key, inner in item.items()}
        if isinstance(item, list):
            return [filled(inner, (*steps, number)) for number, inner in enumerate(item)]
        if not isinstance(item, str) or not _VARIABLE.search(item):
            return item
        if not secrets and not LATER.isdisjoint(steps):
            return Unknown(item)
        absent = [name for name in variables(item) if name not in os.environ]
        if absent and lenient and not LATER.isdisjoint(steps):
            return Unknown(item)
        for name in absent:
            missing.setdefault(name, steps)
        return Filled(_VARIABLE.sub(lambda match: os.environ.get(match.group(1), ""), item))

    whole = filled(value, ())
    if missing:
        lines = (
            f"{path}: {key_at(steps, value)}: the environment has no variable {name}" for name, steps in missing.items()
        )
        raise ConfigError("\n".join(lines), tuple(missing.values()))
    return whole


def variables(text: str) -> list[str]:
    """The environment variables that a text of the file names."""
    return _VARIABLE.findall(text)


def key_at(steps: Sequence[Any], data: Any) -> str:
    """`source.page`, `subscribers.texas.channels.1.email`: an entry of a list by its name, if it has one, or number.

    A key that is no word is left out: it may be a secret in the wrong place.
    """
    words = []
    for step in steps:
        try:
            data = data[step]
        except (LookupError, TypeError):
            data = None
        name = data.get("name") if isinstance(step, int) and isinstance(data, dict) else None
        words.append(str(step + 1) if isinstance(step, int) else step if _is_word(step) else "…")
        if isinstance(name, str) and not isinstance(name, Filled) and _NAME.fullmatch(name):
            words[-1] = name
    return ".".join(words) or "the file"


def _is_word(key: Any) -> bool:
    return isinstance(key, str) and bool(re.fullmatch(r"[\w .-]{1,60}", key))


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
