"""The texts of the site: whole in each language, all of them used, harmless whatever is filled in."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.records import Kind
from pipeline.publish.site import telling
from pipeline.publish.site.grouping import SORTS
from pipeline.publish.site.rendering import GLOSSES
from pipeline.publish.site.words import LANGUAGES, Message, Text, catalogue, words

SITE = Path(telling.__file__).parent
CLASSES = (
    *("spelling", "rename", "new signing", "date correction", "date added", "date removed"),
    *(f"{noun} {verb}" for noun in ("state", "county", "type", "model") for verb in ("correction", "added", "removed")),
    *(f"{noun} {verb}" for noun in ("link", "addendum") for verb in ("posted", "replaced", "withdrawn")),
)
"""Every class of a change, as `pipeline.tracking.diff` and `track` name them."""


def _forms(message: Message) -> list[str]:
    return [message] if isinstance(message, str) else list(message.values())


def _blanks(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("ident", sorted(catalogue()))
def test_every_message_is_there_in_every_language_with_the_same_blanks(ident: str) -> None:
    message = catalogue()[ident]
    assert set(message) == set(LANGUAGES)
    shapes = {language: isinstance(forms, str) or set(forms) for language, forms in message.items()}
    assert len({repr(shape) for shape in shapes.values()}) == 1
    blanks = [_blanks(text) for forms in message.values() for text in _forms(forms)]
    assert all(some == blanks[0] for some in blanks)
    assert all(text.strip() == text != "" for forms in message.values() for text in _forms(forms))


def test_every_message_is_used() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in SITE.rglob("*") if path.suffix in (".py", ".j2"))
    said = set(re.findall(r"""["']([a-z_]+\.[a-z_]+)["']""", source))
    said |= {f"{group}.{name}" for group, name in re.findall(r"t\('([a-z]+)\.' ~ '([a-z_]+)'\)", source)}
    said |= {f"event.{kind}" for kind in Kind} | {f"group.{sort}" for sort in SORTS}
    said |= {f"change.{one.replace(' ', '_')}" for one in CLASSES}
    said |= {f"nav.{name}" for name in ("home", "agencies", "changes", "data", "method")}
    said |= {f"state.{name}" for name in ("agencies", "waiting", "missing", "gone", "once", "counties")}
    assert catalogue().keys() - said == set()


def test_every_kind_of_change_has_its_words() -> None:
    wanted = {f"change.{one.replace(' ', '_')}" for one in CLASSES} | {f"event.{kind}" for kind in Kind}
    wanted |= {f"group.{sort}" for sort in SORTS} | set(GLOSSES.values())
    assert wanted <= catalogue().keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_year_has_twelve_months(language: str) -> None:
    for name in ("date.months", "date.short_months"):
        assert len(set(str(words(language)(name)).split())) == 12


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ["March 4, 2025", "Mar 4, 2025", "July 2025", "December 12, 2025, 13:00 UTC", "53.1%", "1 agreement"]),
        (
            "es",
            [
                "4 de marzo de 2025",
                "4 mar 2025",
                "julio de 2025",
                "12 de diciembre de 2025, 13:00 UTC",
                "53.1 %",
                "1 acuerdo",
            ],
        ),
    ],
)
def test_dates_and_numbers_are_as_the_language_writes_them(language: str, told: list[str]) -> None:
    t = words(language)
    assert [
        t.date("2025-03-04"),
        t.short_date("2025-03-04"),
        t.month("2025-07"),
        t.moment("2025-12-12T13:00:17Z"),
        t.share(661, 1245),
        t("count.agreements", 1),
    ] == told
    assert t("count.agreements", 1245).startswith("1,245 ")


@pytest.mark.parametrize("text", ["", "never", "2025-13-01", "05/082025", "<b>", "2025-1-1-1"])
def test_what_is_no_date_is_shown_as_it_is(text: str) -> None:
    assert words("en").date(text).unescape() == text


@given(st.text(), st.text())
def test_whatever_is_filled_in_makes_no_markup(text: str, value: str) -> None:
    filled = Text.of(text.replace("{", "").replace("}", "") + "{value}").fill({"value": value})
    assert "<" not in filled
    assert '"' not in filled


def test_a_blank_that_is_not_given_is_noticed() -> None:
    with pytest.raises(KeyError, match="state"):
        words("en")("state.changes")
