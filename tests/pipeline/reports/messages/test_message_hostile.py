"""Anything may stand in a cell or a file name: it comes out harmless in every format."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import html as parser

from db.records import Kind
from pipeline.reports.messages import data, html, markdown, text
from pipeline.reports.messages.chat import render_chat
from pipeline.reports.messages.content import Affair, Message, Told
from pipeline.reports.messages.wording import short, subject
from tests.pipeline.reports.messages.message_values import HELD, everything, message

PIECES = st.sampled_from(
    [
        "<script>alert(1)</script>",
        '" onmouseover="alert(1)',
        "</bdi></p><h1>",
        "<!-- ",
        "{{ 7 * 7 }}{% raw %}",
        "{list}{0}%s",
        "[x](javascript:alert(1))",
        "![x](https://evil.example/x.png)",
        "`code` **bold** __under__ ~~gone~~ ||spoiler||",
        "@everyone @here <@U123> <!channel> <https://evil.example|ICE>",
        "&lt;!here&gt;",
        "# heading",
        "\n\n- **NEW** forged\r\n> quoted",
        "\x1b[2J\x1b]0;title\x07",
        "\u202egnp.exe\u2066\u200b",
        "https://evil.example/x",
        "www.evil.example",
        ":smile:",
        '=HYPERLINK("http://evil.example")',
        "x" * 10_000,
        " ",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=40), st.lists(PIECES, max_size=4).map("".join), st.tuples(st.text(), PIECES).map("".join)
)

unhurried = settings(deadline=None, max_examples=50)


def hostile(some: Message, name: str) -> Message:
    """The message with a text in every place that ICE writes to."""
    return replace(some, told=tuple(_hostile(told, name) for told in some.told))


def _hostile(told: Told, name: str) -> Told:
    event = replace(
        told.event,
        agency=name,
        county=name,
        note=name,
        status_note=name,
        workbook_name=name,
        previous_workbook_name=name,
        changes={"agency": (name, name), "moa_url": (name, name)} if told.event.kind is Kind.CHANGED else {},
    )
    return replace(
        told,
        event=event,
        moa_url=f"https://www.ice.gov/{name}",
        addendum_url=name,
        shown_in=replace(told.shown_in, workbook_name=name),
        previous=told.previous and replace(told.previous, workbook_name=name),
    )


def _affair(name: str) -> Affair:
    return replace(HELD, title=name, details=(name, name))


def _messages(name: str) -> list[Message]:
    return [hostile(everything(), name), message(affairs=(_affair(name),))]


@unhurried
@given(TEXTS)
def test_a_text_has_no_control_characters_no_reordering_and_no_line_of_ices(name: str) -> None:
    for some, harmless in zip(_messages(name), _messages("Kerr"), strict=True):
        for shown in (text.render(some), markdown.render(some), render_chat(some, 100_000), f"{subject(some)}\n"):
            assert all(line.isprintable() for line in shown.split("\n"))
        assert render_chat(some, 100_000).count("\n\n") == render_chat(harmless, 100_000).count("\n\n")


@unhurried
@given(TEXTS.filter(lambda name: 0 < len(name) < 80))
def test_a_page_has_the_elements_that_a_harmless_name_gives_it(name: str) -> None:
    for some, harmless in zip(_messages(name), _messages("Kerr"), strict=True):
        page, plain = parser.document_fromstring(html.render(some)), parser.document_fromstring(html.render(harmless))
        assert _elements(page) == _elements(plain)
        assert {name for element in page.iter() for name in element.attrib} == {
            name for element in plain.iter() for name in element.attrib
        }


def _elements(page: parser.HtmlElement) -> Counter[object]:
    """How often each element stands in a page, but for links, since a text may be one, and spans, which keep dates."""
    outside = [element for element in page.iter() if next(element.iterancestors("a"), None) is None]
    return Counter(element.tag for element in outside if element.tag not in ("span", "a", "p"))


@unhurried
@given(TEXTS)
def test_a_page_shows_a_name_as_it_is(name: str) -> None:
    page = parser.document_fromstring(html.render(hostile(everything(), name)))
    shown = {element.text_content() for element in page.iter("bdi")}

    assert (short(name) or "agency not stated") in shown


@unhurried
@given(TEXTS)
def test_a_page_links_to_the_web_only(name: str) -> None:
    for some in _messages(name):
        for link in parser.document_fromstring(html.render(some)).iter("a"):
            assert link.get("href").startswith("https://")
            assert set(link.attrib) == {"href", "rel", "style"}


_LINK = re.compile(
    r"(?:^(?:MOA|Addendum)[a-z ]*: |^Archived at |full report: |^ICE's lists: )(https?://\S*)", re.MULTILINE
)


@unhurried
@given(TEXTS)
def test_a_chat_message_has_nothing_that_a_service_obeys(name: str) -> None:
    for some in _messages(name):
        shown = render_chat(some, 100_000)
        assert not re.search(r"[@*~`|<>\[\]\\\s!]", "".join(_LINK.findall(shown)))
        rest = _LINK.sub("", shown)
        assert not re.search(r"[@#<>\[\]`*_~|\\]|://|:[\w+-]+:|&\w+;", rest)
        assert not re.search(r"\w\.[^\W\d_]", re.sub(r"\.(xlsx?|pdf)(?![\w-]|\.\w)", "", rest, flags=re.IGNORECASE))


@unhurried
@given(TEXTS)
def test_markdown_has_no_markup_of_ices(name: str) -> None:
    for some, harmless in zip(_messages(name), _messages("Kerr"), strict=True):
        shown = markdown.render(some)
        bare = re.sub(r"<https://[^<>\s]*>|\[(MOA|Addendum)[a-z ]*\]\(https?://[^()\s]*\)", "", shown)
        assert not re.search(r"(?<!\\)(\\\\)*[\[\]`|~$_]|<|://", bare.replace("```", ""))
        assert shown.count("\n- **") == markdown.render(harmless).count("\n- **")


@unhurried
@given(TEXTS)
def test_a_document_is_valid_ascii_and_holds_the_text_whole(name: str) -> None:
    document = data.document(hostile(everything(), name))

    assert document.isascii()
    assert {event["agency"] for event in json.loads(document)["events"]} == {name}
    Draft202012Validator(json.loads(data.schema())).validate(json.loads(document))


@unhurried
@given(TEXTS, st.integers(0, 3000))
def test_a_chat_message_keeps_to_its_limit_whatever_it_holds(name: str, limit: int) -> None:
    for some in _messages(name):
        assert len(render_chat(some, limit)) <= limit


@pytest.mark.parametrize("render", [text.render, markdown.render, html.render])
def test_a_name_of_ten_thousand_letters_is_cut(render: Callable[[Message], str]) -> None:
    page = render(hostile(everything(), "x" * 10_000))

    assert f" {'x' * 199}…" in page or f">{'x' * 199}…<" in page or f"**{'x' * 199}…**" in page
    assert "x" * 601 not in page
