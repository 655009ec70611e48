"""The questions that `recipes.toml` answers in SQL over the public views."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Recipe:
    """A question and its SQL, whose parameters are named; `parameters` are examples of their values, texts all.

    `question` has the example's values in it, `title` is the same for any.

    `answer` is a table in Markdown: what the SQL gives on the small history of the tests.
    """

    name: str
    group: str
    title: str
    question: str
    about: str
    sql: str
    parameters: Mapping[str, str]
    answer: str


@cache
def recipes() -> tuple[Recipe, ...]:
    """Every recipe, in the order in which they are best read; those of a group stand together."""
    text = resources.files(__package__).joinpath("recipes.toml").read_text(encoding="utf-8")
    return tuple(
        Recipe(
            one["name"],
            one["group"],
            one.get("title", one["question"]),
            one["question"],
            one.get("about", ""),
            one["sql"].strip(),
            one.get("parameters", {}),
            one["answer"].strip(),
        )
        for one in tomllib.loads(text)["recipe"]
    )
