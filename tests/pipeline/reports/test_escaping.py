"""What a hostile cell may hold, and that it comes out harmless."""

from __future__ import annotations

import pytest

from pipeline.reports import escaping


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Peñasco Marshal's Office", "Peñasco Marshal's Office"),
        ("a\x1b[31mred\x1b[0m", "a\ufffd[31mred\ufffd[0m"),
        ("a\x9b2Jb", "a\ufffd2Jb"),
        ("one\ntwo\r\nthree\tfour", "one two  three four"),
        ("\u202egnorw", "\ufffdgnorw"),
        ("a\u2066b\u2069", "a\ufffdb\ufffd"),
        ("a\u2028b\u00a0c", "a b c"),
        ("zero\u200bwidth", "zero\ufffdwidth"),
        ("\ud800", "\ufffd"),
        ("\x00\x07\x7f", "\ufffd\ufffd\ufffd"),
    ],
)
def test_no_text_moves_the_cursor_or_reorders_the_line(text: str, shown: str) -> None:
    assert escaping.printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A|B", r"A\|B"),
        ("`rm`", r"\`rm\`"),
        ("<img src=x>", "&lt;img src=x&gt;"),
        ("[x](http://evil.example)", r"\[x\](http&#58;//evil.example)"),
        ("see www.evil.example", "see www&#46;evil.example"),
        ("![x][y]", r"\!\[x\]\[y\]"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("*a* _b_ ~~c~~ #d $e$", r"\*a\* \_b\_ \~\~c\~\~ \#d \$e\$"),
        ("back\\slash", r"back\\slash"),
        ("line\n\n# heading", r"line  \# heading"),
    ],
)
def test_markdown_shows_a_text_and_does_not_obey_it(text: str, shown: str) -> None:
    assert escaping.markdown(text) == shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_of_a_csv_file_is_a_formula(start: str) -> None:
    assert escaping.cell(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


@pytest.mark.parametrize(("value", "written"), [("Kerr", "Kerr"), ("a=b", "a=b"), (7, 7), (None, ""), ("", "")])
def test_a_harmless_cell_stays_as_it_is(value: str | int | None, written: str | int) -> None:
    assert escaping.cell(value) == written


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JAVASCRIPT:alert(1)",
        "data:text/html,x",
        "//evil.example/x",
        "https:///x",
        "https://[x",
        " https://a.example",
        "ftp://a.example/x",
    ],
)
def test_only_web_addresses_become_links(url: str | None) -> None:
    assert escaping.web_link(url) is None


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("https://www.ice.gov/a_b%20c.pdf", "https://www.ice.gov/a_b%20c.pdf"),
        ("https://a.example/\"onclick='x'", "https://a.example/%22onclick=%27x%27"),
        ("https://a.example/x) [y](z)<b>", "https://a.example/x%29%20%5By%5D%28z%29%3Cb%3E"),
    ],
)
def test_no_address_ends_the_attribute_that_it_stands_in(url: str, link: str) -> None:
    assert escaping.web_link(url) == link
