"""A YAML file of an operator's -> plain values, or one sentence on what is wrong with it.

`${NAME}` is replaced by the environment variable of that name, so that secrets stay out of the file.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


class ConfigError(Exception):
    """The configuration is wrong; the message is one line for each mistake."""


_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> dict[str, Any]:
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
