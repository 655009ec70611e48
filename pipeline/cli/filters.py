"""The options, colours and output that the reading commands share."""

import os
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import click

from db.records import Kind, ListName
from pipeline.reading.places import resolve_state, state_name, states
from pipeline.reports.text import wrapped

_COLOURS: dict[str, dict[str, Any]] = {
    Kind.TERMINATED: {"fg": "red", "bold": True},
    Kind.WITHDRAWN: {"fg": "red"},
    Kind.NEW: {"fg": "green", "bold": True},
    Kind.RENEWED: {"fg": "green"},
    Kind.REINSTATED: {"fg": "green"},
    Kind.PENDING: {"fg": "yellow"},
    Kind.CHANGED: {"fg": "cyan"},
    "retracted": {"strikethrough": True},
    "heading": {"bold": True},
    "aside": {"dim": True},
}

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
Callback = Callable[[click.Context, click.Parameter, Any], Any]


def understood(read: Callable[[str], Any]) -> Callback:
    """An option's callback: `read` turns its text, or each of its texts, into a value.

    A ValueError of `read` is wrong usage; its message names what is allowed.
    """

    def convert(context: click.Context, option: click.Parameter, value: Any) -> Any:
        try:
            return tuple(map(read, value)) if isinstance(value, tuple) else None if value is None else read(value)
        except ValueError as error:
            raise click.BadParameter(str(error), context, option) from None

    return convert


def _day(text: str) -> date:
    today = datetime.now(UTC).date()
    word = text.strip().lower()
    if word in ("today", "yesterday"):
        return today - timedelta(days=word == "yesterday")
    try:
        if word.endswith("d") and word[:-1].isdecimal():
            return today - timedelta(days=int(word[:-1]))
        return date.fromisoformat(word)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no date; give YYYY-MM-DD, today, yesterday, or 7d for seven days ago") from None


def read_state(text: str) -> str:
    """A postal code or the full name of a state or territory -> the postal code.

    Raises:
        ValueError: it is neither; a misspelling is not corrected, but the message names the state it may be.
    """
    match = resolve_state(text)
    if match is not None and not match.corrected:
        return match.postal
    guess = f"; did you mean {state_name(match.postal)}?" if match else ""
    raise ValueError(f"{text!r} is no state; give a full name or one of {', '.join(states())}{guess}")


def _model(text: str) -> str:
    from pipeline.reading.normalize import MODELS

    names = {short.lower(): name for short, name in MODELS.items()} | {name.lower(): name for name in MODELS.values()}
    if (model := names.get(" ".join(text.lower().split()))) is None:
        allowed = ", ".join(f"{short} ({name})" for short, name in MODELS.items())
        raise ValueError(f"{text!r} is no support model; give one of {allowed}")
    return model


LIST = click.Choice([name.value for name in ListName])


def day_option(*names: str, text: str) -> Decorator:
    """An option that takes a date: YYYY-MM-DD, today, yesterday, 7d."""
    return click.option(*names, metavar="DATE", callback=understood(_day), help=text)


def states_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--state`, repeatable; gives postal codes."""
    text = "Postal code or name; repeatable."
    return click.option("--state", "states", multiple=True, callback=understood(read_state), help=text)(command)


def models_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--model`, repeatable; gives full names."""
    text = "JEM, WSO, TFM or a full name; repeatable."
    return click.option("--model", "models", multiple=True, callback=understood(_model), help=text)(command)


def format_option(*formats: str) -> Decorator:
    """`--format`, of which the first is the default."""
    return click.option("--format", "form", type=click.Choice(formats), default=formats[0], show_default=True)


def paint(text: str, what: str) -> str:
    """Colour a text by what it is, unless NO_COLOR is set or the terminal is dumb.

    Click drops the colours where the output is no terminal.
    """
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return click.style(text, **_COLOURS.get(what, {}))


def emit(text: str) -> None:
    """Write a document to standard output, with one line end after it."""
    click.echo(text, nl=not text.endswith("\n"))


def emit_lines(text: str) -> None:
    """Write a text for people: on a terminal, long lines are wrapped at its width; in a pipe never."""
    emit(wrapped(text, shutil.get_terminal_size().columns) if sys.stdout.isatty() else text)
